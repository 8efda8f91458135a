import { randomSource } from "../engine/base/random.ts";
import type { Tensor } from "../engine/tensor/tensor.ts";
import { filledWeights, linearSpecs, normSpec, type WeightSpec } from "./weight-spec.ts";

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

/** The weights of a Qwen-Image-Edit transformer (variance 1/fan-in), under the names both diffusers and ComfyUI use. */
export function transformerSpecs(sizes: TinyTransformerSizes): WeightSpec[] {
  const inner = sizes.heads * sizes.headDim;
  const time = "time_text_embed.timestep_embedder";
  return [
    ...linearSpecs(`${time}.linear_1`, inner, TIME),
    ...linearSpecs(`${time}.linear_2`, inner, inner),
    normSpec("txt_norm.weight", [sizes.jointAttentionDim]),
    ...linearSpecs("img_in", inner, TOKEN),
    ...linearSpecs("txt_in", inner, sizes.jointAttentionDim),
    ...Array.from({ length: sizes.layers }, (_, i) => blockSpecs(`transformer_blocks.${i}`, inner, sizes.headDim)).flat(),
    ...linearSpecs("norm_out.linear", 2 * inner, inner, { gain: 0.3 }),
    ...linearSpecs("proj_out", TOKEN, inner),
    ...(sizes.zeroCond ? [{ name: "__index_timestep_zero__", shape: [0], fill: { value: 0 } }] : []),
  ];
}

function blockSpecs(block: string, inner: number, headDim: number): WeightSpec[] {
  const attention = ["to_q", "to_k", "to_v", "add_q_proj", "add_k_proj", "add_v_proj", "to_out.0", "to_add_out"];
  const norms = ["norm_q", "norm_k", "norm_added_q", "norm_added_k"];
  return [
    ...attention.flatMap((layer) => linearSpecs(`${block}.attn.${layer}`, inner, inner)),
    ...norms.map((layer) => normSpec(`${block}.attn.${layer}.weight`, [headDim])),
    ...["img", "txt"].flatMap((stream) => [
      // Small gates: a deep stack of random blocks stays near the identity.
      ...linearSpecs(`${block}.${stream}_mod.1`, 6 * inner, inner, { gain: 0.3 }),
      ...linearSpecs(`${block}.${stream}_mlp.net.0.proj`, 4 * inner, inner),
      ...linearSpecs(`${block}.${stream}_mlp.net.2`, inner, 4 * inner),
    ]),
  ];
}

/** What no tensor shape can say. */
export function transformerConfig({ axes, zeroCond }: TinyTransformerSizes): string {
  return JSON.stringify({ axes_dims_rope: axes, zero_cond_t: zeroCond });
}

/** A transformer with random weights. */
export function tinyTransformer(seed: number | bigint, sizes: TinyTransformerSizes = TINY_TRANSFORMER): TinyTransformer {
  return { tensors: filledWeights(transformerSpecs(sizes), randomSource(seed)), metadata: { config: transformerConfig(sizes) } };
}
