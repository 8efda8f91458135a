// Examples as the transformer sees them, encoded once: packed normalised latents, text states, and where the faces are.
import { AppError } from "../../../engine/base/errors.ts";
import type { Compute, Executable } from "../../../engine/ir/compute.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { expectDType, f32, type Tensor } from "../../../engine/tensor/tensor.ts";
import type { Dataset, Example, Face, Image } from "../../shared/contracts/data.ts";
import type { GridSize, PreparedText, TextEncoder, TextRequest, Vae } from "../../shared/contracts/modules.ts";
import { packLatent } from "../../shared/diffusion/packing.ts";
import { visionPicture } from "../../shared/pictures/vision-picture.ts";

/** Pixels per token. */
const TOKEN_SIDE = 16;

export interface EncodedExample {
  readonly target: GridSize;
  readonly references: readonly GridSize[];
  /** [N·64]. */
  readonly x0: Float32Array;
  /** All references one after the other, [R·64]. */
  readonly referenceTokens: Float32Array;
  /** Text states [1, M, joint_attention_dim]; or, where the encoder is trained too, what they are made of. */
  readonly text: Tensor<"float32"> | PreparedText;
  /** [N]: share of each target token that lies in a face. */
  readonly faceShare: Float32Array;
}

/** Encodes training examples at first use and keeps them all. */
export class EncodedExamples {
  readonly #compute: Compute;
  readonly #vae: Vae;
  readonly #clip: TextEncoder;
  readonly #dataset: Dataset;
  readonly #visionSize: number;
  readonly #trainsText: boolean;
  readonly #known = new Map<number, Promise<EncodedExample>>();
  readonly #encoders = new Map<string, Promise<Executable>>();

  /**
   * @param visionSize the text encoder sees each reference at about visionSize² pixels
   * @param trainsText whether prompts are only prepared
   */
  constructor(compute: Compute, vae: Vae, clip: TextEncoder, dataset: Dataset, visionSize: number, trainsText: boolean) {
    this.#trainsText = trainsText;
    this.#visionSize = visionSize;
    this.#compute = compute;
    this.#vae = vae;
    this.#clip = clip;
    this.#dataset = dataset;
  }

  get(index: number): Promise<EncodedExample> {
    const known = this.#known.get(index) ?? this.#encode(index);
    this.#known.set(index, known);
    return known;
  }

  async #encode(index: number): Promise<EncodedExample> {
    const example: Example = await this.#dataset.example("train", index);
    const x0 = await this.#tokens(example.target);
    const references: Float32Array[] = [];
    for (const image of example.references) references.push(await this.#tokens(image));
    const request: TextRequest = {
      template: "plus",
      prompt: example.prompt,
      images: example.references.map((image, i) => ({ image: visionPicture(image, this.#visionSize), slot: i + 1 })),
      resample: "diffusers",
    };
    const target = gridOf(example.target);
    return {
      target,
      references: example.references.map(gridOf),
      x0,
      referenceTokens: concatenated(references),
      text: await this.#text(request),
      faceShare: faceShare(example.targetFaces, target),
    };
  }

  async #text(request: TextRequest): Promise<Tensor<"float32"> | PreparedText> {
    if (!this.#trainsText) return this.#clip.encode(this.#compute, request);
    const prepared = await this.#clip.prepare?.(this.#compute, request);
    if (!prepared)
      throw new AppError("PRETRAIN_TEXT", `the text encoder ${this.#clip.id} cannot be trained`, { hint: "turn train_text_encoder off" });
    return prepared;
  }

  async #tokens(image: Image): Promise<Float32Array> {
    const [, height = 0, width = 0] = image.shape;
    const { latentsMean, latentsStd } = this.#vae;
    const key = `${height}x${width}`;
    const compiling = this.#encoders.get(key) ?? this.#compile(height, width);
    this.#encoders.set(key, compiling);
    const { latent } = await (await compiling).run({ image });
    if (!latent) throw new AppError("PRETRAIN_ENCODE", "the VAE gave no latent");
    const area = (height / 8) * (width / 8);
    const raw = expectDType(latent, "float32", "latent");
    const normalised = raw.map((z, i) => (z - (latentsMean[Math.floor(i / area)] ?? 0)) / (latentsStd[Math.floor(i / area)] ?? 1));
    return packLatent(f32([1, latentsMean.length, height / 8, width / 8], normalised)).data;
  }

  /** IMAGE [1,H,W,3] in 0..1 → raw latent. */
  #compile(height: number, width: number): Promise<Executable> {
    if (height % TOKEN_SIDE || width % TOKEN_SIDE)
      throw new AppError("PRETRAIN_SIZE", `pictures of ${width}×${height}: both sides must be multiples of ${TOKEN_SIDE}`);
    const b = newBuilder();
    const planes = b.transpose(b.input("image", "float32", [1, height, width, 3]), [0, 3, 1, 2]);
    return this.#compute.compile(b.graph({ latent: this.#vae.encode.build(b, b.sub(b.mul(planes, 2), 1)) }));
  }
}

function gridOf(image: Image): GridSize {
  return { h: (image.shape[1] ?? 0) / TOKEN_SIDE, w: (image.shape[2] ?? 0) / TOKEN_SIDE };
}

/** Share of every token's square that the face boxes cover (overlapping faces count twice, up to 1). */
export function faceShare(faces: readonly Face[], grid: GridSize): Float32Array {
  const share = new Float32Array(grid.h * grid.w);
  const overlap = (a0: number, a1: number, b0: number, b1: number) => Math.max(0, Math.min(a1, b1) - Math.max(a0, b0)) / TOKEN_SIDE;
  for (const { box } of faces)
    for (let y = 0; y < grid.h; y++)
      for (let x = 0; x < grid.w; x++) {
        const [left, top] = [x * TOKEN_SIDE, y * TOKEN_SIDE];
        const covered = overlap(box[0], box[2], left, left + TOKEN_SIDE) * overlap(box[1], box[3], top, top + TOKEN_SIDE);
        share[y * grid.w + x] = Math.min(1, (share[y * grid.w + x] ?? 0) + covered);
      }
  return share;
}

export function concatenated(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of parts) {
    all.set(p, at);
    at += p.length;
  }
  return all;
}
