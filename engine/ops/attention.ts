import type { TypeInfo } from "../ir/value.ts";
import { attentionRule } from "./attention-gradient.ts";
import { floatType, num, oneDType, ref, typeError } from "./check.ts";
import { defineOp, type OpRow } from "./define-op.ts";
import { uniform } from "./draw.ts";
import { at, build } from "./reference.ts";

const NAME = "MultiHeadAttention";

/**
 * Fused attention: q [B,N,H·d], k [B,M,H·d], v [B,M,H·e] → [B,N,H·e]. On the CPU it never holds the N×M scores, and is twice
 * as fast as MatMul, Softmax, MatMul. Inputs 3 and 4 (bias, padding mask) stay empty; 5 is added to the scores, [B|1,H|1,N,M].
 */
const MultiHeadAttention = defineOp({
  name: NAME,
  domain: "com.microsoft",
  infer: (inputs, attrs): TypeInfo[] => {
    const [q, k, v] = [0, 1, 2].map((i) => floatType(NAME, inputs, i).shape);
    const heads = num(attrs, "num_heads");
    if (q?.length !== 3 || k?.length !== 3 || v?.length !== 3) throw typeError(NAME, inputs, "needs [B,S,H·d] three times");
    if (inputs[3] || inputs[4]) throw typeError(NAME, inputs, "projection bias and padding mask are not supported: use the score bias");
    if (q[0] !== k[0] || k[0] !== v[0] || k[1] !== v[1] || q[2] !== k[2]) throw typeError(NAME, inputs, "q, k and v do not fit");
    if ((q[2] ?? 0) % heads !== 0 || (v[2] ?? 0) % heads !== 0) throw typeError(NAME, inputs, `${heads} heads do not divide the channels`);
    const [n = 0, m = 0] = [q[1], k[1]];
    const bias = inputs[5]?.shape;
    const fits = (d: number | undefined, full: number) => d === 1 || d === full;
    if (bias && !(bias.length === 4 && fits(bias[0], q[0] ?? 1) && fits(bias[1], heads) && bias[2] === n && bias[3] === m))
      throw typeError(NAME, inputs, "the score bias must be [B|1,H|1,N,M]");
    return [{ dtype: oneDType(NAME, inputs), shape: [q[0] ?? 1, n, v[2] ?? 0] }];
  },
  reference: (inputs, attrs) => {
    const [q, k, v] = [ref(inputs, 0), ref(inputs, 1), ref(inputs, 2)];
    const bias = inputs[5];
    const heads = num(attrs, "num_heads");
    const [d, e] = [(q.shape[2] ?? 0) / heads, (v.shape[2] ?? 0) / heads];
    const scale = num(attrs, "scale", 1 / Math.sqrt(d));
    return [
      build([q.shape[0] ?? 1, q.shape[1] ?? 0, heads * e], (c) => {
        const [n = 0, i = 0, channel = 0] = c;
        const h = Math.floor(channel / e);
        const scores = Array.from({ length: k.shape[1] ?? 0 }, (_, j) => {
          let s = 0;
          for (let x = 0; x < d; x++) s += at(q, [n, i, h * d + x]) * at(k, [n, j, h * d + x]);
          return s * scale + (bias ? at(bias, [n, h, i, j]) : 0);
        });
        const top = Math.max(...scores);
        const weights = scores.map((s) => Math.exp(s - top));
        const total = weights.reduce((a, w) => a + w, 0);
        return weights.reduce((a, w, j) => a + (w / total) * at(v, [n, j, channel]), 0);
      }),
    ];
  },
  vjp: attentionRule,
  samples: (rng) => [
    { inputs: [uniform(rng, [2, 3, 8]), uniform(rng, [2, 4, 8]), uniform(rng, [2, 4, 8])], attrs: { num_heads: 2 } },
    { inputs: [uniform(rng, [1, 5, 6]), uniform(rng, [1, 5, 6]), uniform(rng, [1, 5, 9])], attrs: { num_heads: 3, scale: 0.5 } },
    {
      inputs: [uniform(rng, [2, 3, 4]), uniform(rng, [2, 2, 4]), uniform(rng, [2, 2, 4]), null, null, uniform(rng, [1, 2, 3, 2])],
      attrs: { num_heads: 2 },
    },
    {
      inputs: [uniform(rng, [2, 3, 4]), uniform(rng, [2, 2, 4]), uniform(rng, [2, 2, 4]), null, null, uniform(rng, [2, 1, 3, 2])],
      attrs: { num_heads: 2 },
    },
    { inputs: [uniform(rng, [1, 1, 1]), uniform(rng, [1, 1, 1]), uniform(rng, [1, 1, 1])], attrs: { num_heads: 1 } },
  ],
});

export const attentions: readonly OpRow[] = [MultiHeadAttention];
