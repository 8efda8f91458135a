import type { Attrs, Value } from "../ir/value.ts";
import { sizeOf } from "../tensor/shape.ts";
import { axisOf, floatType, num, oneDType, ref, type Types, typeError } from "./check.ts";
import { defineOp, type OpRow, type RefTensor } from "./define-op.ts";
import { apart, uniform } from "./draw.ts";
import { dyOf, inputOf, outputOf } from "./gradient.ts";
import { layerNormRule, rmsNormRule } from "./norm-gradient.ts";
import { at, build, flat } from "./reference.ts";

/** Statistics are kept per leading coordinate, the normalised axes as 1. */
function statShape(shape: readonly number[], axis: number): number[] {
  return shape.map((d, i) => (i < axis ? d : 1));
}

function inferNorm(op: string, inputs: Types, attrs: Attrs): { axis: number; shape: readonly number[] } {
  const x = floatType(op, inputs, 0);
  oneDType(op, inputs);
  const axis = axisOf(op, inputs, num(attrs, "axis", -1), x.shape.length);
  const inner = x.shape.slice(axis);
  for (const t of inputs.slice(1))
    if (t && !(t.shape.length === inner.length && t.shape.every((d, i) => d === inner[i])))
      throw typeError(op, inputs, `scale and bias must be [${inner}]`);
  return { axis, shape: x.shape };
}

function normalise(inputs: readonly (RefTensor | null)[], attrs: Attrs, centre: boolean): RefTensor[] {
  const [x, scale] = [ref(inputs, 0), ref(inputs, 1)];
  const bias = inputs[2];
  const axis = axisOf("norm", [], num(attrs, "axis", -1), x.shape.length);
  const n = sizeOf(x.shape.slice(axis));
  const epsilon = num(attrs, "epsilon", 1e-5);
  const stats = statShape(x.shape, axis);
  const row = (i: number) => Array.from(x.data.subarray(i * n, (i + 1) * n));
  const mean = build(stats, (_, i) => (centre ? row(i).reduce((a, v) => a + v, 0) / n : 0));
  const inv = build(stats, (_, i) => 1 / Math.sqrt(row(i).reduce((a, v) => a + (v - flat(mean, i)) ** 2, 0) / n + epsilon));
  const y = build(x.shape, (_, i) => {
    const k = Math.floor(i / n);
    return (flat(x, i) - flat(mean, k)) * flat(inv, k) * flat(scale, i % n) + (bias ? flat(bias, i % n) : 0);
  });
  return [y, mean, inv];
}

const LayerNormalization = defineOp({
  name: "LayerNormalization",
  optionalOutputsFrom: 1,
  infer: (inputs, attrs) => {
    const { axis, shape } = inferNorm("LayerNormalization", inputs, attrs);
    const dtype = oneDType("LayerNormalization", inputs);
    // Mean and InvStdDev are float32 whatever the input is (stash_type 1).
    const stat = { dtype: dtype === "float64" ? ("float64" as const) : ("float32" as const), shape: statShape(shape, axis) };
    return [{ dtype, shape }, stat, stat];
  },
  reference: (inputs, attrs) => normalise(inputs, attrs, true),
  vjp: layerNormRule,
  samples: (rng) => [
    { inputs: [uniform(rng, [2, 3, 4]), uniform(rng, [4]), uniform(rng, [4])], attrs: { axis: -1, epsilon: 1e-5 } },
    { inputs: [uniform(rng, [3, 5]), uniform(rng, [5])], attrs: { axis: 1, epsilon: 1e-3 } },
    { inputs: [uniform(rng, [2, 3, 4]), uniform(rng, [3, 4]), uniform(rng, [3, 4])], attrs: { axis: 1 } },
    { inputs: [uniform(rng, [1, 3]), build([3], () => 1)], attrs: { axis: -1, epsilon: 1e-6 } },
  ],
});

const SimplifiedLayerNormalization = defineOp({
  name: "SimplifiedLayerNormalization",
  // ONNX Runtime has 1/σ as a second output, which its WebGPU kernel leaves unwritten: not offered.
  infer: (inputs, attrs) => {
    const { shape } = inferNorm("SimplifiedLayerNormalization", inputs, attrs);
    return [{ dtype: oneDType("SimplifiedLayerNormalization", inputs), shape }];
  },
  reference: (inputs, attrs) => normalise(inputs, attrs, false).slice(0, 1),
  vjp: rmsNormRule,
  samples: (rng) => [
    { inputs: [uniform(rng, [2, 3, 4]), uniform(rng, [4])], attrs: { axis: -1, epsilon: 1e-6 } },
    { inputs: [apart(rng, [3, 1]), uniform(rng, [1])], attrs: { axis: -1, epsilon: 1e-3 } },
    { inputs: [uniform(rng, [1, 5]), build([5], () => 1)], attrs: { axis: -1 } },
  ],
});

const LpNormalization = defineOp({
  name: "LpNormalization",
  infer: (inputs, attrs) => {
    const t = floatType("LpNormalization", inputs, 0);
    axisOf("LpNormalization", inputs, num(attrs, "axis", -1), t.shape.length);
    if (![1, 2].includes(num(attrs, "p", 2))) throw typeError("LpNormalization", inputs, "p must be 1 or 2");
    return [{ dtype: t.dtype, shape: t.shape }];
  },
  reference: (inputs, attrs) => {
    const x = ref(inputs, 0);
    const axis = axisOf("LpNormalization", [], num(attrs, "axis", -1), x.shape.length);
    const p = num(attrs, "p", 2);
    return [
      build(x.shape, (c) => {
        const at0 = [...c];
        let sum = 0;
        for (let i = 0; i < (x.shape[axis] ?? 1); i++) {
          at0[axis] = i;
          sum += Math.abs(at(x, at0)) ** p;
        }
        // As in the runtime: zeros stay zeros.
        return sum === 0 ? 0 : at(x, c) / sum ** (1 / p);
      }),
    ];
  },
  vjp: (c) => {
    const { b } = c;
    const [x, y] = [inputOf(c, 0), outputOf(c, 0)];
    const dy = dyOf(c);
    const axes = [axisOf("LpNormalization", [], num(c.attrs, "axis", -1), x.shape.length)];
    const along = b.sum(b.mul(dy, y), axes);
    const [norm, direction]: [Value, Value] =
      num(c.attrs, "p", 2) === 2
        ? [b.one("ReduceL2", [x], { axes, keepdims: 1 }), y]
        : [b.one("ReduceL1", [x], { axes, keepdims: 1 }), b.one("Sign", [x])];
    // An all-zero row stays zero, so its gradient is 0, not the pole beside it.
    const isNothing = b.one("Equal", [norm, b.scalar(0, x.dtype)]);
    return [b.where(isNothing, 0, b.div(b.sub(dy, b.mul(direction, along)), b.where(isNothing, 1, norm)))];
  },
  samples: (rng) => [
    { inputs: [apart(rng, [2, 3, 4])], attrs: { axis: -1, p: 2 } },
    { inputs: [apart(rng, [3, 4])], attrs: { axis: 0, p: 1 } },
    { inputs: [apart(rng, [2, 1])], attrs: { axis: 1, p: 2 }, diff: [] },
  ],
});

export const layerNorms: readonly OpRow[] = [LayerNormalization, SimplifiedLayerNormalization, LpNormalization];
