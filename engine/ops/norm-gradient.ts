// Normalisation gradients. With x̂ the normalised input, g = dy·scale and r = 1/σ:
//   dx = r·(g − mean(g) − x̂·mean(g·x̂))      (no mean(g) for RMS)
// Layer normalisation of u = g − x̂·mean(g·x̂) gives (u − mean u)·r_u, so dx = LN(u)·(r/r_u): one fused kernel instead of
// a mean, a subtraction and a pass. r_u carries the same epsilon as LN(u), so the quotient is exact.
import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/value.ts";
import { sizeOf } from "../tensor/shape.ts";
import { axisOf, num } from "./check.ts";
import type { Vjp, VjpContext } from "./define-op.ts";
import { inputOf, outputOf } from "./gradient.ts";

/** True when a value is known to hold only ones. */
export function isOnes(v: Value): boolean {
  if (v.def.kind === "constant") {
    const { dtype, data } = v.def.tensor;
    return (dtype === "float32" || dtype === "float64") && data.every((x: number | bigint) => x === 1);
  }
  if (v.def.kind !== "node" || v.def.node.op !== "Expand") return false;
  const [inner] = v.def.node.inputs;
  return inner !== null && inner !== undefined && isOnes(inner);
}

/** dscale and dbias: sums over the leading axes. */
function affine(c: VjpContext, dy: Value | null, normalised: () => Value, axis: number): (Value | null)[] {
  const lead = Array.from({ length: axis }, (_, i) => i);
  const total = (v: Value) => (lead.length ? c.b.sum(v, lead, false) : v);
  return [c.needs[1] && dy ? total(c.b.mul(dy, normalised())) : null, c.needs[2] && dy ? total(dy) : null].slice(0, c.inputs.length - 1);
}

function plus(b: Builder, a: Value | null, c: Value | null): Value | null {
  return a && c ? b.add(a, c) : (a ?? c);
}

/** Gradient of LayerNormalization, its statistics included. */
export const layerNormRule: Vjp = (c) => {
  const { b, attrs } = c;
  const [x, scale] = [inputOf(c, 0), inputOf(c, 1)];
  const [y, mean, inv] = [outputOf(c, 0), outputOf(c, 1), outputOf(c, 2)];
  const axis = axisOf("LayerNormalization", [], num(attrs, "axis", -1), x.shape.length);
  const axes = Array.from({ length: x.shape.length - axis }, (_, i) => axis + i);
  const n = sizeOf(x.shape.slice(axis));
  const [dy = null, dMean = null, dInv = null] = c.dys;
  const r = b.cast(inv, x.dtype);
  const plain = isOnes(scale) && !c.inputs[2];
  const normalised = () => (plain ? y : b.mul(b.sub(x, b.cast(mean, x.dtype)), r));
  let dx: Value | null = null;
  if (c.needs[0] && dy) {
    const g = isOnes(scale) ? dy : b.mul(dy, scale);
    const xhat = normalised();
    const u = b.sub(g, b.mul(xhat, b.mean(b.mul(g, xhat), axes)));
    const ones = isOnes(scale) ? scale : b.expand(b.scalar(1, x.dtype), scale.shape);
    const [centred, , rOfU] = b.op("LayerNormalization", [u, ones], { ...attrs });
    if (centred && rOfU) dx = b.mul(centred, b.div(r, b.cast(rOfU, x.dtype)));
  }
  if (c.needs[0] && dMean) dx = plus(b, dx, b.mul(b.cast(dMean, x.dtype), 1 / n));
  if (c.needs[0] && dInv) dx = plus(b, dx, b.mul(normalised(), b.mul(b.cast(dInv, x.dtype), b.mul(b.mul(r, r), -1 / n))));
  return [dx, ...affine(c, dy, normalised, axis)];
};

/** Gradient of SimplifiedLayerNormalization (RMS). 1/σ is computed again, in float32 like the op's own. */
export const rmsNormRule: Vjp = (c) => {
  const { b, attrs } = c;
  const [x, scale] = [inputOf(c, 0), inputOf(c, 1)];
  const axis = axisOf("SimplifiedLayerNormalization", [], num(attrs, "axis", -1), x.shape.length);
  const axes = Array.from({ length: x.shape.length - axis }, (_, i) => axis + i);
  const [dy = null] = c.dys;
  const wide = x.dtype === "float64" ? x : b.cast(x, "float32");
  const square = b.mean(b.mul(wide, wide), axes);
  const r = b.cast(b.one("Reciprocal", [b.sqrt(b.add(square, num(attrs, "epsilon", 1e-5)))]), x.dtype);
  const normalised = () => (isOnes(scale) ? outputOf(c, 0) : b.mul(x, r));
  let dx: Value | null = null;
  if (c.needs[0] && dy) {
    const g = isOnes(scale) ? dy : b.mul(dy, scale);
    // x̂·mean(g·x̂)·r = x·(r³·mean(g·x)), which spares the pass that would make x̂.
    const along = b.mul(b.mean(b.mul(g, x), axes), b.mul(r, b.mul(r, r)));
    dx = b.sub(b.mul(g, r), b.mul(x, along));
  }
  return [dx, ...affine(c, dy, normalised, axis)];
};
