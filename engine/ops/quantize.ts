import type { Attrs } from "../ir/value.ts";
import type { Shape } from "../tensor/shape.ts";
import { axisOf, floatType, num, ref, type Types, type, typeError } from "./check.ts";
import { defineOp, nonDifferentiable, type OpRow, type RefTensor } from "./define-op.ts";
import { integers, uniform } from "./draw.ts";
import { dyOf, inputOf } from "./gradient.ts";
import { at, build, flat } from "./reference.ts";

function checkScale(op: string, inputs: Types, attrs: Attrs): void {
  const [x, scale] = [type(op, inputs, 0), floatType(op, inputs, 1)];
  if (scale.shape.length > 1) throw typeError(op, inputs, "the scale must be a scalar or one number per channel");
  if (scale.shape.length === 1 && scale.shape[0] !== 1) {
    const axis = axisOf(op, inputs, num(attrs, "axis", 1), x.shape.length);
    if (scale.shape[0] !== x.shape[axis]) throw typeError(op, inputs, `the scale does not fit axis ${axis}`);
  }
}

/** The parameter of the element at `c`: one for all, or one per index of the axis. */
function parameter(t: RefTensor | null | undefined, c: readonly number[], shape: Shape, attrs: Attrs): number {
  if (!t) return 0;
  if (t.data.length === 1) return flat(t, 0);
  return at(t, [c[axisOf("Quantize", [], num(attrs, "axis", 1), shape.length)] ?? 0]);
}

const DequantizeLinear = defineOp({
  name: "DequantizeLinear",
  infer: (inputs, attrs) => {
    checkScale("DequantizeLinear", inputs, attrs);
    return [{ dtype: type("DequantizeLinear", inputs, 1).dtype, shape: type("DequantizeLinear", inputs, 0).shape }];
  },
  reference: (inputs, attrs) => {
    const [x, scale] = [ref(inputs, 0), ref(inputs, 1)];
    return [build(x.shape, (c, i) => (flat(x, i) - parameter(inputs[2], c, x.shape, attrs)) * parameter(scale, c, x.shape, attrs))];
  },
  vjp: (c) => {
    const { b } = c;
    const [x, scale] = [inputOf(c, 0), inputOf(c, 1)];
    if (!c.needs[1]) return [];
    const zero = c.inputs[2];
    const rank = x.shape.length;
    const one = scale.shape.length === 0 || scale.shape[0] === 1;
    const axis = one ? 0 : axisOf("DequantizeLinear", [], num(c.attrs, "axis", 1), rank);
    const spread = [...x.shape.keys()].map((i) => (!one && i === axis ? (x.shape[i] ?? 1) : 1));
    const steps = b.cast(x, scale.dtype);
    const centred = zero ? b.sub(steps, b.reshape(b.cast(zero, scale.dtype), spread)) : steps;
    const axes = [...x.shape.keys()].filter((i) => one || i !== axis);
    return [null, b.reshape(b.sum(b.mul(dyOf(c), centred), axes), scale.shape)];
  },
  samples: (rng) => [
    { inputs: [integers(rng, [2, 3], -128, 128, "int8"), uniform(rng, [], 0.01, 0.1), integers(rng, [], -5, 5, "int8")] },
    {
      inputs: [integers(rng, [2, 3, 2], 0, 256, "uint8"), uniform(rng, [3], 0.01, 0.1), integers(rng, [3], 0, 9, "uint8")],
      attrs: { axis: 1 },
    },
    { inputs: [integers(rng, [4], -128, 128, "int8"), uniform(rng, [], 0.01, 0.1)] },
  ],
});

const QuantizeLinear = defineOp({
  name: "QuantizeLinear",
  infer: (inputs, attrs) => {
    checkScale("QuantizeLinear", inputs, attrs);
    const zero = inputs[2];
    if (zero && zero.dtype !== "int8" && zero.dtype !== "uint8")
      throw typeError("QuantizeLinear", inputs, "the zero point must be int8 or uint8");
    return [{ dtype: zero?.dtype ?? "uint8", shape: floatType("QuantizeLinear", inputs, 0).shape }];
  },
  reference: (inputs, attrs) => {
    const x = ref(inputs, 0);
    const signed = inputs[2]?.dtype === "int8";
    return [
      build(x.shape, (c, i) => {
        const v = flat(x, i) / parameter(inputs[1], c, x.shape, attrs);
        const r = Math.round(v);
        const even = Math.abs(v % 1) === 0.5 && r % 2 !== 0 ? r - 1 : r;
        return Math.min(signed ? 127 : 255, Math.max(signed ? -128 : 0, even + parameter(inputs[2], c, x.shape, attrs)));
      }),
    ];
  },
  vjp: nonDifferentiable("rounding is piecewise constant", "zero"),
  samples: (rng) => [
    { inputs: [uniform(rng, [2, 3]), uniform(rng, [], 0.01, 0.1), integers(rng, [], -5, 5, "int8")] },
    { inputs: [uniform(rng, [2, 3, 2]), uniform(rng, [3], 0.01, 0.1), integers(rng, [3], 0, 9, "uint8")], attrs: { axis: 1 } },
    { inputs: [uniform(rng, [1], 0, 2), uniform(rng, [], 0.01, 0.1), integers(rng, [], 0, 1, "uint8")] },
  ],
});

export const quantizers: readonly OpRow[] = [DequantizeLinear, QuantizeLinear];
