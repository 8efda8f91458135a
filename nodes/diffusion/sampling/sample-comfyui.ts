import { AppError } from "../../../engine/base/errors.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import type { Conditioning, Latent } from "../../shared/contracts/data.ts";
import type { DiffusionModel } from "../../shared/contracts/modules.ts";
import { cfg } from "../../shared/diffusion/guidance.ts";
import { cropLatent, denormaliseLatent, normaliseLatent, padToPatch } from "../../shared/diffusion/latent-space.ts";
import { packLatent, unpackLatent } from "../../shared/diffusion/packing.ts";
import { type SamplingContext, statisticsOf } from "../../shared/diffusion/sample-flow.ts";
import { addNoise, x0Of } from "../../shared/diffusion/steps.ts";
import { type Velocity, velocityFor } from "../../shared/diffusion/velocity.ts";
import { type Sampler, sample } from "./samplers.ts";
import { type Scheduler, schedule } from "./schedulers.ts";

export interface ComfyuiRequest {
  readonly model: DiffusionModel;
  readonly positive: Conditioning;
  readonly negative: Conditioning;
  /** Raw latents [B,C,h,w]: the size of the result and, with denoise below 1, where it starts. */
  readonly latent: Latent;
  /** Standard normal numbers, one per latent element. */
  readonly noise: Float32Array;
  readonly steps: number;
  readonly cfg: number;
  readonly sampler: Sampler;
  readonly scheduler: Scheduler;
  readonly denoise: number;
}

/**
 * KSampler's arithmetic: guidance on x0 in latent space, what nodes do after it (CFGNorm), ComfyUI's conventions, the noise levels
 * of the model or of a node. At cfg 1 the negative prompt is not evaluated. Returns raw latents of the shape given.
 * @throws AppError LATENT_CHANNELS, CONDITIONING_WIDTH, REFERENCE_BATCH; whatever `signal` was aborted with
 */
export async function sampleComfyui(ctx: SamplingContext, request: ComfyuiRequest): Promise<Latent> {
  const { model, latent, positive } = request;
  const { samples } = latent;
  const sigmas = schedule(request.scheduler, model.sampling, request.steps, request.denoise);
  const [first] = sigmas;
  if (first === undefined) return latent;
  if (request.noise.length !== samples.data.length)
    throw new AppError("SAMPLING_NOISE", `${request.noise.length} noise values for a latent of ${samples.data.length}`);
  // ComfyUI leaves an all-zero latent as it is: zero is "empty" there, not a colour.
  const start = samples.data.some((z) => z !== 0) ? normaliseLatent(model.latentSpace, latent) : samples;
  const noisy = addNoise(start.data, request.noise, first);
  const denoise = await guidedX0(ctx, request);
  const x = await sample(request.sampler, denoise, noisy, sigmas, (i) =>
    ctx.progress(i + 1, sigmas.length - 1, `σ ${(sigmas[i + 1] ?? 0).toFixed(4)}`),
  );
  return denormaliseLatent(model.latentSpace, f32(samples.shape, x), latent.statistics ?? statisticsOf(positive));
}

/** The guided x0 of all latents of the batch, one after the other. */
async function guidedX0(ctx: SamplingContext, { model, positive, negative, latent, cfg: scale }: ComfyuiRequest) {
  const { patch } = model.latentSpace;
  const [batch = 0, channels = 0, height = 0, width = 0] = latent.samples.shape;
  const one = [1, channels, height, width];
  const size = channels * height * width;
  const grid = { h: Math.ceil(height / patch), w: Math.ceil(width / patch) };
  const x0From = (velocity: Velocity) => async (x: Float32Array, sigma: number) => {
    ctx.signal.throwIfAborted();
    const packed = packLatent(padToPatch(f32(one, x), patch), patch);
    const v = unpackLatent(f32(packed.shape, await velocity(packed.data, sigma)), grid, patch);
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
      out.set(model.postCfg?.apply(cond, guided, channels) ?? guided, i * size);
    }
    return out;
  };
}
