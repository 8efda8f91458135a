// An example as the model sees it: packed latents of target and references, text states. Encoded once, then kept.
import { AppError } from "../../../engine/base/errors.ts";
import type { Compute } from "../../../engine/ir/compute.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { expectDType, f32, type Tensor } from "../../../engine/tensor/tensor.ts";
import type { Example, Image } from "../../shared/contracts/data.ts";
import type { DenoiseShape, GridSize, TextEncoder, Vae } from "../../shared/contracts/modules.ts";
import { packLatent } from "../../shared/diffusion/packing.ts";
import { visionPicture } from "../../shared/pictures/vision-picture.ts";

export interface PreparedExample {
  readonly example: Example;
  /** Text length is that of the prompt. */
  readonly shape: DenoiseShape;
  /** Target, packed and normalised, [N·64]. */
  readonly x0: Float32Array;
  /** [1, R, 64] or null. */
  readonly references: Tensor<"float32"> | null;
  readonly text: Tensor<"float32">;
  /** Text states of the negative prompt, when guidance is used. */
  readonly negative: Tensor<"float32"> | null;
}

export interface PrepareOptions {
  /** Encode this negative prompt too; undefined = no guidance. */
  readonly negativePrompt: string | undefined;
  /** The text encoder sees each reference at about visionSize² pixels. */
  readonly visionSize: number;
}

/** The sides of a picture in tokens. @throws AppError TRAIN_PICTURE when a side is no multiple of 16 */
export function gridOf(image: Image, what: string): GridSize {
  const [, height = 0, width = 0] = image.shape;
  if (height % 16 !== 0 || width % 16 !== 0 || height * width === 0)
    throw new AppError("TRAIN_PICTURE", `${what} is ${width}×${height}: sides must be multiples of 16`, {
      hint: "scale or crop the dataset's pictures",
    });
  return { h: height / 16, w: width / 16 };
}

/** Encodes one example. @throws AppError TRAIN_PICTURE when a picture's side is no multiple of 16 */
export async function prepareExample(
  compute: Compute,
  vae: Vae,
  clip: TextEncoder,
  example: Example,
  options: PrepareOptions,
): Promise<PreparedExample> {
  const target = await encodeImage(compute, vae, example.target, `the target of ${example.id}`);
  const references: { tokens: Tensor<"float32">; grid: GridSize }[] = [];
  for (const [k, image] of example.references.entries())
    references.push(await encodeImage(compute, vae, image, `reference ${k + 1} of ${example.id}`));
  const encode = (prompt: string) =>
    clip.encode(compute, {
      template: "plus",
      prompt,
      images: example.references.map((image, i) => ({ image: visionPicture(image, options.visionSize), slot: i + 1 })),
      resample: "diffusers",
    });
  const text = await encode(example.prompt);
  return {
    example,
    shape: {
      batch: 1,
      target: target.grid,
      references: references.map((r) => r.grid),
      textLength: text.shape[1] ?? 0,
      positions: "diffusers",
    },
    x0: target.tokens.data,
    references: references.length > 0 ? joinTokens(references.map((r) => r.tokens)) : null,
    text,
    negative: options.negativePrompt === undefined ? null : await encode(options.negativePrompt),
  };
}

/** IMAGE [1,H,W,3] → normalised packed latent. */
async function encodeImage(compute: Compute, vae: Vae, image: Image, what: string): Promise<{ tokens: Tensor<"float32">; grid: GridSize }> {
  const grid = gridOf(image, what);
  const [, height = 0, width = 0] = image.shape;
  const pixels = new Float32Array(3 * height * width);
  for (let i = 0; i < height * width; i++)
    for (let c = 0; c < 3; c++) pixels[c * height * width + i] = 2 * (image.data[i * 3 + c] ?? 0) - 1;
  const b = newBuilder();
  const graph = b.graph({ latent: vae.encode.build(b, b.input("image", "float32", [1, 3, height, width])) });
  const { latent } = await compute.run(graph, { image: f32([1, 3, height, width], pixels) });
  if (!latent) throw new Error("the VAE gave no latent");
  const raw = expectDType(latent, "float32", "latent");
  const plane = (height / 8) * (width / 8);
  const normalised = raw.map((z, i) => {
    const c = Math.floor(i / plane) % vae.latentsMean.length;
    return (z - (vae.latentsMean[c] ?? 0)) / (vae.latentsStd[c] ?? 1);
  });
  return {
    tokens: packLatent(f32([1, vae.latentsMean.length, height / 8, width / 8], normalised)),
    grid,
  };
}

function joinTokens(parts: readonly Tensor<"float32">[]): Tensor<"float32"> {
  const n = parts.reduce((sum, p) => sum + (p.shape[1] ?? 0), 0);
  const data = new Float32Array(n * 64);
  let at = 0;
  for (const p of parts) {
    data.set(p.data, at);
    at += p.data.length;
  }
  return f32([1, n, 64], data);
}
