import { randomSource } from "../engine/base/random.ts";
import { f32, type Tensor } from "../engine/tensor/tensor.ts";

export interface TinyTransformerSizes {
  readonly layers: number;
  readonly heads: number;
  readonly headDim: number;
  /** Width of the text states: the text encoder's hidden size. */
  readonly jointAttentionDim: number;
  /** Rotary channels per axis; sums to headDim. */
  readonly axes: readonly [number, number, number];
  /** 2511: adds ComfyUI's marker. */
  readonly zeroCond: boolean;
}

/** Everything the real one has, a hundredth of its width. */
export const TINY_TRANSFORMER: TinyTransformerSizes = {
  layers: 4,
  heads: 4,
  headDim: 32,
  jointAttentionDim: 64,
  axes: [8, 12, 12],
  zeroCond: true,
};

/** A transformer to be written to disk: `metadata.config` says what no tensor shape can. */
export interface TinyTransformer {
  readonly tensors: Map<string, Tensor<"float32">>;
  readonly metadata: Readonly<Record<string, string>>;
}

const TOKEN = 64;
const TIME = 256;

/** A Qwen-Image-Edit transformer with random weights (variance 1/fan-in), under the names both diffusers and ComfyUI use. */
export function tinyTransformer(seed: number | bigint, sizes: TinyTransformerSizes = TINY_TRANSFORMER): TinyTransformer {
  const rng = randomSource(seed);
  const inner = sizes.heads * sizes.headDim;
  const tensors = new Map<string, Tensor<"float32">>();
  const linear = (path: string, out: number, width: number, gain = 1) => {
    const std = gain / Math.sqrt(width);
    tensors.set(
      `${path}.weight`,
      f32(
        [out, width],
        rng.normals(new Float32Array(out * width)).map((x) => x * std),
      ),
    );
    tensors.set(`${path}.bias`, f32([out], new Float32Array(out)));
  };
  const norm = (path: string, width: number) => tensors.set(`${path}.weight`, f32([width], new Float32Array(width).fill(1)));

  linear("time_text_embed.timestep_embedder.linear_1", inner, TIME);
  linear("time_text_embed.timestep_embedder.linear_2", inner, inner);
  norm("txt_norm", sizes.jointAttentionDim);
  linear("img_in", inner, TOKEN);
  linear("txt_in", inner, sizes.jointAttentionDim);
  for (let i = 0; i < sizes.layers; i++) {
    const block = `transformer_blocks.${i}`;
    for (const layer of ["to_q", "to_k", "to_v", "add_q_proj", "add_k_proj", "add_v_proj", "to_out.0", "to_add_out"])
      linear(`${block}.attn.${layer}`, inner, inner);
    for (const layer of ["norm_q", "norm_k", "norm_added_q", "norm_added_k"]) norm(`${block}.attn.${layer}`, sizes.headDim);
    for (const stream of ["img", "txt"]) {
      // Small gates: a deep stack of random blocks stays near the identity.
      linear(`${block}.${stream}_mod.1`, 6 * inner, inner, 0.3);
      linear(`${block}.${stream}_mlp.net.0.proj`, 4 * inner, inner);
      linear(`${block}.${stream}_mlp.net.2`, inner, 4 * inner);
    }
  }
  linear("norm_out.linear", 2 * inner, inner, 0.3);
  linear("proj_out", TOKEN, inner);
  if (sizes.zeroCond) tensors.set("__index_timestep_zero__", f32([0], []));
  return { tensors, metadata: { config: JSON.stringify({ axes_dims_rope: sizes.axes, zero_cond_t: sizes.zeroCond }) } };
}
