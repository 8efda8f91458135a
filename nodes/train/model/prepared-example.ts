// An example as the model sees it: packed latents of target and references, prompt states. Encoded once, then kept.
import type { Compute } from "../../../engine/ir/compute.ts";
import type { Conditioning, Example, Latent } from "../../shared/contracts/data.ts";
import type { GridSize, TextEncoder } from "../../shared/contracts/diffusion.ts";
import type { DiffusionModel, Vae } from "../../shared/contracts/modules.ts";
import { encodeImages } from "../../shared/diffusion/encode-images.ts";
import { gridOf, latentTokens } from "../../shared/diffusion/latent-space.ts";
import { type PreparedPrompt, preparePrompt } from "../../shared/diffusion/prepared-prompt.ts";

export interface PreparedExample {
  readonly example: Example;
  /** Size of the target in tokens. */
  readonly target: GridSize;
  /** Target, packed and normalised, [N·width]. */
  readonly x0: Float32Array;
  readonly conditional: PreparedPrompt;
  /** Guidance's other branches, in its order. */
  readonly branches: readonly PreparedPrompt[];
}

export interface PrepareOptions {
  /** Scale of the model's guidance. */
  readonly guidanceScale: number;
  readonly negativePrompt: string;
  /** The text encoder sees each reference at about visionSize² pixels. */
  readonly visionSize: number;
}

export interface Encoders {
  readonly model: Pick<DiffusionModel, "latentSpace" | "prompt" | "guidance">;
  readonly vae: Vae;
  readonly clip: TextEncoder;
}

/** Encodes one example. @throws AppError PICTURE_SIZE when a picture's side is no multiple of a token's, VAE_NOT_FINITE */
export async function prepareExample(
  compute: Compute,
  { model, vae, clip }: Encoders,
  example: Example,
  { guidanceScale, negativePrompt, visionSize }: PrepareOptions,
): Promise<PreparedExample> {
  const { latentSpace: space } = model;
  gridOf(space, example.target, `the target of ${example.id}`);
  const { tokens, grid: target } = latentTokens(space, await encodeImages(compute, vae, example.target));
  const referenceLatents: Latent[] = [];
  for (const [k, image] of example.references.entries()) {
    gridOf(space, image, `reference ${k + 1} of ${example.id}`);
    referenceLatents.push(await encodeImages(compute, vae, image));
  }
  const encode = async (prompt: string): Promise<Conditioning> => ({
    ...(await clip.encode(compute, model.prompt.request(prompt, example.references, visionSize))),
    referenceLatents,
  });
  const prepare = (conditioning: Conditioning) => preparePrompt(model, conditioning, target, "diffusers");
  const positive = await encode(example.prompt);
  const guidance = model.guidance(guidanceScale);
  const negative = guidance && (await encode(negativePrompt));
  return {
    example,
    target,
    x0: tokens.data,
    conditional: prepare(positive),
    branches: negative ? guidance.branches.map((branch) => prepare(branch.conditioning(positive, negative))) : [],
  };
}
