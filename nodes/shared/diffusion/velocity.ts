import { AppError } from "../../../engine/base/errors.ts";
import type { Compute } from "../../../engine/ir/compute.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { expectDType, f32 } from "../../../engine/tensor/tensor.ts";
import type { Conditioning } from "../contracts/data.ts";
import type { DenoiseShape, GridSize } from "../contracts/diffusion.ts";
import type { DiffusionModel } from "../contracts/modules.ts";
import { denoiseInputs } from "./denoise-inputs.ts";
import { tokensOf, tokenWidth } from "./latent-space.ts";
import { preparePrompt } from "./prepared-prompt.ts";

/** Evaluates the model for one prompt: packed tokens [N·width] and σ → velocity [N·width]. */
export type Velocity = (tokens: Float32Array, sigma: number) => Promise<Float32Array>;

/**
 * Compiles the model for one prompt and target size. References are normalised and packed here, once.
 * @throws AppError CONDITIONING_WIDTH, REFERENCE_BATCH
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
    return expectDType(results.v, "float32", "the velocity");
  };
}
