import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/value.ts";
import { tensor } from "../tensor/tensor.ts";

/**
 * Rotary embedding of adjacent channel pairs: (x₂ₖ, x₂ₖ₊₁) of every head turns by the angle θₖ of its token.
 * @param x [B, S, H, D]
 * @param cos [S, D/2]
 * @param sin [S, D/2]
 */
export function rotatePairs(b: Builder, x: Value, cos: Value, sin: Value): Value {
  const [batch = 1, tokens = 0, heads = 0, width = 0] = x.shape;
  const first = b.constant(tensor("int64", [1], BigInt64Array.of(0n)));
  const flat = b.reshape(x, [batch, tokens, heads * width]);
  return b.reshape(b.one("RotaryEmbedding", [flat, first, cos, sin], { interleaved: 1 }), x.shape);
}
