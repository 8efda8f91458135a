// What MODEL, VAE, CLIP, FACE_* and REWARD sockets carry: functions that build IR, so that a train node can compose any
// model with any reward and differentiate the whole without knowing either.
import type { Builder } from "../../../engine/ir/builder.ts";
import type { Compute, Feeds } from "../../../engine/ir/compute.ts";
import type { Value } from "../../../engine/ir/value.ts";
import type { Module } from "../../../engine/nn/module.ts";
import type { Tensor } from "../../../engine/tensor/tensor.ts";
import type { Comparison, Conditioning, Face, Image, ReferenceMethod } from "./data.ts";

/** One low-rank adapter on one Linear: y += scale·(x·Aᵀ)·Bᵀ, A [r, in], B [out, r]. */
export interface Adapter {
  /** Module path without `.weight`: `transformer_blocks.0.attn.to_q`. */
  readonly target: string;
  /** Weight names of A and B in the graph: unique per LoRA, so several may stack; a trainer feeds them by these names. */
  readonly nameA: string;
  readonly nameB: string;
  readonly a: Tensor<"float32">;
  readonly b: Tensor<"float32">;
  /** strength · alpha / rank. */
  readonly scale: number;
}

/** A trained low-rank adapter, as the LORA socket carries it. */
export interface Lora {
  readonly adapters: readonly Adapter[];
  readonly rank: number;
  readonly alpha: number;
}

/** Spatial size of one token group, in 2×2-latent patches (= pixels/16). */
export interface GridSize {
  readonly h: number;
  readonly w: number;
}

/** What one transformer evaluation depends on, apart from the numbers. */
export interface DenoiseShape {
  readonly batch: number;
  readonly target: GridSize;
  readonly references: readonly GridSize[];
  readonly textLength: number;
  /** diffusers' or ComfyUI's rope centre and text start (spec/qwen-image-edit.md §1.6). */
  readonly positions: "diffusers" | "comfyui";
  readonly referenceMethod?: ReferenceMethod;
  /** True when a text mask [B, M] is among the inputs. */
  readonly masked?: boolean;
}

export interface DenoiseInputs {
  readonly shape: DenoiseShape;
  /** Packed noisy target tokens [B, N, 64]. */
  readonly x: Value;
  /** Packed normalised reference tokens [B, R, 64]; null when there is none. */
  readonly references: Value | null;
  /** [B, M, joint_attention_dim]. */
  readonly text: Value;
  /** σ per sample, [B] float32 (the embedding takes 1000·σ). */
  readonly sigma: Value;
  /** bool [B, M]. */
  readonly textMask?: Value;
}

/** A flow-matching image-edit transformer with the patches a workflow put on it. */
export interface DiffusionModel extends Module<DenoiseInputs, Value /* velocity [B, N, 64] */> {
  readonly family: "qwen-image-edit";
  readonly jointAttentionDim: number;
  /** Paths of all Linears an adapter may target, with their [out, in]. */
  readonly linears: ReadonlyMap<string, readonly [out: number, in_: number]>;
  readonly adapters: readonly Adapter[];
  /** ModelSamplingAuraFlow's shift; undefined = the model's own (Flux, 1.15). */
  readonly shift?: number;
  /** CFGNorm's strength; undefined = no node. */
  readonly cfgNorm?: number;
  /** A copy with these adapters beside those already on it. @throws AppError LORA_TARGET, LORA_SHAPE */
  withAdapters(adapters: readonly Adapter[]): DiffusionModel;
  /** A copy with these settings instead of its own. */
  withSampling(patch: { readonly shift?: number; readonly cfgNorm?: number }): DiffusionModel;
}

/** Both directions work on images in -1..1, NCHW, and on raw latents [B, 16, H/8, W/8]. */
export interface Vae {
  readonly id: string;
  /** Image [B,3,H,W] in -1..1 → mode of the posterior, raw. H and W multiples of 8. */
  readonly encode: Module<Value, Value>;
  /** Raw latent → image [B,3,H,W], not clamped. */
  readonly decode: Module<Value, Value>;
  /** Per-channel normalisation of the diffusion process: z_n = (z − mean)/std. */
  readonly latentsMean: readonly number[];
  readonly latentsStd: readonly number[];
}

/** A prompt and its pictures, each [1,H,W,3] in 0..1, already resized by the node that calls. */
export interface TextRequest {
  readonly template: "edit" | "plus" | "t2i";
  readonly prompt: string;
  readonly images: readonly { readonly image: Image; readonly slot: number }[];
  readonly resample: "diffusers" | "comfyui";
}

/** Prompt and pictures in, text states out. */
export interface TextEncoder {
  readonly id: string;
  /** [1, M, joint_attention_dim]. */
  encode(compute: Compute, request: TextRequest): Promise<Tensor<"float32">>;
  /** For training the encoder: all of a request that its weights do not decide. Pictures are seen once and enter as constants. */
  prepare?(compute: Compute, request: TextRequest): Promise<PreparedText>;
}

export interface PreparedText {
  /** These requests (of the same encoder) as one batch. */
  batch(requests: readonly PreparedText[]): TextBatch;
}

/** Text states as a differentiable function of the encoder's weights. */
export interface TextBatch {
  /** M: that of the longest, rounded up. Equal numbers of requests and equal M give equal graphs. */
  readonly length: number;
  readonly feeds: Feeds;
  /** True where a token is real, [B·M] in rows. */
  readonly real: readonly boolean[];
  /** States [B, M, joint_attention_dim]. Adds the inputs that `feeds` has. */
  build(b: Builder): Value;
}

/** Finds faces. Not differentiable: runs between graph segments. */
export interface FaceDetector {
  readonly id: string;
  /** One picture [1,H,W,3]. Deterministic order (see Faces). */
  detect(
    compute: Compute,
    image: Image,
    options: { readonly minScore?: number; readonly maxFaces?: number; readonly minSize?: number },
  ): Promise<readonly Face[]>;
}

/** Aligned crops to vectors: [N, 3, size, size] RGB in 0..1 → [N, dim]. The module does the encoder's own normalisation. */
export interface FaceEncoder extends Module<Value, Value> {
  readonly size: number;
  readonly dim: number;
  readonly comparison: Comparison;
  /** Rows [a, b, tx; c, d, ty] that map picture pixels to crop pixels for one face. */
  alignment(face: Face): readonly [number, number, number, number, number, number];
}

/** What a reward may look at besides the picture: fixed for one training sample or one evaluated picture. */
export interface RewardContext {
  readonly compute: Compute;
  /**
   * The people who should appear: reference picture k and the face in it. Each reward embeds them with its own encoder
   * and may keep the result as long as the picture is: tensors are never changed in place.
   */
  readonly references: { readonly images: readonly Image[]; readonly faces: readonly Face[] } | null;
  /** The ground-truth picture of the training pair, and its faces. */
  readonly target: { readonly image: Image; readonly faces: readonly Face[] } | null;
  readonly conditioning?: Conditioning;
  readonly prompt?: string;
}

/**
 * A scalar to maximise, as a function of a picture. It is evaluated in two steps, because detection and assignment are
 * not differentiable: `observe` looks at the finished picture and fixes constants; `build` makes the differentiable part.
 */
export interface Reward {
  readonly id: string;
  readonly name: string;
  /**
   * Runs detector, encoder and matching on a picture [1,H,W,3] without gradient.
   * `structure` must determine the graph `build` makes (face counts, padded sizes): equal structure, equal graph.
   * `skip` = this reward has nothing to say about this picture (no face): it contributes 0 and no gradient.
   */
  observe(image: Image, context: RewardContext): Promise<RewardObservation>;
  /** image [1,3,H,W] in 0..1 (not clamped), constants as fed; returns the scalar reward [] and named scalar parts. */
  build(
    b: Builder,
    image: Value,
    constants: Readonly<Record<string, Value>>,
    structure: string,
  ): { readonly reward: Value; readonly parts: Readonly<Record<string, Value>> };
}

export interface RewardObservation {
  readonly skip?: string;
  readonly structure: string;
  /** Fed as graph inputs under the reward's own prefix. */
  readonly constants: Feeds;
  /** Undifferentiable readings for the log: face count, pairs, similarity matrix. */
  readonly info: Readonly<Record<string, unknown>>;
}
