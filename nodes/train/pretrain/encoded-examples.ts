// Examples as the transformer sees them, encoded once: packed normalised latents, the prompt, and where the faces are.
import { AppError } from "../../../engine/base/errors.ts";
import type { Compute } from "../../../engine/ir/compute.ts";
import type { Dataset, Face, Image, TextStates } from "../../shared/contracts/data.ts";
import type { GridSize, PreparedText, TextRequest } from "../../shared/contracts/diffusion.ts";
import { encodeImages } from "../../shared/diffusion/encode-images.ts";
import { gridOf, latentTokens, tokenSide } from "../../shared/diffusion/latent-space.ts";
import type { Encoders } from "../model/prepared-example.ts";

export interface EncodedExample {
  readonly target: GridSize;
  readonly references: readonly GridSize[];
  /** [N·width]. */
  readonly x0: Float32Array;
  /** All references one after the other, [R·width]. */
  readonly referenceTokens: Float32Array;
  /** Text states; or, when the encoder is trained too, what it makes them from. */
  readonly text: TextStates | PreparedText;
  /** [N]: share of each target token that lies in a face. */
  readonly faceShare: Float32Array;
}

interface Tokens {
  readonly tokens: Float32Array;
  readonly grid: GridSize;
}

/** Encodes training examples at first use and keeps them all. */
export class EncodedExamples {
  readonly #compute: Compute;
  readonly #encoders: Encoders;
  readonly #dataset: Dataset;
  readonly #visionSize: number;
  readonly #trainsText: boolean;
  readonly #known = new Map<number, Promise<EncodedExample>>();

  /**
   * @param visionSize the text encoder sees each reference at about visionSize² pixels
   * @param trainsText whether prompts are only prepared
   */
  constructor(compute: Compute, encoders: Encoders, dataset: Dataset, visionSize: number, trainsText: boolean) {
    this.#compute = compute;
    this.#encoders = encoders;
    this.#dataset = dataset;
    this.#visionSize = visionSize;
    this.#trainsText = trainsText;
  }

  get(index: number): Promise<EncodedExample> {
    const known = this.#known.get(index) ?? this.#encode(index);
    this.#known.set(index, known);
    return known;
  }

  async #encode(index: number): Promise<EncodedExample> {
    const { model } = this.#encoders;
    const example = await this.#dataset.example("train", index);
    const target = await this.#tokens(example.target, `the target of ${example.id}`);
    const references: Tokens[] = [];
    for (const [k, image] of example.references.entries())
      references.push(await this.#tokens(image, `reference ${k + 1} of ${example.id}`));
    return {
      target: target.grid,
      references: references.map((r) => r.grid),
      x0: target.tokens,
      referenceTokens: concatenated(references.map((r) => r.tokens)),
      text: await this.#text(model.prompt.request(example.prompt, example.references, this.#visionSize)),
      faceShare: faceShare(example.targetFaces, target.grid, tokenSide(model.latentSpace)),
    };
  }

  async #text(request: TextRequest): Promise<TextStates | PreparedText> {
    const { clip } = this.#encoders;
    if (!this.#trainsText) return clip.encode(this.#compute, request);
    const prepared = await clip.prepare?.(this.#compute, request);
    if (!prepared)
      throw new AppError("PRETRAIN_TEXT", `the text encoder ${clip.id} cannot be trained`, { hint: "turn train_text_encoder off" });
    return prepared;
  }

  async #tokens(image: Image, what: string): Promise<Tokens> {
    const { model, vae } = this.#encoders;
    gridOf(model.latentSpace, image, what);
    const { tokens, grid } = latentTokens(model.latentSpace, await encodeImages(this.#compute, vae, image));
    return { tokens: tokens.data, grid };
  }
}

/** Share of every token's square that the face boxes cover of `side` pixels (overlapping faces count twice, up to 1). */
export function faceShare(faces: readonly Face[], grid: GridSize, side: number): Float32Array {
  const share = new Float32Array(grid.h * grid.w);
  const overlap = (a0: number, a1: number, b0: number, b1: number) => Math.max(0, Math.min(a1, b1) - Math.max(a0, b0)) / side;
  for (const { box } of faces)
    for (let y = 0; y < grid.h; y++)
      for (let x = 0; x < grid.w; x++) {
        const [left, top] = [x * side, y * side];
        const covered = overlap(box[0], box[2], left, left + side) * overlap(box[1], box[3], top, top + side);
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
