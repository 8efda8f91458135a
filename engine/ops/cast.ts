import { AppError } from "../base/errors.ts";
import type { Attrs } from "../ir/value.ts";
import { DTYPES, type DType, isFloat } from "../tensor/dtype.ts";
import { ref, type } from "./check.ts";
import { defineOp, type OpRow } from "./define-op.ts";
import { bools, integers, uniform } from "./draw.ts";
import { movementRule } from "./gradient.ts";
import { broadcast } from "./reference.ts";

/** The target dtype of a Cast. */
export function castTarget(attrs: Attrs): DType {
  const to = DTYPES.find((d) => d === attrs.to);
  if (!to) throw new AppError("OP_ATTR", `Cast: ${String(attrs.to)} is no element type`);
  return to;
}

const Cast = defineOp({
  name: "Cast",
  elementwise: true,
  infer: (inputs, attrs) => [{ dtype: castTarget(attrs), shape: type("Cast", inputs, 0).shape }],
  // Between float types the reference keeps full precision: rounding has no derivative.
  reference: (inputs, attrs) => {
    const to = castTarget(attrs);
    if (to === "bool") return [broadcast((x) => Number(x !== 0), ref(inputs, 0))];
    return [broadcast((x) => (isFloat(to) ? x : Math.trunc(x)), ref(inputs, 0))];
  },
  vjp: (c) => {
    const [x] = c.inputs;
    const [dy] = c.dys;
    return [x && dy && isFloat(x.dtype) && isFloat(dy.dtype) ? c.b.cast(dy, x.dtype) : null];
  },
  samples: (rng) => [
    { inputs: [uniform(rng, [2, 3])], attrs: { to: "float64" } },
    { inputs: [uniform(rng, [4], -9, 9)], attrs: { to: "int64" }, diff: [] },
    { inputs: [integers(rng, [4], -1, 2, "float32")], attrs: { to: "bool" }, diff: [] },
    { inputs: [integers(rng, [2, 2], -9, 9)], attrs: { to: "float32" } },
    { inputs: [bools(rng, [0, 2])], attrs: { to: "float32" } },
  ],
});

const Identity = defineOp({
  name: "Identity",
  elementwise: true,
  infer: (inputs) => {
    const t = type("Identity", inputs, 0);
    return [{ dtype: t.dtype, shape: t.shape }];
  },
  reference: (inputs) => [ref(inputs, 0)],
  vjp: movementRule((_, dy) => dy),
  samples: (rng) => [{ inputs: [uniform(rng, [2, 3])] }, { inputs: [uniform(rng, [])] }, { inputs: [uniform(rng, [0])] }],
});

export const casts: readonly OpRow[] = [Cast, Identity];
