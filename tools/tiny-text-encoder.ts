import { randomSource } from "../engine/base/random.ts";
import { sizeOf } from "../engine/tensor/shape.ts";
import { f32, type Tensor } from "../engine/tensor/tensor.ts";
import type { HfConfig } from "../nodes/qwen/text/text-encoder-config.ts";

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

/** A Qwen2.5-VL with random weights (variance 1/fan-in) under the names of ComfyUI's single file. */
export function tinyTextEncoder(seed: number, sizes: TinyTextEncoderSizes = TINY_TEXT_ENCODER): TinyTextEncoder {
  const rng = randomSource(seed);
  const tensors = new Map<string, Tensor<"float32">>();
  const random = (name: string, shape: readonly number[], std: number): void => {
    const data = rng.normals(new Float32Array(sizeOf(shape)));
    tensors.set(
      name,
      f32(
        shape,
        data.map((x) => x * std),
      ),
    );
  };
  const linear = (name: string, out: number, width: number, bias: boolean): void => {
    random(`${name}.weight`, [out, width], 1 / Math.sqrt(width));
    if (bias) tensors.set(`${name}.bias`, f32([out], new Float32Array(out)));
  };
  const norm = (name: string, width: number): void => {
    tensors.set(`${name}.weight`, f32([width], new Float32Array(width).fill(1)));
  };
  const { hidden, intermediate, layers, heads, kvHeads, headDim, vision, vocab } = sizes;

  random("visual.patch_embed.proj.weight", [vision.hidden, 3, FRAMES, PATCH, PATCH], 1 / Math.sqrt(3 * FRAMES * PATCH * PATCH));
  for (let i = 0; i < vision.depth; i++) {
    const block = `visual.blocks.${i}`;
    norm(`${block}.norm1`, vision.hidden);
    norm(`${block}.norm2`, vision.hidden);
    linear(`${block}.attn.qkv`, 3 * vision.hidden, vision.hidden, true);
    linear(`${block}.attn.proj`, vision.hidden, vision.hidden, true);
    linear(`${block}.mlp.gate_proj`, vision.intermediate, vision.hidden, true);
    linear(`${block}.mlp.up_proj`, vision.intermediate, vision.hidden, true);
    linear(`${block}.mlp.down_proj`, vision.hidden, vision.intermediate, true);
  }
  const merged = MERGE * MERGE * vision.hidden;
  norm("visual.merger.ln_q", vision.hidden);
  linear("visual.merger.mlp.0", merged, merged, true);
  linear("visual.merger.mlp.2", hidden, merged, true);

  random("model.embed_tokens.weight", [vocab, hidden], 1);
  for (let i = 0; i < layers; i++) {
    const layer = `model.layers.${i}`;
    linear(`${layer}.self_attn.q_proj`, heads * headDim, hidden, true);
    linear(`${layer}.self_attn.k_proj`, kvHeads * headDim, hidden, true);
    linear(`${layer}.self_attn.v_proj`, kvHeads * headDim, hidden, true);
    linear(`${layer}.self_attn.o_proj`, hidden, heads * headDim, false);
    linear(`${layer}.mlp.gate_proj`, intermediate, hidden, false);
    linear(`${layer}.mlp.up_proj`, intermediate, hidden, false);
    linear(`${layer}.mlp.down_proj`, hidden, intermediate, false);
    norm(`${layer}.input_layernorm`, hidden);
    norm(`${layer}.post_attention_layernorm`, hidden);
  }
  norm("model.norm", hidden);

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
  return { tensors, metadata: { config: JSON.stringify(config) } };
}
