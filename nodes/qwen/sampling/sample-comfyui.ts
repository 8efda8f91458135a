import { AppError } from "../../../engine/base/errors.ts";
import type { NodeContext } from "../../../engine/node/context.ts";
import { f32, type Tensor } from "../../../engine/tensor/tensor.ts";
import type { Conditioning } from "../../shared/contracts/data.ts";
import type { DiffusionModel } from "../../shared/contracts/modules.ts";
import { packLatent, unpackLatent } from "../../shared/diffusion/packing.ts";
import { cfg, cfgNorm } from "./guidance.ts";
import { cropLatent, denormaliseLatent, normaliseLatent, padToEven } from "./latent-space.ts";
import { modelSampling } from "./model-sampling.ts";
import { type Sampler, sample } from "./samplers.ts";
import { type Scheduler, schedule } from "./schedulers.ts";
import { addNoise, x0Of } from "./steps.ts";
import { type Velocity, velocityFor } from "./velocity.ts";

/** What sampling needs of the world. */
export type SamplingContext = Pick<NodeContext, "compute" | "signal" | "progress">;

export interface ComfyuiRequest {
  readonly model: DiffusionModel;
  readonly positive: Conditioning;
  readonly negative: Conditioning;
  /** Raw latents [B,16,H,W]: the size of the result and, with denoise below 1, where it starts. */
  readonly latent: Tensor<"float32">;
  /** Standard normal numbers, one per latent element. */
  readonly noise: Float32Array;
  readonly steps: number;
  readonly cfg: number;
  readonly sampler: Sampler;
  readonly scheduler: Scheduler;
  readonly denoise: number;
}

/**
 * KSampler's arithmetic: guidance and CFGNorm on x0 in latent space, ComfyUI's rope convention, the model's own shift.
 * At cfg 1 the negative prompt is not evaluated. Returns raw latents of the shape given.
 * @throws AppError LATENT_CHANNELS, CONDITIONING_WIDTH, REFERENCE_BATCH, SAMPLING_SHIFT; whatever `signal` was aborted with
 */
export async function sampleComfyui(ctx: SamplingContext, request: ComfyuiRequest): Promise<Tensor<"float32">> {
  const { model, latent } = request;
  const sigmas = schedule(request.scheduler, modelSampling(model.shift), request.steps, request.denoise);
  const [first] = sigmas;
  if (first === undefined) return latent;
  if (request.noise.length !== latent.data.length)
    throw new AppError("SAMPLING_NOISE", `${request.noise.length} noise values for a latent of ${latent.data.length}`);
  // ComfyUI leaves an all-zero latent as it is: zero is "empty" there, not a colour.
  const start = latent.data.some((z) => z !== 0) ? normaliseLatent(latent) : latent;
  const noisy = addNoise(start.data, request.noise, first);
  const denoise = await guidedX0(ctx, request);
  const x = await sample(request.sampler, denoise, noisy, sigmas, (i) =>
    ctx.progress(i + 1, sigmas.length - 1, `σ ${(sigmas[i + 1] ?? 0).toFixed(4)}`),
  );
  return denormaliseLatent(f32(latent.shape, x));
}

/** The guided x0 of all latents of the batch, one after the other. */
async function guidedX0(ctx: SamplingContext, { model, positive, negative, latent, cfg: scale }: ComfyuiRequest) {
  const [batch = 0, channels = 0, height = 0, width = 0] = latent.shape;
  const one = [1, channels, height, width];
  const size = channels * height * width;
  const grid = { h: Math.ceil(height / 2), w: Math.ceil(width / 2) };
  const x0From = (velocity: Velocity) => async (x: Float32Array, sigma: number) => {
    ctx.signal.throwIfAborted();
    const tokens = await velocity(packLatent(padToEven(f32(one, x))).data, sigma);
    const v = unpackLatent(f32([1, grid.h * grid.w, channels * 4], tokens), grid);
    return x0Of(x, cropLatent(v, height, width).data, sigma);
  };
  const conditional = x0From(await velocityFor(ctx.compute, model, positive, grid, "comfyui"));
  const unconditional = scale === 1 ? undefined : x0From(await velocityFor(ctx.compute, model, negative, grid, "comfyui"));
  return async (x: Float32Array, sigma: number): Promise<Float32Array> => {
    const out = new Float32Array(x.length);
    for (let i = 0; i < batch; i++) {
      const part = x.subarray(i * size, (i + 1) * size);
      const cond = await conditional(part, sigma);
      const guided = unconditional ? cfg(cond, await unconditional(part, sigma), scale) : cond;
      out.set(model.cfgNorm === undefined ? guided : cfgNorm(cond, guided, model.cfgNorm, channels), i * size);
    }
    return out;
  };
}
