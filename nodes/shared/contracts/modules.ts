// What MODEL, VAE, CLIP, FACE_* and REWARD sockets carry: functions that build IR, so that a train node can compose any
// model with any reward and differentiate the whole without knowing either.
import type { RandomSource } from "../../../engine/base/random.ts";
import type { Builder } from "../../../engine/ir/builder.ts";
import type { Compute, Feeds } from "../../../engine/ir/compute.ts";
import type { Value } from "../../../engine/ir/value.ts";
import type { Module } from "../../../engine/nn/module.ts";
import type { Tensor } from "../../../engine/tensor/tensor.ts";
import type { Comparison, Conditioning, Face, Image, LatentStatistics } from "./data.ts";
import type { DenoiseInputs, Guidance, LatentSpace, ModelSampling, PostCfg, PromptInputs, Schedule } from "./diffusion.ts";

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
  /** [p, q] of a LoKr: the change is outer ⊗ b·a, with a [rank, in / q] and b [out / p, rank]. */
  readonly outer?: { readonly name: string; readonly values: Tensor<"float32"> };
  /** DoRA: lengths of the weight's rows [out, 1] or columns [1, in]. `scale` is then alpha / rank, and the strength stands here. */
  readonly dora?: {
    readonly name: string;
    readonly values: Tensor<"float32">;
    readonly strength: number;
    /** Divided by: the lengths before (ComfyUI, for rows) or after the low-rank change (peft; for columns always). */
    readonly norm: "weight" | "changed";
  };
  /** Added to the output besides, as scale·values [out]: some files change biases too. */
  readonly bias?: { readonly name: string; readonly values: Tensor<"float32">; readonly scale: number };
}

/** A trained low-rank adapter, as the LORA socket carries it. */
export interface Lora {
  readonly adapters: readonly Adapter[];
  readonly rank: number;
  readonly alpha: number;
  /** How it was made, for the file's metadata. */
  readonly about?: Readonly<Record<string, string>>;
}

/** A flow-matching image model with the patches a workflow put on it: DenoiseInputs → velocity [B, N, width]. */
export interface DiffusionModel extends Module<DenoiseInputs, Value> {
  /** For messages and metadata, such as `qwen-image-edit`. */
  readonly family: string;
  readonly latentSpace: LatentSpace;
  readonly prompt: PromptInputs;
  readonly schedule: Schedule;
  /** What KSampler reads; a node may have replaced the model's own. */
  readonly sampling: ModelSampling;
  readonly postCfg?: PostCfg;
  /** The guidance of the model's own pipeline; null = none at this scale: only the prompt is evaluated. */
  guidance(scale: number): Guidance | null;
  /** Reads every weight for NaN and Inf and says where the first is: file and tensor. Takes as long as reading the file. */
  findNotFinite?(): Promise<string | undefined>;
  /** Paths of all Linears an adapter may target, with their [out, in]. */
  readonly linears: ReadonlyMap<string, readonly [out: number, in_: number]>;
  readonly adapters: readonly Adapter[];
  /** A copy with these adapters beside those already on it. @throws AppError LORA_TARGET, LORA_SHAPE */
  withAdapters(adapters: readonly Adapter[]): DiffusionModel;
  /** A copy with these settings instead of its own. */
  withSampling(patch: { readonly sampling?: ModelSampling; readonly postCfg?: PostCfg }): DiffusionModel;
}

/** A model with its prompts. */
export interface Guider {
  readonly model: DiffusionModel;
  readonly positive: Conditioning;
  /** Not evaluated at cfg 1. */
  readonly negative: Conditioning;
  readonly cfg: number;
}

/** Both directions work on images in -1..1, NCHW, and on raw latents [B, channels, H/cell, W/cell]. */
export interface Vae {
  readonly id: string;
  /** Image [B,3,H,W] in -1..1 → mode of the posterior, raw. H and W multiples of `cell`. */
  readonly encode: Module<Value, Value>;
  /** Raw latent → image [B,3,H,W], not clamped. */
  readonly decode: Module<Value, Value>;
  readonly channels: number;
  /** Pixels per latent cell, on each side. */
  readonly cell: number;
  readonly statistics: LatentStatistics;
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
  /** The noise level that x̂0 was predicted from. Absent, or 0: a finished picture. Above about 0.25 a prediction is smooth by nature. */
  readonly sigma?: number;
}

/** A picture that a training has drawn, as its reward saw it. */
export interface DrawnPicture {
  readonly image: Image;
  readonly context: RewardContext;
}

/** What a reward needs to go on learning while it is trained on. The reward itself never changes: a training keeps the numbers, in its checkpoint. */
export interface RewardLearning {
  /** All numbers at the start, by name. */
  fresh(compute: Compute): Promise<Map<string, Float32Array>>;
  /** The reward as these numbers say at each moment. */
  withState(state: ReadonlyMap<string, Float32Array>): Reward;
  /** After an update: changes the numbers in place, from the pictures of that update alone. @returns numbers for the log */
  learn(
    compute: Compute,
    state: ReadonlyMap<string, Float32Array>,
    drawn: readonly DrawnPicture[],
    rng: RandomSource,
  ): Promise<Record<string, number>>;
}

/**
 * A scalar to maximise, as a function of a picture. It is evaluated in two steps, because detection and assignment are
 * not differentiable: `observe` looks at the finished picture and fixes constants; `build` makes the differentiable part.
 */
export interface Reward {
  readonly id: string;
  readonly name: string;
  /** Absent: it stays as it is. */
  readonly learning?: RewardLearning;
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
