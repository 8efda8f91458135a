import type { Builder } from "../ir/builder.ts";
import type { Attrs, TypeInfo, Value } from "../ir/value.ts";
import type { Shape } from "../tensor/shape.ts";
import { axisOf, ints, ref, type, typeError } from "./check.ts";
import { defineOp, type OpRow } from "./define-op.ts";
import { uniform } from "./draw.ts";
import { movementRule } from "./gradient.ts";
import { at, build } from "./reference.ts";

/** One axis of a slice, clamped: elements start, start+step, … (`length` of them). */
interface Range {
  readonly axis: number;
  readonly start: number;
  readonly step: number;
  readonly length: number;
}

/** ONNX Slice semantics: negatives count from the end, then everything is clamped. */
function rangesOf(shape: Shape, attrs: Attrs): Range[] {
  const starts = ints(attrs, "starts");
  const ends = ints(attrs, "ends");
  const axes = ints(
    attrs,
    "axes",
    starts.map((_, i) => i),
  );
  const steps = ints(
    attrs,
    "steps",
    starts.map(() => 1),
  );
  const input: TypeInfo = { dtype: "float32", shape };
  if (new Set([starts.length, ends.length, axes.length, steps.length]).size !== 1)
    throw typeError("Slice", [input], "starts, ends, axes and steps differ in length");
  return starts.map((s, i) => {
    const axis = axisOf("Slice", [input], axes[i] ?? 0, shape.length);
    const d = shape[axis] ?? 1;
    const step = steps[i] ?? 1;
    if (step === 0) throw typeError("Slice", [input], "step 0");
    const clamp = (v: number, lo: number, hi: number) => Math.min(hi, Math.max(lo, v < 0 ? v + d : v));
    const start = step > 0 ? clamp(s, 0, d) : clamp(s, 0, d - 1);
    const end = step > 0 ? clamp(ends[i] ?? d, 0, d) : clamp(ends[i] ?? -1, -1, d - 1);
    return { axis, start, step, length: Math.max(0, Math.ceil((end - start) / step)) };
  });
}

function outShape(shape: Shape, ranges: readonly Range[]): number[] {
  const out = [...shape];
  for (const r of ranges) out[r.axis] = r.length;
  return out;
}

/** Reverses one axis. */
export function reverse(b: Builder, x: Value, axis: number): Value {
  return b.one("Slice", [x], { starts: [-1], ends: [-(x.shape[axis] ?? 1) - 1], axes: [axis], steps: [-1] });
}

/** Zeros before and after one axis. */
export function padAxis(b: Builder, x: Value, axis: number, before: number, after: number): Value {
  if (before === 0 && after === 0) return x;
  const pads = new Array<number>(2 * x.shape.length).fill(0);
  pads[axis] = before;
  pads[axis + x.shape.length] = after;
  return b.one("Pad", [x], { mode: "constant", pads, value: 0 });
}

/** Puts `step - 1` zeros between the elements of one axis. */
function dilate(b: Builder, x: Value, axis: number, step: number): Value {
  const d = x.shape[axis] ?? 1;
  const [head, tail] = [x.shape.slice(0, axis), x.shape.slice(axis + 1)];
  const split = padAxis(b, b.reshape(x, [...head, d, 1, ...tail]), axis + 1, 0, step - 1);
  const merged = b.reshape(split, [...head, d * step, ...tail]);
  return b.slice(merged, axis, 0, (d - 1) * step + 1);
}

const Slice = defineOp({
  name: "Slice",
  constInputs: [
    ["starts", "int64"],
    ["ends", "int64"],
    ["axes", "int64"],
    ["steps", "int64"],
  ],
  infer: (inputs, attrs) => {
    const t = type("Slice", inputs, 0);
    return [{ dtype: t.dtype, shape: outShape(t.shape, rangesOf(t.shape, attrs)) }];
  },
  reference: (inputs, attrs) => {
    const x = ref(inputs, 0);
    const ranges = rangesOf(x.shape, attrs);
    return [
      build(outShape(x.shape, ranges), (c) => {
        const from = [...c];
        for (const r of ranges) from[r.axis] = r.start + (c[r.axis] ?? 0) * r.step;
        return at(x, from);
      }),
    ];
  },
  vjp: movementRule((c, dy, x) => {
    const { b } = c;
    let g = dy;
    for (const r of rangesOf(x.shape, c.attrs)) {
      if (r.length === 0) continue;
      const step = Math.abs(r.step);
      const span = (r.length - 1) * step + 1;
      const start = r.step < 0 ? r.start - (span - 1) : r.start;
      if (r.step < 0) g = reverse(b, g, r.axis);
      if (step > 1) g = dilate(b, g, r.axis, step);
      g = padAxis(b, g, r.axis, start, (x.shape[r.axis] ?? 1) - start - span);
    }
    return g.shape.every((d, i) => d === x.shape[i]) ? g : b.expand(b.scalar(0, x.dtype), x.shape);
  }),
  samples: (rng) => [
    { inputs: [uniform(rng, [4, 5])], attrs: { starts: [1, -4], ends: [3, -1], axes: [0, 1], steps: [1, 1] } },
    { inputs: [uniform(rng, [2, 9])], attrs: { starts: [1], ends: [8], axes: [-1], steps: [3] } },
    { inputs: [uniform(rng, [7, 2])], attrs: { starts: [-1], ends: [-8], axes: [0], steps: [-1] } },
    { inputs: [uniform(rng, [8])], attrs: { starts: [6], ends: [0], axes: [0], steps: [-2] } },
    { inputs: [uniform(rng, [1, 3])], attrs: { starts: [0], ends: [100], axes: [1], steps: [1] } },
    { inputs: [uniform(rng, [3, 3])], attrs: { starts: [2], ends: [2], axes: [0], steps: [1] } },
  ],
});

export const slices: readonly OpRow[] = [Slice];
