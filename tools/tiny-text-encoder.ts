import { randomSource } from "../engine/base/random.ts";
import type { Tensor } from "../engine/tensor/tensor.ts";
import type { HfConfig } from "../nodes/qwen/text/text-encoder-config.ts";
import { filledWeights, linearSpecs, normSpec, type WeightSpec } from "./weight-spec.ts";

export interface TinyTextEncoderSizes {
  readonly vocab: number;
  readonly hidden: number;
  readonly intermediate: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly vision: {
    readonly hidden: number;
    readonly intermediate: number;
    readonly depth: number;
    readonly heads: number;
    readonly fullAttention: readonly number[];
  };
}

/** Everything the real one has, small: grouped queries, three rotary sections, one windowed and one full vision block. */
export const TINY_TEXT_ENCODER: TinyTextEncoderSizes = {
  vocab: 1024,
  hidden: 64,
  intermediate: 128,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  headDim: 16,
  vision: { hidden: 32, intermediate: 64, depth: 2, heads: 2, fullAttention: [1] },
};

/** Patch side, frames per patch, patches per side of a token: the same in every Qwen2.5-VL. */
const [PATCH, FRAMES, MERGE] = [14, 2, 2];

/** A text encoder to be written to disk: `metadata.config` says what no tensor shape can. */
export interface TinyTextEncoder {
  readonly tensors: Map<string, Tensor<"float32">>;
  readonly metadata: { readonly config: string };
}

/** The weights of a Qwen2.5-VL (variance 1/fan-in), under the names of ComfyUI's single file. */
export function textEncoderSpecs({
  hidden,
  intermediate,
  layers,
  heads,
  kvHeads,
  headDim,
  vision,
  vocab,
}: TinyTextEncoderSizes): WeightSpec[] {
  const noBias = { bias: false };
  const merged = MERGE * MERGE * vision.hidden;
  const visionBlock = (block: string): WeightSpec[] => [
    normSpec(`${block}.norm1.weight`, [vision.hidden]),
    normSpec(`${block}.norm2.weight`, [vision.hidden]),
    ...linearSpecs(`${block}.attn.qkv`, 3 * vision.hidden, vision.hidden),
    ...linearSpecs(`${block}.attn.proj`, vision.hidden, vision.hidden),
    ...linearSpecs(`${block}.mlp.gate_proj`, vision.intermediate, vision.hidden),
    ...linearSpecs(`${block}.mlp.up_proj`, vision.intermediate, vision.hidden),
    ...linearSpecs(`${block}.mlp.down_proj`, vision.hidden, vision.intermediate),
  ];
  const languageLayer = (layer: string): WeightSpec[] => [
    ...linearSpecs(`${layer}.self_attn.q_proj`, heads * headDim, hidden),
    ...linearSpecs(`${layer}.self_attn.k_proj`, kvHeads * headDim, hidden),
    ...linearSpecs(`${layer}.self_attn.v_proj`, kvHeads * headDim, hidden),
    ...linearSpecs(`${layer}.self_attn.o_proj`, hidden, heads * headDim, noBias),
    ...linearSpecs(`${layer}.mlp.gate_proj`, intermediate, hidden, noBias),
    ...linearSpecs(`${layer}.mlp.up_proj`, intermediate, hidden, noBias),
    ...linearSpecs(`${layer}.mlp.down_proj`, hidden, intermediate, noBias),
    normSpec(`${layer}.input_layernorm.weight`, [hidden]),
    normSpec(`${layer}.post_attention_layernorm.weight`, [hidden]),
  ];
  return [
    {
      name: "visual.patch_embed.proj.weight",
      shape: [vision.hidden, 3, FRAMES, PATCH, PATCH],
      fill: { std: 1 / Math.sqrt(3 * FRAMES * PATCH * PATCH) },
    },
    ...Array.from({ length: vision.depth }, (_, i) => visionBlock(`visual.blocks.${i}`)).flat(),
    normSpec("visual.merger.ln_q.weight", [vision.hidden]),
    ...linearSpecs("visual.merger.mlp.0", merged, merged),
    ...linearSpecs("visual.merger.mlp.2", hidden, merged),
    { name: "model.embed_tokens.weight", shape: [vocab, hidden], fill: { std: 1 } },
    ...Array.from({ length: layers }, (_, i) => languageLayer(`model.layers.${i}`)).flat(),
    normSpec("model.norm.weight", [hidden]),
  ];
}

/** A Qwen2.5-VL with random weights. */
export function tinyTextEncoder(seed: number, sizes: TinyTextEncoderSizes = TINY_TEXT_ENCODER): TinyTextEncoder {
  const { heads, headDim, vision } = sizes;
  // The real sections are a quarter, three eighths and three eighths of the pairs.
  const pairs = headDim / 2;
  const rows = Math.round((3 * pairs) / 8);
  const config: HfConfig = {
    model_type: "qwen2_5_vl",
    num_attention_heads: heads,
    rms_norm_eps: 1e-6,
    rope_theta: 1e6,
    rope_scaling: { mrope_section: [pairs - 2 * rows, rows, rows] },
    vision_config: { num_heads: vision.heads, fullatt_block_indexes: [...vision.fullAttention], window_size: 112 },
  };
  return { tensors: filledWeights(textEncoderSpecs(sizes), randomSource(seed)), metadata: { config: JSON.stringify(config) } };
}
