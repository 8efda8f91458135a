// Flash-style backward: the scores are computed again, a few heads at a time. With P = softmax(s·QKᵀ + bias) and
// D = rowsum(O∘dO) = rowsum(P∘dP):
//   dV = PᵀdO    dP = dO·Vᵀ    dS = P∘(dP − D)    dQ = s·dS·K    dK = s·dSᵀQ
import type { Builder } from "../ir/builder.ts";
import type { Value } from "../ir/value.ts";
import { num } from "./check.ts";
import type { Vjp, VjpContext } from "./define-op.ts";
import { dyOf, inputOf, outputOf } from "./gradient.ts";
import { transposeLast } from "./matmul.ts";

/** Scores held at once: 2^22, 16 MiB in float32. One head at a time beats all heads from about 1,000 tokens on. */
const MAX_SCORES = 2 ** 22;

/** [B,S,H·d] → [B,H,S,d]. */
export function headsFirst(b: Builder, x: Value, heads: number): Value {
  const [batch = 1, s = 0, width = 0] = x.shape;
  return b.transpose(b.reshape(x, [batch, s, heads, width / heads]), [0, 2, 1, 3]);
}

/** [B,H,S,d] → [B,S,H·d]. */
export function headsLast(b: Builder, x: Value): Value {
  const [batch = 1, heads = 1, s = 0, d = 0] = x.shape;
  return b.reshape(b.transpose(x, [0, 2, 1, 3]), [batch, s, heads * d]);
}

/** `x`, but not before `after` is computed: keeps one chunk's scores in memory at a time. */
function afterValue(b: Builder, x: Value, after: Value): Value {
  const corner = after.shape.reduce((v, _, axis) => b.slice(v, axis, 0, 1), after);
  return b.add(x, b.mul(corner, 0));
}

/** The gradients of q, k, v and bias, `maxScores` at a time. */
export function attentionBackward(c: VjpContext, maxScores: number): readonly (Value | null)[] {
  const { b } = c;
  const heads = num(c.attrs, "num_heads");
  const [q, k, v, dy] = [inputOf(c, 0), inputOf(c, 1), inputOf(c, 2), dyOf(c)].map((x) => headsFirst(b, x, heads));
  if (!q || !k || !v || !dy) return [];
  const bias = c.inputs[5] ?? null;
  const [batch = 1, , n = 1, d = 1] = q.shape;
  const scale = num(c.attrs, "scale", 1 / Math.sqrt(d));
  const rows = headsFirst(b, b.mul(outputOf(c, 0), dyOf(c)), heads);
  const chunk = Math.max(1, Math.min(heads, Math.floor(maxScores / (batch * n * (k.shape[2] ?? 1)))));
  const sizes = Array.from({ length: Math.ceil(heads / chunk) }, (_, i) => Math.min(chunk, heads - i * chunk));
  const cut = (x: Value) => b.split(x, sizes, 1);
  const [qs, ks, vs, dys, ds] = [b.mul(q, scale), k, v, dy, b.sum(rows, [3])].map(cut);
  const biases = bias && bias.shape[1] !== 1 ? cut(bias) : sizes.map(() => bias);
  const gradients: { dq: Value; dk: Value; dv: Value; dBias: Value | null }[] = [];
  sizes.forEach((_, i) => {
    const [qi, ki, vi, dyi, di] = [qs?.[i], ks?.[i], vs?.[i], dys?.[i], ds?.[i]];
    if (!qi || !ki || !vi || !dyi || !di) return;
    const last = gradients.at(-1);
    const first = last ? afterValue(b, qi, last.dq) : qi;
    const scores = b.matmul(first, transposeLast(b, ki));
    const own = biases[i];
    const p = b.softmax(own ? b.add(scores, own) : scores, -1);
    const dv = b.matmul(transposeLast(b, p), dyi);
    const dScores = b.mul(p, b.sub(b.matmul(dyi, transposeLast(b, vi)), di));
    const dq = b.mul(b.matmul(dScores, ki), scale);
    const dk = b.matmul(transposeLast(b, dScores), qi);
    gradients.push({ dq, dk, dv, dBias: c.needs[5] && bias ? overBatch(b, dScores, bias) : null });
  });
  const joined = (of: (g: (typeof gradients)[number]) => Value) => headsLast(b, b.concat(gradients.map(of), 1));
  const dBiases = gradients.flatMap((g) => (g.dBias ? [g.dBias] : []));
  const sumOfChunks = () => dBiases.reduce<Value | null>((a, g) => (a ? b.add(a, g) : g), null);
  return [
    c.needs[0] ? joined((g) => g.dq) : null,
    c.needs[1] ? joined((g) => g.dk) : null,
    c.needs[2] ? joined((g) => g.dv) : null,
    null,
    null,
    c.needs[5] && bias ? (bias.shape[1] === 1 ? sumOfChunks() : b.concat(dBiases, 1)) : null,
  ];
}

/** Sums a chunk's score gradients over the axes its bias was broadcast on. */
function overBatch(b: Builder, g: Value, bias: Value): Value {
  const axes = [0, 1].filter((axis) => bias.shape[axis] === 1 && g.shape[axis] !== 1);
  return axes.length ? b.sum(g, axes) : g;
}

export const attentionRule: Vjp = (c) => attentionBackward(c, MAX_SCORES);
