import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/value.ts";
import { sizeOf } from "../tensor/shape.ts";

/** Score elements kept at once: 2^26, 256 MiB in float32. The heads of a 1024² picture would need gigabytes. */
const MAX_SCORES = 2 ** 26;

/**
 * softmax(q·kᵀ/√d + mask)·v over the last two axes: q [..., N, d], k [..., M, d], v [..., M, e] → [..., N, e]; leading axes
 * broadcast. Where q, k and v are [B, N, d] or [B, H, N, d] with equal leading axes and the mask is per key, one fused kernel
 * computes it without holding N×M scores, and its backward pass goes a few heads at a time. Otherwise queries go in chunks when
 * the scores are many. The result is the same.
 * @param mask added to the scores, broadcast to [..., N, M]
 */
export function attention(
  b: Builder,
  q: Value,
  k: Value,
  v: Value,
  options: { readonly mask?: Value | null; readonly maxScores?: number } = {},
): Value {
  const mask = options.mask ?? null;
  return fusable(q, k, v, mask) ? fused(b, q, k, v, mask) : chunked(b, q, k, v, mask, options.maxScores ?? MAX_SCORES);
}

function fusable(q: Value, k: Value, v: Value, mask: Value | null): boolean {
  const rank = q.shape.length;
  const alike = (x: Value) => x.shape.length === rank && x.shape.slice(0, -2).every((d, i) => d === q.shape[i]);
  // One row of scores for all queries and heads: [B|1, …1, M].
  const perKey = !mask || mask.shape.slice(mask.shape.length === rank ? 1 : 0, -1).every((d) => d === 1);
  return (rank === 3 || rank === 4) && alike(k) && alike(v) && perKey && (!mask || mask.shape.length <= rank);
}

function fused(b: Builder, q: Value, k: Value, v: Value, mask: Value | null): Value {
  const [batch = 1, heads = 1] = q.shape.length === 4 ? q.shape : [q.shape[0] ?? 1, 1];
  const [n = 1, d = 1] = q.shape.slice(-2);
  const m = k.shape.at(-2) ?? 1;
  const scale = 1 / Math.sqrt(d);
  const flat = (x: Value) => {
    const [s = 1, width = 1] = x.shape.slice(-2);
    return b.reshape(x.shape.length === 4 ? b.transpose(x, [0, 2, 1, 3]) : x, [batch, s, heads * width]);
  };
  let [queries, keys] = [q, k];
  if (mask) {
    // A score bias would switch the kernel's memory saving off: as one more channel of q (1) and k (mask) it does not.
    const lead = q.shape.slice(0, -2);
    const column = b.reshape(b.mul(mask, 1 / scale), [
      mask.shape.length === q.shape.length ? (mask.shape[0] ?? 1) : 1,
      ...lead.slice(1).map(() => 1),
      -1,
      1,
    ]);
    queries = b.concat([q, b.expand(b.scalar(1, q.dtype), [...lead, n, 1])], lead.length + 1);
    keys = b.concat([k, b.expand(column, [...lead, m, 1])], lead.length + 1);
  }
  const y = b.one("MultiHeadAttention", [flat(queries), flat(keys), flat(v)], { num_heads: heads, scale });
  const e = v.shape.at(-1) ?? 1;
  return q.shape.length === 4 ? b.transpose(b.reshape(y, [batch, n, heads, e]), [0, 2, 1, 3]) : y;
}

function chunked(b: Builder, q: Value, k: Value, v: Value, mask: Value | null, maxScores: number): Value {
  const rank = k.shape.length;
  const axis = q.shape.length - 2;
  const [n = 1, d = 1] = q.shape.slice(-2);
  const keys = b.transpose(k, [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2]);
  const rowScores = (sizeOf(q.shape) / (n * d)) * (k.shape[rank - 2] ?? 1);
  const chunk = Math.max(1, Math.min(n, Math.floor(maxScores / rowScores)));
  const sizes = Array.from({ length: Math.ceil(n / chunk) }, (_, i) => Math.min(chunk, n - i * chunk));
  const maskAxis = mask ? mask.shape.length - 2 : 0;
  const masks = mask && mask.shape[maskAxis] === n && n > 1 ? b.split(mask, sizes, maskAxis) : sizes.map(() => mask);
  const parts = b.split(b.mul(q, 1 / Math.sqrt(d)), sizes, axis).map((part, i) => {
    const scores = b.matmul(part, keys);
    const extra = masks[i];
    return b.matmul(b.softmax(extra ? b.add(scores, extra) : scores, -1), v);
  });
  return b.concat(parts, axis);
}
