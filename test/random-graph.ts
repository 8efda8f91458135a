// Random typed graphs: small, tame numbers, every kind of shape change. The seed decides everything.
import type { RandomSource } from "../engine/base/random.ts";
import type { Builder } from "../engine/ir/builder.ts";
import type { Graph, Value } from "../engine/ir/value.ts";
import type { RefTensor } from "../engine/ops/define-op.ts";
import { interpret } from "../engine/ops/interpret.ts";
import { newBuilder } from "../engine/ops/table.ts";
import { sizeOf } from "../engine/tensor/shape.ts";
import { tensor } from "../engine/tensor/tensor.ts";

/** A scalar `loss` over all values nothing else used, plus each input by name. */
export interface RandomGraph {
  readonly b: Builder;
  readonly graph: Graph;
  readonly loss: Value;
  readonly inputs: readonly Value[];
  readonly feeds: Record<string, RefTensor>;
  readonly ops: readonly string[];
}

const UNARY = [
  "Neg",
  "Abs",
  "Exp",
  "Erf",
  "Tanh",
  "Sigmoid",
  "Relu",
  "LeakyRelu",
  "Elu",
  "HardSwish",
  "Softplus",
  "Sin",
  "Cos",
  "Atan",
  "Mish",
  "QuickGelu",
  "Identity",
];
const REDUCE = ["ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL2", "ReduceSumSquare", "ReduceLogSumExp"];
const BINARY = ["Add", "Sub", "Mul", "Max", "Min"];

export function randomGraph(random: RandomSource, maxOps: number): RandomGraph {
  const b = newBuilder();
  const feeds: Record<string, RefTensor> = {};
  const below = (n: number) => random.below(n);
  const one = <T>(xs: readonly T[]): T => {
    const x = xs[below(xs.length)];
    if (x === undefined) throw new Error("empty choice");
    return x;
  };
  const inputs = Array.from({ length: 2 + below(3) }, (_, i) => {
    const shape = Array.from({ length: below(4) }, () => 1 + below(3));
    const data = Float64Array.from({ length: sizeOf(shape) }, () => Math.fround(random.normal()));
    feeds[`x${i}`] = { shape, data };
    return b.input(`x${i}`, "float32", shape);
  });
  const values: Value[] = [...inputs];
  const used = new Set<number>();
  const axis = (x: Value) => below(x.shape.length);
  const ints = (shape: readonly number[], n: number) =>
    b.constant(
      tensor(
        "int64",
        shape,
        BigInt64Array.from({ length: sizeOf(shape) }, () => BigInt(below(n))),
      ),
    );

  const makers: ((x: Value) => Value | null)[] = [
    (x) => b.one(one(UNARY), [x]),
    (x) => b.gelu(x, one(["none", "tanh"] as const)),
    (x) => b.sqrt(b.add(b.mul(x, x), 0.5)),
    (x) => b.log(b.add(b.mul(x, x), 0.5)),
    (x) => b.one("Clip", [x], { min: -1.1, max: 1.3 }),
    (x) => binary(x),
    (x) => binary(x),
    (x) => b.div(x, b.add(b.mul(x, x), 1)),
    (x) => (x.shape.length === 0 ? null : b.one(one(REDUCE), [x], { axes: [axis(x)], keepdims: below(2) })),
    (x) => (x.shape.length === 0 ? null : b.one(one(["Softmax", "LogSoftmax"]), [x], { axis: axis(x) })),
    (x) => norm(x),
    (x) => (x.shape.length < 2 ? null : b.matmul(x, b.transpose(x, swapped(x)))),
    (x) => (x.shape.length === 0 ? null : product(x)),
    (x) => b.transpose(x, shuffled(x.shape.map((_, i) => i))),
    (x) => b.reshape(x, [sizeOf(x.shape)]),
    (x) => b.one("Unsqueeze", [x], { axes: [below(x.shape.length + 1)] }),
    (x) => (x.shape.length > 3 ? null : b.expand(x, [1 + below(2), ...x.shape])),
    (x) => (x.shape.length === 0 ? null : b.concat([x, b.one("Identity", [x])], axis(x))),
    (x) => slice(x),
    (x) => {
      const a = x.shape.findIndex((d) => d > 1);
      return a < 0 ? null : (b.split(x, [1, (x.shape[a] ?? 2) - 1], a)[1] ?? null);
    },
    (x) => (x.shape.length === 0 ? null : pad(x)),
    (x) => (x.shape.length === 0 ? null : b.one("Tile", [x], { repeats: x.shape.map(() => 1 + below(2)) })),
    (x) => {
      if (x.shape.length === 0) return null;
      const a = axis(x);
      return b.gather(x, ints([1 + below(2)], x.shape[a] ?? 1), a);
    },
    (x) => (x.shape.length === 0 ? null : b.one("CumSum", [x], { axis: axis(x), reverse: below(2), exclusive: below(2) })),
    (x) =>
      b.where(
        b.constant(
          tensor(
            "bool",
            x.shape,
            Uint8Array.from({ length: sizeOf(x.shape) }, () => below(2)),
          ),
        ),
        x,
        b.mul(x, 0.5),
      ),
    (x) => conv(x),
  ];
  const shuffled = (xs: number[]) =>
    xs
      .map((v) => ({ v, k: random.uniform() }))
      .sort((a, c) => a.k - c.k)
      .map((e) => e.v);
  const swapped = (x: Value) => {
    const n = x.shape.length;
    return [...Array.from({ length: n - 2 }, (_, i) => i), n - 1, n - 2];
  };
  function binary(x: Value): Value | null {
    const partners = values.filter((y) => {
      const n = Math.min(x.shape.length, y.shape.length);
      return Array.from({ length: n }, (_, i) => i + 1).every(
        (i) => x.shape.at(-i) === y.shape.at(-i) || x.shape.at(-i) === 1 || y.shape.at(-i) === 1,
      );
    });
    const y = one(partners);
    used.add(y.id);
    return b.one(one(BINARY), [x, y]);
  }
  function norm(x: Value): Value | null {
    const d = x.shape.at(-1);
    if (d === undefined || d === 1) return null;
    const ones = b.expand(b.scalar(1), [d]);
    return b.one(one(["LayerNormalization", "SimplifiedLayerNormalization"]), [x, ones], { axis: -1, epsilon: 1e-2 });
  }
  function product(x: Value): Value | null {
    const d = x.shape.at(-1) ?? 1;
    const y = values.find((v) => v.shape.length === 2 && v.shape[0] === d) ?? values.find((v) => v.shape.length === 1 && v.shape[0] === d);
    if (y) used.add(y.id);
    return y ? b.matmul(x, y) : null;
  }
  function slice(x: Value): Value | null {
    if (x.shape.length === 0) return null;
    const a = axis(x);
    const d = x.shape[a] ?? 1;
    const attrs = below(2)
      ? { starts: [-1], ends: [-d - 1], axes: [a], steps: [-1] }
      : { starts: [below(d)], ends: [d], axes: [a], steps: [1 + below(2)] };
    return b.one("Slice", [x], attrs);
  }
  function pad(x: Value): Value {
    const mode = one(["constant", "edge", "reflect"]);
    const pads = [...x.shape, ...x.shape].map((d) => (mode === "reflect" ? below(Math.min(2, d)) : below(2)));
    return b.one("Pad", [x], { mode, pads, ...(mode === "constant" ? { value: 0.25 } : {}) });
  }
  function conv(x: Value): Value | null {
    if (x.shape.length !== 3) return null;
    const w = values.find((v) => v.shape.length === 3 && v.shape[1] === x.shape[1] && (v.shape[2] ?? 9) <= (x.shape[2] ?? 0) + 2);
    if (!w) return null;
    used.add(w.id);
    return b.conv(x, w, null, { strides: [1 + below(2)], pads: [1, 1], dilations: [1] });
  }

  const known: Record<string, RefTensor> = { ...feeds };
  const ops: string[] = [];
  for (let tries = 0; ops.length < maxOps && tries < 4 * maxOps; tries++) {
    const x = one(values);
    const y = one(makers)(x);
    if (y?.def.kind !== "node" || sizeOf(y.shape) > 64 || values.some((v) => v.id === y.id)) continue;
    const result = interpret(b.graph({ y }), known).y;
    // Large or undefined numbers would only measure rounding.
    if (!result || result.data.some((v) => !(Math.abs(v) <= 8))) continue;
    used.add(x.id);
    values.push(y);
    ops.push(y.def.node.op);
  }
  const loose = values.filter((v) => v.def.kind === "node" && !used.has(v.id));
  const terms = (loose.length ? loose : values).map((v, i) => b.sum(b.mul(v, Math.cos(i + 1)), [], false));
  const loss = terms.reduce((a, t) => b.add(a, t));
  return { b, graph: b.graph({ loss, ...Object.fromEntries(loose.map((v, i) => [`y${i}`, v])) }), loss, inputs, feeds, ops };
}
