// An example as the model sees it: packed latents of target and references, prompt states. Encoded once, then kept.
import { AppError } from "../../../engine/base/errors.ts";
import type { Compute } from "../../../engine/ir/compute.ts";
import type { Conditioning, Example, Latent } from "../../shared/contracts/data.ts";
import type { GridSize, TextEncoder } from "../../shared/contracts/diffusion.ts";
import type { DiffusionModel, Vae } from "../../shared/contracts/modules.ts";
import { encodeImages } from "../../shared/diffusion/encode-images.ts";
import { gridOf, latentTokens } from "../../shared/diffusion/latent-space.ts";
import { type PreparedPrompt, preparePrompt } from "../../shared/diffusion/prepared-prompt.ts";
import { notFinite } from "../../shared/finite.ts";

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

/**
 * Encodes one example. Errors name the example and what of it they are about.
 * @throws AppError PICTURE_SIZE when a picture's side is no multiple of a token's, VAE_NOT_FINITE, TEXT_NOT_FINITE
 */
export async function prepareExample(
  compute: Compute,
  { model, vae, clip }: Encoders,
  example: Example,
  { guidanceScale, negativePrompt, visionSize }: PrepareOptions,
): Promise<PreparedExample> {
  const { latentSpace: space } = model;
  gridOf(space, example.target, `the target of ${example.id}`);
  const { tokens, grid: target } = latentTokens(space, await of(`the target of ${example.id}`, encodeImages(compute, vae, example.target)));
  const referenceLatents: Latent[] = [];
  for (const [k, image] of example.references.entries()) {
    gridOf(space, image, `reference ${k + 1} of ${example.id}`);
    referenceLatents.push(await of(`reference ${k + 1} of ${example.id}`, encodeImages(compute, vae, image)));
  }
  const encode = async (prompt: string): Promise<Conditioning> => {
    const what = `the prompt of ${example.id}`;
    const states = await of(what, clip.encode(compute, model.prompt.request(prompt, example.references, visionSize)));
    const bad = [states.embeds, ...Object.values(states.extra ?? {})].map((t) => notFinite(t.data)).find((each) => each !== undefined);
    if (bad !== undefined)
      throw new AppError("TEXT_NOT_FINITE", `${what}: the text encoder gave ${bad}`, {
        hint: "the text encoder's weights or the references hold numbers that are not finite",
      });
    return { ...states, referenceLatents };
  };
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

/** Says of what an error is. */
async function of<T>(what: string, work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof AppError) || error.code === "CANCELLED") throw error;
    const { code, message, hint, details } = error;
    throw new AppError(code, `${what}: ${message}`, { ...(hint !== undefined && { hint }), details, cause: error });
  }
}
