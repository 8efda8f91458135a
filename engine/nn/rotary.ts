import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/value.ts";

/**
 * Rotary embedding of adjacent channel pairs: (x₂ₖ, x₂ₖ₊₁) turns by the angle θₖ of its token.
 * The result lists all first components, then all second ones: the same order for queries and keys, so q·k is what it would
 * be in the original order, and interleaving them again is saved.
 * @param x [B, S, H, D]
 * @param cos [S, D/2]
 * @param sin [S, D/2]
 */
export function rotatePairs(b: Builder, x: Value, cos: Value, sin: Value): Value {
  const [batch = 1, tokens = 0, heads = 0, width = 0] = x.shape;
  const half = width / 2;
  const [first = x, second = x] = b
    .split(b.reshape(x, [batch, tokens, heads, half, 2]), [1, 1], 4)
    .map((v) => b.reshape(v, [batch, tokens, heads, half]));
  const c = b.reshape(cos, [tokens, 1, half]);
  const s = b.reshape(sin, [tokens, 1, half]);
  return b.concat([b.sub(b.mul(first, c), b.mul(second, s)), b.add(b.mul(first, s), b.mul(second, c))], 3);
}
