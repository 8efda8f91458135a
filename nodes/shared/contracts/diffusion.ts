// What a diffusion model says about itself, so that samplers and training need not know its family.
import type { Builder } from "../../../engine/ir/builder.ts";
import type { Compute, Feeds } from "../../../engine/ir/compute.ts";
import type { Value } from "../../../engine/ir/value.ts";
import type { Shape } from "../../../engine/tensor/shape.ts";
import type { Tensor } from "../../../engine/tensor/tensor.ts";
import type { Conditioning, Image, LatentStatistics, ReferenceMethod, TextStates } from "./data.ts";

/** Size of one picture in tokens. */
export interface GridSize {
  readonly h: number;
  readonly w: number;
}

/** Between a VAE's raw latents [B, C, h, w] and the tokens [B, N, C·patch²] that the model denoises. */
export interface LatentSpace {
  readonly channels: number;
  /** Pixels per latent cell, on each side. */
  readonly cell: number;
  /** Latent cells per token, on each side. */
  readonly patch: number;
  /** Statistics of latents that carry none of their own. */
  readonly statistics: LatentStatistics;
}

/** What one evaluation depends on, apart from the numbers fed to it. */
export interface DenoiseShape {
  readonly batch: number;
  readonly target: GridSize;
  readonly references: readonly GridSize[];
  /** Shapes of the prompt's named inputs. */
  readonly prompt: Readonly<Record<string, Shape>>;
  /** Whose arithmetic to follow where diffusers and ComfyUI differ. */
  readonly convention: "diffusers" | "comfyui";
  readonly referenceMethod?: ReferenceMethod;
}

export interface DenoiseInputs {
  readonly shape: DenoiseShape;
  /** Normalised noisy target tokens [B, N, width]. */
  readonly x: Value;
  /** Normalised tokens of all references, one after the other, [B, R, width]; null when there is none. */
  readonly references: Value | null;
  /** σ of each sample, [B] float32. */
  readonly sigma: Value;
  /** Prompt inputs, by the names of {@link PromptInputs}. */
  readonly prompt: Readonly<Record<string, Value>>;
}

/** What a text encoder is asked. Pictures are [1,H,W,3] in 0..1, already resized by whoever asks. */
export interface TextRequest {
  /** One of the encoder's own templates. @throws AppError TEXT_TEMPLATE for another */
  readonly template: string;
  readonly prompt: string;
  readonly images: readonly { readonly image: Image; readonly slot: number }[];
  readonly resample: "diffusers" | "comfyui";
}

/** Prompt and pictures in, text states out. */
export interface TextEncoder {
  readonly id: string;
  encode(compute: Compute, request: TextRequest): Promise<TextStates>;
  /** For training the encoder: everything about a request that does not depend on its weights. Pictures are encoded once and enter as constants. */
  prepare?(compute: Compute, request: TextRequest): Promise<PreparedText>;
}

export interface PreparedText {
  /** These requests (of the same encoder) as one batch. */
  batch(requests: readonly PreparedText[]): TextBatch;
}

/** Text states as a differentiable function of the encoder's weights. */
export interface TextBatch {
  /** M: the length of the longest, rounded up. Equal numbers of requests and equal M give equal graphs. */
  readonly length: number;
  readonly feeds: Feeds;
  /** True where a token is real, [B·M] in rows. */
  readonly real: readonly boolean[];
  /** States [B, M, width]. Adds the inputs that `feeds` has. */
  build(b: Builder): Value;
}

/** How a prompt reaches the model. */
export interface PromptInputs {
  /** Shapes of the named inputs of one prompt of `textLength` text tokens; the first axis is the batch, 1. */
  shapes(textLength: number): Readonly<Record<string, Shape>>;
  /** A conditioning as the named inputs. @throws AppError CONDITIONING_WIDTH when it was made for another model */
  inputs(conditioning: Conditioning): Readonly<Record<string, Tensor<"float32">>>;
  /**
   * The request that the model's own editing pipeline makes to the text encoder.
   * @param visionSize the text encoder sees each reference at about visionSize² pixels, if the model shows it any
   */
  request(prompt: string, references: readonly Image[], visionSize: number): TextRequest;
  /** Text tokens of a usual prompt: for estimates. */
  usualLength(references: number, visionSize: number): number;
}

/** Noise levels of the model's own pipeline. σ depends on the size of the target in many models. */
export interface Schedule {
  /** σ_0 = 1 … σ_steps = 0, `steps` + 1 numbers. */
  sigmas(steps: number, target: GridSize): readonly number[];
  /** σ at the time 1/(1 + e^−logit) of 0..1, shifted as the schedule is: where losses draw their noise level. */
  sigmaOfLogit(logit: number, target: GridSize): number;
}

/** A guided velocity, and how strongly the conditional one enters it. */
export interface Guided {
  readonly v: Float32Array;
  /** ∂v/∂(conditional) per element, with the other branches and all norms held; null = 1. */
  readonly factor: Float32Array | null;
}

/** Guidance on packed velocities. */
export interface Guidance {
  /** Evaluations besides the conditional one, each on a conditioning made of the two prompts. */
  readonly branches: readonly { readonly name: string; conditioning(positive: Conditioning, negative: Conditioning): Conditioning }[];
  /** @param branches velocities in the order of `branches`, each as long as `conditional`. */
  combine(conditional: Float32Array, branches: readonly Float32Array[]): Guided;
}

/** ComfyUI's view of a flow model's noise levels: a table, and the shift that bends it. */
export interface ModelSampling {
  readonly id: string;
  /** Ascending float32 σ, the last one is 1. */
  readonly table: Float32Array;
  /** σ at a time in 0..1. */
  sigma(time: number): number;
}

/** ComfyUI's `sampler_post_cfg_function`: changes a guided x0 of one [C, h, w] latent. */
export interface PostCfg {
  readonly id: string;
  apply(conditional: Float32Array, guided: Float32Array, channels: number): Float32Array;
}

/** What a custom sampler begins with. */
export interface NoiseSource {
  /** null = none: the latent as it is. */
  readonly seed: bigint | number | null;
  /** In place of the seed's: standard normal numbers, one per latent element. */
  readonly values?: Float32Array;
}
