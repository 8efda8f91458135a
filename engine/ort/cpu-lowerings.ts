// Ops whose kernel in ONNX Runtime 1.29's CPU provider is slower than the same function built from vectorised ops.
import { axisOf, num } from "../ops/check.ts";
import { isOnes } from "../ops/norm-gradient.ts";
import type { Lowerings } from "./lower.ts";

export const cpuLowerings: Lowerings = {
  // The kernel takes one element at a time, 4 ns each: seven times as long as these passes.
  LayerNormalization: (b, node, [x, scale, bias]) => {
    if (!x || !scale || (x.dtype !== "float32" && x.dtype !== "float64")) return null;
    const axis = axisOf("LayerNormalization", [x], num(node.attrs, "axis", -1), x.shape.length);
    const axes = Array.from({ length: x.shape.length - axis }, (_, i) => axis + i);
    const mean = b.mean(x, axes);
    const centred = b.sub(x, mean);
    const variance = b.mean(b.mul(centred, centred), axes);
    const inv = b.one("Reciprocal", [b.sqrt(b.add(variance, num(node.attrs, "epsilon", 1e-5)))]);
    const normal = b.mul(centred, inv);
    const scaled = isOnes(scale) ? normal : b.mul(normal, scale);
    return [bias ? b.add(scaled, bias) : scaled, mean, inv];
  },
  // The kernel branches per element and mispredicts half of the branches. The factor is the gradient's too, and then computed once.
  PRelu: (b, _, [x, slope]) => (x && slope ? [b.mul(x, b.where(b.one("Greater", [x, b.scalar(0, x.dtype)]), 1, slope))] : null),
};
