// The vision tower of Qwen2.5-VL as a graph: patches in, one state per merged token out, in raster order.
import type { Builder } from "../../../../engine/ir/builder.ts";
import type { Value } from "../../../../engine/ir/value.ts";
import { attention } from "../../../../engine/nn/attention.ts";
import { linear } from "../../../../engine/nn/linear.ts";
import { rmsNorm } from "../../../../engine/nn/rms-norm.ts";
import { rotateHalf, swiGlu } from "../language-model.ts";
import type { TextEncoderConfig } from "../text-encoder-config.ts";
import type { TextWeights } from "../text-weights.ts";

export interface VisionInputs {
  /** [patches, 3·2·patch²], merge order. */
  readonly patches: Value;
  /** [patches, 1, headDim]. */
  readonly cos: Value;
  readonly sin: Value;
  /** Windows as a batch (vision-layout.ts): int64 [count·length], int64 [patches], float32 [count, 1, 1, length]. */
  readonly gather: Value;
  readonly scatter: Value;
  readonly mask: Value;
}

/** [patches / merge², hidden of the language model]. */
export function buildVisionTower(b: Builder, config: TextEncoderConfig["vision"], weights: TextWeights, inputs: VisionInputs): Value {
  const size = inputs.patches.shape[1] ?? 0;
  let x = b.scope("visual.patch_embed", () => {
    // A 3-D convolution whose kernel is its stride is a Linear on flattened patches.
    const params = weights.linear(b, "visual.patch_embed.proj");
    return linear(b, inputs.patches, { ...params, weight: b.reshape(b.cast(params.weight, "float32"), [config.hidden, size]) });
  });
  for (let i = 0; i < config.depth; i++)
    x = b.scope(`visual.blocks.${i}`, () => block(b, config, weights, `visual.blocks.${i}`, x, inputs, config.fullAttention.includes(i)));
  return b.scope("visual.merger", () => {
    const merged = config.merge ** 2;
    const rows = b.reshape(rmsNorm(b, x, weights.vector(b, "visual.merger.ln_q.weight"), config.eps), [-1, merged * config.hidden]);
    const h = b.gelu(linear(b, rows, weights.linear(b, "visual.merger.mlp.0")), "none");
    return linear(b, h, weights.linear(b, "visual.merger.mlp.2"));
  });
}

function block(
  b: Builder,
  config: TextEncoderConfig["vision"],
  weights: TextWeights,
  name: string,
  x: Value,
  inputs: VisionInputs,
  full: boolean,
): Value {
  const { hidden, heads, eps } = config;
  const patches = x.shape[0] ?? 0;
  const headDim = hidden / heads;
  const y = rmsNorm(b, x, weights.vector(b, `${name}.norm1.weight`), eps);
  const qkv = b.reshape(linear(b, y, weights.linear(b, `${name}.attn.qkv`)), [patches, 3 * heads, headDim]);
  const third = (i: number) => b.slice(qkv, 1, i * heads, (i + 1) * heads);
  const q = rotateHalf(b, third(0), inputs.cos, inputs.sin);
  const k = rotateHalf(b, third(1), inputs.cos, inputs.sin);
  const v = third(2);
  const attended = full ? fullAttention(b, q, k, v) : windowAttention(b, q, k, v, inputs);
  const h = b.add(x, linear(b, b.reshape(attended, [patches, hidden]), weights.linear(b, `${name}.attn.proj`)));
  return b.add(h, swiGlu(b, weights, `${name}.mlp`, rmsNorm(b, h, weights.vector(b, `${name}.norm2.weight`), eps)));
}

/** Every patch attends to every patch. [patches, heads, headDim]. */
function fullAttention(b: Builder, q: Value, k: Value, v: Value): Value {
  const byHead = (t: Value) => b.transpose(t, [1, 0, 2]);
  return byHead(attention(b, byHead(q), byHead(k), byHead(v)));
}

/** A patch attends to its window: windows are a batch of equal length, the padded keys of smaller ones hidden. */
function windowAttention(b: Builder, q: Value, k: Value, v: Value, { gather, scatter, mask }: VisionInputs): Value {
  const [, heads = 1, headDim = 1] = q.shape;
  const [count = 1, , , length = 1] = mask.shape;
  const batch = (t: Value) => b.transpose(b.reshape(b.gather(t, gather, 0), [count, length, heads, headDim]), [0, 2, 1, 3]);
  const out = b.transpose(attention(b, batch(q), batch(k), batch(v), { mask }), [0, 2, 1, 3]);
  return b.gather(b.reshape(out, [count * length, heads, headDim]), scatter, 0);
}
