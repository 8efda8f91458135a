import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/value.ts";

/**
 * Adaptive layer norm: LN(x)·(1 + scale) + shift over the last axis, LN without parameters of its own.
 * @param x [B, n, D]
 * @param scale [B, D]
 * @param shift [B, D]
 */
export function modulatedLayerNorm(b: Builder, x: Value, scale: Value, shift: Value, eps: number): Value {
  const [batch = 1, , width = 0] = x.shape;
  const factor = b.add(scale, 1);
  // With one sample the modulation is LayerNormalization's own scale and bias: one kernel instead of three.
  if (batch === 1)
    return b.one("LayerNormalization", [x, b.reshape(factor, [width]), b.reshape(shift, [width])], { axis: -1, epsilon: eps });
  // Not a constant: ONNX Runtime fuses the Add before a LayerNormalization of constant scale into it, and the backward then
  // misses that Add's result.
  const ones = b.add(b.mul(b.reshape(b.slice(factor, 0, 0, 1), [width]), 0), 1);
  const normal = b.one("LayerNormalization", [x, ones], { axis: -1, epsilon: eps });
  return b.add(b.mul(normal, b.reshape(factor, [batch, 1, width])), b.reshape(shift, [batch, 1, width]));
}
