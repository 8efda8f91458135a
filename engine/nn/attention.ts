import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/value.ts";
import { sizeOf } from "../tensor/shape.ts";

/** Score elements kept at once: 2^26, 256 MiB in float32. The heads of a 1024² picture would need gigabytes. */
const MAX_SCORES = 2 ** 26;

/**
 * softmax(q·kᵀ/√d + mask)·v over the last two axes: q [..., N, d], k [..., M, d], v [..., M, e] → [..., N, e]; leading axes
 * broadcast. Queries go in chunks when the scores are many; the result is the same.
 * @param mask added to the scores, broadcast to [..., N, M]
 */
export function attention(
  b: Builder,
  q: Value,
  k: Value,
  v: Value,
  options: { readonly mask?: Value | null; readonly maxScores?: number } = {},
): Value {
  const rank = k.shape.length;
  const axis = q.shape.length - 2;
  const [n = 1, d = 1] = q.shape.slice(-2);
  const keys = b.transpose(k, [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2]);
  const rowScores = (sizeOf(q.shape) / (n * d)) * (k.shape[rank - 2] ?? 1);
  const chunk = Math.max(1, Math.min(n, Math.floor((options.maxScores ?? MAX_SCORES) / rowScores)));
  const sizes = Array.from({ length: Math.ceil(n / chunk) }, (_, i) => Math.min(chunk, n - i * chunk));
  const { mask } = options;
  const maskAxis = mask ? mask.shape.length - 2 : 0;
  const masks = mask && mask.shape[maskAxis] === n && n > 1 ? b.split(mask, sizes, maskAxis) : sizes.map(() => mask ?? null);
  const parts = b.split(b.mul(q, 1 / Math.sqrt(d)), sizes, axis).map((part, i) => {
    const scores = b.matmul(part, keys);
    const extra = masks[i];
    return b.matmul(b.softmax(extra ? b.add(scores, extra) : scores, -1), v);
  });
  return b.concat(parts, axis);
}
