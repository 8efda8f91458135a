// Shapes, indices and constants: what exporters compute at run time becomes attributes here.
import type { Value } from "../ir/value.ts";
import { zerosLike } from "../ops/gradient.ts";
import { broadcastShapes, normalizeAxis, type Shape, sizeOf } from "../tensor/shape.ts";
import { f32, tensor } from "../tensor/tensor.ts";
import type { Converter, ImportNode } from "./import-node.ts";
import { dtypeOf, fromNumbers } from "./import-tensor.ts";

/** Elements a constant may have that is computed while importing. */
const MAX_FOLDED = 2 ** 22;

function int64s(n: ImportNode, xs: readonly number[], shape: Shape = [xs.length]): Value {
  return n.b.constant(
    tensor(
      "int64",
      shape,
      BigInt64Array.from(xs, (x) => BigInt(x)),
    ),
  );
}

/** Slice bounds may be the largest int64; beyond any axis they all mean the same. */
function bounded(xs: readonly number[]): number[] {
  return xs.map((x) => Math.min(2 ** 40, Math.max(-(2 ** 40), x)));
}

const reshape: Converter = (n) => {
  const x = n.value(0);
  const asked = n.list("shape", 1) ?? [];
  const keep = n.int("allowzero", 0) === 0;
  const shape = asked.map((d, i) => (d === 0 && keep ? (x.shape[i] ?? 0) : d));
  const known = sizeOf(shape.filter((d) => d !== -1));
  return [n.b.one("Reshape", [x], { shape: shape.map((d) => (d === -1 ? sizeOf(x.shape) / Math.max(1, known) : d)) })];
};

const axesList =
  (op: "Squeeze" | "Unsqueeze"): Converter =>
  (n) => {
    const x = n.value(0);
    const axes = n.list("axes", 1) ?? [...x.shape.keys()].filter((i) => x.shape[i] === 1);
    return [n.b.one(op, [x], { axes })];
  };

const slice: Converter = (n) => {
  const starts = n.list("starts", 1) ?? [];
  const ends = n.list("ends", 2) ?? [];
  const axes = n.list("axes", 3) ?? starts.map((_, i) => i);
  const steps = n.list("steps", 4) ?? starts.map(() => 1);
  return [n.b.one("Slice", [n.value(0)], { starts: bounded(starts), ends: bounded(ends), axes, steps })];
};

const split: Converter = (n) => {
  const x = n.value(0);
  const axis = normalizeAxis(n.int("axis", 0), x.shape.length);
  const d = x.shape[axis] ?? 0;
  const parts = n.node.outputs.length;
  if (n.int("num_outputs", parts) !== parts) throw n.error("ONNX_NODE", "num_outputs is not the number of outputs");
  const size = Math.ceil(d / parts);
  const even = Array.from({ length: parts }, (_, i) => Math.max(0, Math.min(size, d - i * size)));
  return n.b.op("Split", [x], { axis, split: n.list("split", 1) ?? even });
};

const pad: Converter = (n) => {
  const x = n.value(0);
  const given = n.list("pads", 1) ?? n.ints("paddings") ?? [];
  const rank = x.shape.length;
  const axes = n.constant(3);
  const pads = new Array<number>(2 * rank).fill(0);
  const over = axes ? Array.from(axes.data, (a) => normalizeAxis(a, rank)) : [...x.shape.keys()];
  over.forEach((axis, i) => {
    pads[axis] = given[i] ?? 0;
    pads[axis + rank] = given[i + over.length] ?? 0;
  });
  const mode = n.string("mode", "constant");
  const value = n.scalar("value", 2) ?? 0;
  return [n.b.one("Pad", [x], mode === "constant" ? { mode, pads, value } : { mode, pads })];
};

const shapeOf: Converter = (n) => {
  const { shape } = n.value(0);
  const at = (i: number) => Math.min(shape.length, Math.max(0, i < 0 ? i + shape.length : i));
  return [int64s(n, shape.slice(at(n.int("start", 0)), at(n.int("end", shape.length))))];
};

const constant: Converter = (n) => {
  const t = n.tensor("value");
  if (t) return [n.b.constant(t)];
  const [float, int] = [n.attribute("value_float"), n.attribute("value_int")];
  const [floats, ints] = [n.attribute("value_floats"), n.attribute("value_ints")];
  if (float?.float !== undefined) return [n.b.scalar(float.float)];
  if (int?.int !== undefined) return [int64s(n, [int.int], [])];
  if (floats) return [n.b.constant(f32([floats.floats.length], floats.floats))];
  if (ints) return [int64s(n, ints.ints)];
  throw n.error("ONNX_ATTRIBUTE", "a constant without a numeric value");
};

const constantOfShape: Converter = (n) => {
  const shape = Array.from(n.constant(0)?.data ?? []);
  const value = n.tensor("value");
  if (!value) return [zerosLike(n.b, shape, "float32")];
  const one = n.b.constant({ ...value, shape: [] });
  return [shape.length === 0 ? one : n.b.expand(one, shape)];
};

const range: Converter = (n) => {
  const [start = 0, limit = 0, delta = 1] = [0, 1, 2].map((i) => n.constant(i)?.data[0] ?? 0);
  const count = Math.max(0, Math.ceil((limit - start) / delta));
  if (!(count <= MAX_FOLDED)) throw n.error("ONNX_LIMIT", `a range of ${count} numbers`);
  const { dtype } = n.value(0);
  return [
    n.b.constant(
      fromNumbers(
        dtype,
        [count],
        Float64Array.from({ length: count }, (_, i) => start + i * delta),
      ),
    ),
  ];
};

const depthToSpace: Converter = (n) => {
  const x = n.value(0);
  const [batch = 1, c = 1, h = 1, w = 1] = x.shape;
  const k = n.int("blocksize", 1);
  const d = c / (k * k);
  const columns = n.string("mode", "DCR") === "DCR";
  const split = n.b.reshape(x, columns ? [batch, k, k, d, h, w] : [batch, d, k, k, h, w]);
  return [n.b.reshape(n.b.transpose(split, columns ? [0, 3, 4, 1, 5, 2] : [0, 1, 4, 2, 5, 3]), [batch, d, h * k, w * k])];
};

const spaceToDepth: Converter = (n) => {
  const x = n.value(0);
  const [batch = 1, c = 1, h = 1, w = 1] = x.shape;
  const k = n.int("blocksize", 1);
  const split = n.b.reshape(x, [batch, c, h / k, k, w / k, k]);
  return [n.b.reshape(n.b.transpose(split, [0, 3, 5, 1, 2, 4]), [batch, c * k * k, h / k, w / k])];
};

const cast: Converter = (n) => {
  n.ignore("saturate", "round_mode");
  return [n.b.cast(n.value(0), dtypeOf(n.int("to", 0), n.where))];
};

const topK: Converter = (n) => {
  n.ignore("sorted");
  const k = n.attribute("k")?.int ?? n.constant(1)?.data[0] ?? 0;
  return n.b.op("TopK", [n.value(0)], { k: [k], axis: n.int("axis", -1), largest: n.int("largest", 1) });
};

const scatter =
  (op: "ScatterND" | "ScatterElements"): Converter =>
  (n) => {
    const reduction = n.string("reduction", "none");
    const attrs = op === "ScatterND" ? { reduction } : { axis: n.int("axis", 0), reduction };
    return [n.b.one(op, [n.value(0), n.value(1), n.value(2)], attrs)];
  };

const oneHot: Converter = (n) => {
  const [depth, values] = [n.constant(1)?.data[0] ?? 0, Array.from(n.constant(2)?.data ?? [0, 1])];
  const hot = n.b.one("OneHot", [n.b.cast(n.value(0), "int64")], { axis: n.int("axis", -1), depth, values });
  return [n.b.cast(hot, n.value(2).dtype)];
};

/** Converters by operator name. */
export const SHAPE_CONVERTERS: ReadonlyMap<string, Converter> = new Map<string, Converter>([
  ["Reshape", reshape],
  ["Squeeze", axesList("Squeeze")],
  ["Unsqueeze", axesList("Unsqueeze")],
  ["Slice", slice],
  ["Split", split],
  ["Pad", pad],
  ["Shape", shapeOf],
  ["Size", (n) => [int64s(n, [sizeOf(n.value(0).shape)], [])]],
  ["Constant", constant],
  ["ConstantOfShape", constantOfShape],
  ["Range", range],
  ["DepthToSpace", depthToSpace],
  ["SpaceToDepth", spaceToDepth],
  ["Cast", cast],
  ["CastLike", (n) => [n.b.cast(n.value(0), n.value(1).dtype)]],
  ["TopK", topK],
  ["Scatter", scatter("ScatterElements")],
  ["ScatterElements", scatter("ScatterElements")],
  ["ScatterND", scatter("ScatterND")],
  ["OneHot", oneHot],
  ["Identity", (n) => [n.value(0)]],
  ["Transpose", (n) => [n.b.transpose(n.value(0), n.ints("perm") ?? [...n.value(0).shape.keys()].reverse())]],
  ["Expand", (n) => [n.b.expand(n.value(0), broadcastShapes(n.value(0).shape, Array.from(n.constant(1)?.data ?? [])))]],
  ["Tile", (n) => [n.b.one("Tile", [n.value(0)], { repeats: Array.from(n.constant(1)?.data ?? []) })]],
  [
    "CumSum",
    (n) => [
      n.b.one("CumSum", [n.value(0)], { axis: n.scalar("", 1) ?? 0, exclusive: n.int("exclusive", 0), reverse: n.int("reverse", 0) }),
    ],
  ],
  ["Trilu", (n) => [n.b.one("Trilu", [n.value(0)], { k: n.scalar("", 1) ?? 0, upper: n.int("upper", 1) })]],
]);
