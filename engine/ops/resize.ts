import { AppError } from "../base/errors.ts";
import type { Builder } from "../ir/builder.ts";
import type { Attrs, Value } from "../ir/value.ts";
import { type Shape, sameShape } from "../tensor/shape.ts";
import { f32 } from "../tensor/tensor.ts";
import { choice, floatType, ints, ref, typeError } from "./check.ts";
import { defineOp, type OpRow } from "./define-op.ts";
import { uniform } from "./draw.ts";
import { movementRule } from "./gradient.ts";
import { at, build, put } from "./reference.ts";

const COORDINATES = ["half_pixel", "asymmetric", "align_corners", "pytorch_half_pixel"] as const;
const NEAREST = ["round_prefer_floor", "round_prefer_ceil", "floor", "ceil"] as const;

/** [source index, weight] of every output element along one axis. */
type Taps = readonly (readonly (readonly [index: number, weight: number])[])[];

function numbers(attrs: Attrs, name: string): readonly number[] | null {
  return attrs[name] === undefined ? null : ints(attrs, name, []);
}

/** Output sizes and the scale each axis uses. */
function sizing(shape: Shape, attrs: Attrs): { out: number[]; scales: number[] } {
  const sizes = numbers(attrs, "sizes");
  const scales = numbers(attrs, "scales");
  if ((sizes === null) === (scales === null)) throw new AppError("OP_ATTR", "Resize needs either sizes or scales");
  if (sizes) return { out: [...sizes], scales: shape.map((d, i) => (sizes[i] ?? d) / d) };
  // ONNX takes scales as float32.
  const f = (scales ?? []).map(Math.fround);
  return { out: shape.map((d, i) => Math.floor(d * (f[i] ?? 1))), scales: f };
}

function nearestIndex(x: number, mode: (typeof NEAREST)[number]): number {
  if (mode === "floor") return Math.floor(x);
  if (mode === "ceil") return Math.ceil(x);
  return mode === "round_prefer_ceil" ? Math.floor(x + 0.5) : Math.ceil(x - 0.5);
}

function tapsOf(size: number, out: number, scale: number, attrs: Attrs): Taps {
  const coordinates = choice(attrs, "coordinate_transformation_mode", COORDINATES);
  const mode = choice(attrs, "mode", ["nearest", "linear"]);
  const nearest = choice(attrs, "nearest_mode", NEAREST);
  const clamp = (i: number) => Math.min(size - 1, Math.max(0, i));
  return Array.from({ length: out }, (_, o) => {
    let x = (o + 0.5) / scale - 0.5;
    if (coordinates === "asymmetric") x = o / scale;
    if (coordinates === "align_corners") x = out === 1 ? 0 : (o * (size - 1)) / (out - 1);
    if (coordinates === "pytorch_half_pixel" && out === 1) x = 0;
    if (mode === "nearest") return [[clamp(nearestIndex(x, nearest)), 1] as const];
    const from = Math.min(size - 1, Math.max(0, x));
    const low = Math.floor(from);
    return [[low, 1 - (from - low)] as const, [clamp(low + 1), from - low] as const];
  });
}

/** True when every source element is simply repeated `out/size` times. */
function repeats(taps: Taps, size: number): boolean {
  const factor = taps.length / size;
  return Number.isInteger(factor) && taps.every((t, o) => t.length === 1 && t[0]?.[0] === Math.floor(o / factor));
}

/** dx along one axis: a sum over repeats, or the transposed interpolation matrix. */
function resizeAxisBack(b: Builder, dy: Value, axis: number, size: number, taps: Taps): Value {
  const out = taps.length;
  const [head, tail] = [dy.shape.slice(0, axis), dy.shape.slice(axis + 1)];
  if (repeats(taps, size)) return b.sum(b.reshape(dy, [...head, size, out / size, ...tail]), [axis + 1], false);
  const matrix = new Float32Array(out * size);
  taps.forEach((t, o) => {
    for (const [i, w] of t) matrix[o * size + i] = (matrix[o * size + i] ?? 0) + w;
  });
  const w = b.cast(b.constant(f32([out, size], matrix)), dy.dtype);
  if (tail.length === 0) return b.matmul(dy, w);
  const flat = tail.reduce((p, d) => p * d, 1);
  const product = b.matmul(b.transpose(w, [1, 0]), b.reshape(dy, [...head, out, flat]));
  return b.reshape(product, [...head, size, ...tail]);
}

const Resize = defineOp({
  name: "Resize",
  constFrom: 1,
  constInputs: [null, ["scales", "float32"], ["sizes", "int64"]],
  infer: (inputs, attrs) => {
    const t = floatType("Resize", inputs, 0);
    const { out } = sizing(t.shape, attrs);
    if (out.length !== t.shape.length || out.some((d) => d < 1)) throw typeError("Resize", inputs, `cannot resize to [${out}]`);
    choice(attrs, "mode", ["nearest", "linear"]);
    choice(attrs, "coordinate_transformation_mode", COORDINATES);
    choice(attrs, "nearest_mode", NEAREST);
    return [{ dtype: t.dtype, shape: out }];
  },
  reference: (inputs, attrs) => {
    let x = ref(inputs, 0);
    const { out, scales } = sizing(x.shape, attrs);
    out.forEach((d, axis) => {
      const size = x.shape[axis] ?? 1;
      const taps = tapsOf(size, d, scales[axis] ?? 1, attrs);
      const from = x;
      if (d !== size || (scales[axis] ?? 1) !== 1)
        x = build(put(x.shape, axis, d), (c) => (taps[c[axis] ?? 0] ?? []).reduce((a, [i, w]) => a + w * at(from, put(c, axis, i)), 0));
    });
    return [x];
  },
  vjp: movementRule((c, dy, x) => {
    const { out, scales } = sizing(x.shape, c.attrs);
    if (sameShape(out, x.shape) && scales.every((s) => s === 1)) return dy;
    let g = dy;
    // Last axis first: the large side shrinks before the strided axes are touched.
    for (let axis = out.length - 1; axis >= 0; axis--) {
      const size = x.shape[axis] ?? 1;
      if (out[axis] === size && scales[axis] === 1) continue;
      g = resizeAxisBack(c.b, g, axis, size, tapsOf(size, out[axis] ?? 1, scales[axis] ?? 1, c.attrs));
    }
    return g;
  }),
  samples: (rng) => [
    {
      inputs: [uniform(rng, [1, 2, 3, 4])],
      attrs: { mode: "nearest", coordinate_transformation_mode: "asymmetric", nearest_mode: "floor", scales: [1, 1, 2, 3] },
    },
    { inputs: [uniform(rng, [1, 2, 4, 3])], attrs: { mode: "nearest", coordinate_transformation_mode: "half_pixel", sizes: [1, 2, 3, 5] } },
    { inputs: [uniform(rng, [2, 1, 4, 5])], attrs: { mode: "linear", coordinate_transformation_mode: "half_pixel", sizes: [2, 1, 7, 3] } },
    {
      inputs: [uniform(rng, [1, 1, 3, 3])],
      attrs: { mode: "linear", coordinate_transformation_mode: "align_corners", sizes: [1, 1, 5, 1] },
    },
    {
      inputs: [uniform(rng, [1, 1, 2, 4])],
      attrs: { mode: "linear", coordinate_transformation_mode: "align_corners", scales: [1, 1, 0.6, 0.6] },
    },
    {
      inputs: [uniform(rng, [1, 1, 4, 2])],
      attrs: { mode: "linear", coordinate_transformation_mode: "asymmetric", scales: [1, 1, 1.5, 2] },
    },
    {
      inputs: [uniform(rng, [1, 1, 4, 4])],
      attrs: { mode: "linear", coordinate_transformation_mode: "pytorch_half_pixel", sizes: [1, 1, 1, 6] },
    },
  ],
});

export const resizes: readonly OpRow[] = [Resize];
