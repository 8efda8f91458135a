import { AppError } from "../../../engine/base/errors.ts";
import type { Compute, Feeds } from "../../../engine/ir/compute.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { expectDType, f32 } from "../../../engine/tensor/tensor.ts";
import type { Conditioning } from "../contracts/data.ts";
import type { DenoiseShape, GridSize } from "../contracts/diffusion.ts";
import type { DiffusionModel } from "../contracts/modules.ts";
import { allFinite } from "../finite.ts";
import { denoiseInputs } from "./denoise-inputs.ts";
import { tokensOf, tokenWidth } from "./latent-space.ts";
import { preparePrompt } from "./prepared-prompt.ts";

/** Evaluates the model for one prompt: packed tokens [N·width] and σ → velocity [N·width]. */
export type Velocity = (tokens: Float32Array, sigma: number) => Promise<Float32Array>;

/**
 * Compiles the model for one prompt and target size. References are normalised and packed here, once.
 * @throws AppError CONDITIONING_WIDTH, REFERENCE_BATCH; SAMPLING_NOT_FINITE when it is evaluated
 */
export async function velocityFor(
  compute: Compute,
  model: DiffusionModel,
  conditioning: Conditioning,
  target: GridSize,
  convention: DenoiseShape["convention"],
): Promise<Velocity> {
  const { shape, feeds } = preparePrompt(model, conditioning, target, convention);
  const b = newBuilder();
  const v = model.build(b, denoiseInputs(b, model, shape));
  // Adapters are fed rather than baked in: a LoRA of a gigabyte does not fit into a graph.
  const fed = model.adapters.flatMap((a) => [a.nameA, a.nameB]);
  const executable = await compute.compile(b.graph({ v }), { fed });
  const tokens = [1, tokensOf(target), tokenWidth(model.latentSpace)];
  return async (x, sigma) => {
    const results = await executable.run({ ...feeds, x: f32(tokens, x), sigma: f32([1], [sigma]) });
    if (!results.v) throw new AppError("DENOISE_RUN", "the model gave no velocity");
    const velocity = expectDType(results.v, "float32", "the velocity");
    if (!allFinite(velocity)) throw await notFinite(model, { ...feeds, x: f32(tokens, x) });
    return velocity;
  };
}

const WORDS: Readonly<Record<string, string>> = { x: "the latent", prompt: "the prompt", references: "a reference picture's latent" };

/** Why a velocity is not finite: an input that is not, weights that are not, or else numbers that grew too large on the way. */
async function notFinite(model: DiffusionModel, feeds: Feeds): Promise<AppError> {
  const input = Object.entries(feeds).find(([, { data }]) => data instanceof Float32Array && !allFinite(data))?.[0];
  const weight = input === undefined ? await model.findNotFinite?.() : undefined;
  const why =
    input !== undefined
      ? `: ${WORDS[input.split(".", 1)[0] ?? ""] ?? "the prompt"} that comes in already does`
      : weight !== undefined
        ? `: so does ${weight}`
        : "";
  return new AppError("SAMPLING_NOT_FINITE", `the model's prediction holds NaN or Inf${why}`, {
    hint:
      weight !== undefined
        ? "the file is damaged: download it again, or save it again"
        : input !== undefined
          ? "look at the node that made it"
          : "lower the strengths of LoRAs and cfg, or try another file of the model",
  });
}
