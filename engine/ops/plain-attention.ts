import type { Builder } from "../ir/builder.ts";
import type { Attrs, Value } from "../ir/value.ts";
import { headsFirst, headsLast } from "./attention-gradient.ts";
import { num } from "./check.ts";
import { transposeLast } from "./matmul.ts";

/** Score elements held at once: 2^26. */
const MAX_SCORES = 2 ** 26;

/** What MultiHeadAttention computes, as products and softmax over some queries at a time. Inputs and attributes are the op's. */
export function plainAttention(b: Builder, inputs: readonly (Value | null)[], attrs: Attrs, maxScores = MAX_SCORES): Value {
  const heads = num(attrs, "num_heads");
  const [q, k, v] = inputs.slice(0, 3).map((x) => x && headsFirst(b, x, heads));
  if (!q || !k || !v) throw new RangeError("attention needs queries, keys and values");
  const bias = inputs[5] ?? null;
  const [batch = 1, , n = 1, d = 1] = q.shape;
  const chunk = Math.max(1, Math.min(n, Math.floor(maxScores / (batch * heads * (k.shape[2] ?? 1)))));
  const sizes = Array.from({ length: Math.ceil(n / chunk) }, (_, i) => Math.min(chunk, n - i * chunk));
  const biases = bias ? b.split(bias, sizes, 2) : [];
  const keys = transposeLast(b, k);
  const parts = b.split(b.mul(q, num(attrs, "scale", 1 / Math.sqrt(d))), sizes, 2).map((part, i) => {
    const scores = b.matmul(part, keys);
    const own = biases[i];
    return b.matmul(b.softmax(own ? b.add(scores, own) : scores, -1), v);
  });
  return headsLast(b, b.concat(parts, 2));
}
