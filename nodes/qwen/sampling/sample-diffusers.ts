import { AppError } from "../../../engine/base/errors.ts";
import { f32, type Tensor } from "../../../engine/tensor/tensor.ts";
import type { Conditioning } from "../../shared/contracts/data.ts";
import type { DiffusionModel, GridSize } from "../../shared/contracts/modules.ts";
import { flowMatchSigmas, LIGHTNING_SCHEDULER, QWEN_SCHEDULER } from "../../shared/diffusion/flow-match-sigmas.ts";
import { packLatent, unpackLatent } from "../../shared/diffusion/packing.ts";
import type { DiffusersSchedule } from "./diffusers-schedules.ts";
import { trueCfg } from "./guidance.ts";
import { denormaliseLatent } from "./latent-space.ts";
import type { SamplingContext } from "./sample-comfyui.ts";
import { eulerStep } from "./steps.ts";
import { velocityFor } from "./velocity.ts";

export interface DiffusersRequest {
  readonly model: DiffusionModel;
  readonly positive: Conditioning;
  /** Without it, or at a scale of 1 or less, there is no guidance. */
  readonly negative?: Conditioning | undefined;
  /** Standard normal latents [1,16,H,W], H and W even: they set the size. */
  readonly noise: Tensor<"float32">;
  readonly steps: number;
  readonly trueCfgScale: number;
  readonly schedule: DiffusersSchedule;
}

/**
 * diffusers' QwenImageEdit(Plus)Pipeline from prompt states to raw latents: FlowMatchEulerDiscreteScheduler, true CFG on the
 * velocity with its norm rescaled per token, diffusers' rope convention.
 * @throws AppError LATENT_SIZE, CONDITIONING_WIDTH, REFERENCE_BATCH; whatever `signal` was aborted with
 */
export async function sampleDiffusers(ctx: SamplingContext, request: DiffusersRequest): Promise<Tensor<"float32">> {
  const { model, noise, trueCfgScale } = request;
  const [batch = 0, channels = 0, height = 0, width = 0] = noise.shape;
  if (batch !== 1) throw new AppError("LATENT_SIZE", `one picture at a time, not ${batch}`);
  const grid: GridSize = { h: height / 2, w: width / 2 };
  const token = channels * 4;
  const start = packLatent(noise);
  const sigmas = flowMatchSigmas(request.steps, grid.h * grid.w, request.schedule === "lightning" ? LIGHTNING_SCHEDULER : QWEN_SCHEDULER);
  const conditional = await velocityFor(ctx.compute, model, request.positive, grid, "diffusers");
  const unconditional =
    trueCfgScale > 1 && request.negative ? await velocityFor(ctx.compute, model, request.negative, grid, "diffusers") : undefined;
  let x = start.data;
  for (let i = 0; i < request.steps; i++) {
    const [sigma = 0, next = 0] = [sigmas[i], sigmas[i + 1]];
    ctx.signal.throwIfAborted();
    let v = await conditional(x, sigma);
    if (unconditional) {
      ctx.signal.throwIfAborted();
      v = trueCfg(v, await unconditional(x, sigma), trueCfgScale, token);
    }
    x = eulerStep(x, v, sigma, next);
    ctx.progress(i + 1, request.steps, `σ ${next.toFixed(4)}`);
  }
  return denormaliseLatent(unpackLatent(f32(start.shape, x), grid));
}
