// What data sockets carry: pictures, faces, scores, datasets.
import type { Tensor } from "../../../engine/tensor/tensor.ts";

/** [B, H, W, 3] float32 in 0..1, RGB. */
export type Image = Tensor<"float32">;
/** [B, H, W] float32 in 0..1. */
export type Mask = Tensor<"float32">;

/** Per-channel normalisation of the diffusion process: z_n = (z − mean)/std. */
export interface LatentStatistics {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** [C + 1, 3]: a raw latent's channels (and 1) to a colour in 0..1, roughly. For showing what is not finished; no result depends on it. */
export type LatentColors = Tensor<"float32">;

/** ComfyUI's LATENT: `samples` [B, C, h, w], raw (not normalised). */
export interface Latent {
  readonly samples: Tensor<"float32">;
  /** Statistics of these raw numbers: those of the VAE or sampler that made them. Absent: the model's own. */
  readonly statistics?: LatentStatistics;
  /** What its numbers look like, where a picture was encoded. */
  readonly colors?: LatentColors;
  /** Where a sampler may change it: 1 = all, 0 = nothing. */
  readonly noiseMask?: Mask;
}

/** ComfyUI's `reference_latents_method`. */
export type ReferenceMethod = "index" | "index_timestep_zero" | "negative_index" | "offset" | "uxo";

/** What text encoders make of a prompt. */
export interface TextStates {
  /** Text (and vision) states [1, M, width]. */
  readonly embeds: Tensor<"float32">;
  /** Further inputs of some models, by the model's name for them: a pooled vector `pooled` [1, P], a distilled `guidance` [1]. */
  readonly extra?: Readonly<Record<string, Tensor<"float32">>>;
}

/** One prompt: its states and the latents of its reference pictures. */
export interface Conditioning extends TextStates {
  readonly referenceLatents: readonly Latent[];
  readonly referenceMethod?: ReferenceMethod;
}

/** x, y in pixels of the picture; origin at the top left corner, pixel centres at .5. */
export type Point = readonly [x: number, y: number];

export interface Face {
  /** [x0, y0, x1, y1] in pixels. */
  readonly box: readonly [number, number, number, number];
  /** Detector confidence, 0..1. */
  readonly score: number;
  /** Five points: eye on the image's left, eye on its right, nose tip, mouth corner left, mouth corner right. */
  readonly points5: readonly [Point, Point, Point, Point, Point];
  /** 68 points (iBUG order), when a landmark model ran. */
  readonly points68?: readonly Point[];
}

/** Faces of a batch of pictures, each list in a deterministic order: left to right by box centre, then top to bottom. */
export interface Faces {
  readonly images: Image;
  /** `faces[i]` belongs to `images[i]`. */
  readonly faces: readonly (readonly Face[])[];
}

/** How embeddings of one encoder are compared. */
export type Comparison =
  | { readonly kind: "l2" /** same person below this distance */; readonly threshold: number; readonly mean: Float32Array }
  | { readonly kind: "cosine" /** same person above this cosine */; readonly threshold: number; readonly mean?: Float32Array };

/** [N, D] raw encoder outputs, flat over the batch; `source[i]` says whose face row i is. */
export interface Embeddings {
  readonly encoder: string;
  readonly comparison: Comparison;
  readonly vectors: Tensor<"float32">;
  readonly source: readonly { readonly image: number; readonly face: number }[];
  readonly faces: Faces;
}

/** Rows = references, columns = generated faces. `values` [M, N]: cosine (after centring, where the encoder asks for it), in -1..1. */
export interface Similarity {
  readonly values: Tensor<"float64">;
  readonly references: Embeddings;
  readonly generated: Embeddings;
  /** For encoders compared by L2: the distances behind the values, [M, N]. */
  readonly distances?: Tensor<"float64">;
  readonly comparison: Comparison;
}

/** The assignment of generated faces to references. */
export interface Matches {
  readonly similarity: Similarity;
  /** Every assigned pair, by reference index. `accepted` = passes the encoder's (or the node's) threshold. */
  readonly pairs: readonly {
    readonly reference: number;
    readonly generated: number;
    readonly similarity: number;
    readonly cost: number;
    readonly accepted: boolean;
  }[];
  readonly unmatchedReferences: readonly number[];
  readonly unmatchedGenerated: readonly number[];
}

/** Named numbers (and small tables) about a result. */
export interface Metrics {
  readonly values: Readonly<Record<string, number>>;
  readonly details?: unknown;
}

/** One training pair: `references[k]` shows the person whose face in the target is `targetFaces[k]`. */
export interface Example {
  /** Unique and stable within the dataset. */
  readonly id: string;
  readonly prompt: string;
  readonly references: readonly Image[];
  /** The face of the person in each reference; empty where nobody looked for faces. */
  readonly referenceFaces: readonly Face[];
  readonly target: Image;
  readonly targetFaces: readonly Face[];
}

/** Examples made or read on demand. Train and held-out examples share no person. */
export interface Dataset {
  /** Changes whenever any example would. */
  readonly id: string;
  readonly train: number;
  readonly heldOut: number;
  /** Deterministic: the same index gives the same example. */
  example(split: "train" | "heldOut", index: number): Promise<Example>;
  /** Equal where pictures have the same sizes and the references are as many, so that examples can share a batch. Absent: all can. */
  bucket?(split: "train" | "heldOut", index: number): string;
  /** What is neither trained on nor held out, and why. */
  readonly leftOut?: readonly { readonly id: string; readonly why: string }[];
}

/** A camera round a subject of size 1 at the origin; y points up, z to the front. */
export interface Camera {
  readonly position: { readonly x: number; readonly y: number; readonly z: number };
  readonly target: { readonly x: number; readonly y: number; readonly z: number };
  readonly zoom: number;
  readonly cameraType: "perspective";
  /** Degrees. */
  readonly fov: number;
}
