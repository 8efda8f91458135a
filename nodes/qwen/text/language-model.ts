// The language model of Qwen2.5-VL as a graph: embeddings in, normed states out.
import type { Builder } from "../../../engine/ir/builder.ts";
import type { Value } from "../../../engine/ir/value.ts";
import { attention } from "../../../engine/nn/attention.ts";
import { linear } from "../../../engine/nn/linear.ts";
import { rmsNorm } from "../../../engine/nn/rms-norm.ts";
import type { TextEncoderConfig } from "./text-encoder-config.ts";
import type { TextWeights } from "./text-weights.ts";

/** x·cos + rotate_half(x)·sin over the last axis; cos and sin broadcast. Pairs are (j, j + d/2). */
export function rotateHalf(b: Builder, x: Value, cos: Value, sin: Value): Value {
  const axis = x.shape.length - 1;
  const width = x.shape[axis] ?? 0;
  const turned = b.concat([b.neg(b.slice(x, axis, width / 2, width)), b.slice(x, axis, 0, width / 2)], axis);
  return b.add(b.mul(x, cos), b.mul(turned, sin));
}

/** down(SiLU(gate x) · up x). */
export function swiGlu(b: Builder, weights: TextWeights, name: string, x: Value): Value {
  const gate = b.silu(linear(b, x, weights.linear(b, `${name}.gate_proj`)));
  return linear(b, b.mul(gate, linear(b, x, weights.linear(b, `${name}.up_proj`))), weights.linear(b, `${name}.down_proj`));
}

export interface LanguageInputs {
  /** [M, hidden], or a batch [B, M, hidden]. */
  readonly embeds: Value;
  /** [M, headDim], or [B, 1, M, headDim]. */
  readonly cos: Value;
  readonly sin: Value;
  /** [M, M], added to the scores. */
  readonly mask: Value;
}

/** States after the final RMSNorm, in the shape of `embeds`. */
export function buildLanguageModel(b: Builder, config: TextEncoderConfig["language"], weights: TextWeights, inputs: LanguageInputs): Value {
  let x = inputs.embeds;
  for (let i = 0; i < config.layers; i++) x = b.scope(`model.layers.${i}`, () => layer(b, config, weights, `model.layers.${i}`, x, inputs));
  return b.scope("model.norm", () => rmsNorm(b, x, weights.vector(b, "model.norm.weight"), config.eps));
}

function layer(
  b: Builder,
  { heads, kvHeads, headDim, eps }: TextEncoderConfig["language"],
  weights: TextWeights,
  name: string,
  x: Value,
  { cos, sin, mask }: LanguageInputs,
): Value {
  const lead = x.shape.slice(0, -2);
  const tokens = x.shape.at(-2) ?? 0;
  const headsFirst = [...lead.keys(), lead.length + 1, lead.length, lead.length + 2];
  const y = rmsNorm(b, x, weights.vector(b, `${name}.input_layernorm.weight`), eps);
  const project = (part: string, n: number): Value =>
    b.transpose(b.reshape(linear(b, y, weights.linear(b, `${name}.self_attn.${part}_proj`)), [...lead, tokens, n, headDim]), headsFirst);
  // Query head q uses key head ⌊q/group⌋: the group is an axis that keys and values broadcast over.
  const q = b.reshape(rotateHalf(b, project("q", heads), cos, sin), [...lead, kvHeads, heads / kvHeads, tokens, headDim]);
  const k = b.reshape(rotateHalf(b, project("k", kvHeads), cos, sin), [...lead, kvHeads, 1, tokens, headDim]);
  const v = b.reshape(project("v", kvHeads), [...lead, kvHeads, 1, tokens, headDim]);
  const attended = b.reshape(attention(b, q, k, v, { mask }), [...lead, heads, tokens, headDim]);
  const joined = b.reshape(b.transpose(attended, headsFirst), [...lead, tokens, heads * headDim]);
  const h = b.add(x, linear(b, joined, weights.linear(b, `${name}.self_attn.o_proj`)));
  return b.add(h, swiGlu(b, weights, `${name}.mlp`, rmsNorm(b, h, weights.vector(b, `${name}.post_attention_layernorm.weight`), eps)));
}
