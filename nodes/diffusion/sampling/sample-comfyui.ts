import { AppError } from "../../../engine/base/errors.ts";
import type { NodeContext, PreviewPicture } from "../../../engine/node/context.ts";
import { f32, type Tensor, zerosTensor } from "../../../engine/tensor/tensor.ts";
import { torchGenerator, torchRandn } from "../../../engine/tensor/torch-random.ts";
import type { Latent, Mask } from "../../shared/contracts/data.ts";
import type { NoiseSource } from "../../shared/contracts/diffusion.ts";
import type { Guider } from "../../shared/contracts/modules.ts";
import { cfg } from "../../shared/diffusion/guidance.ts";
import { cropLatent, denormaliseLatent, normaliseLatent, padToPatch } from "../../shared/diffusion/latent-space.ts";
import { packLatent, unpackLatent } from "../../shared/diffusion/packing.ts";
import { preview } from "../../shared/diffusion/preview.ts";
import { type SamplingContext, statisticsOf } from "../../shared/diffusion/sample-flow.ts";
import { addNoise, x0Of } from "../../shared/diffusion/steps.ts";
import { type Velocity, velocityFor } from "../../shared/diffusion/velocity.ts";
import { bilinearResize } from "../../shared/pictures/resize/bilinear.ts";
import { type BrownianNoise, brownianTree } from "./brownian-tree.ts";
import { SAMPLERS } from "./sampler-names.ts";
import { sample } from "./samplers.ts";
import type { Denoise } from "./solver.ts";

export interface ComfyuiRequest {
  readonly guider: Guider;
  /** Raw latents [B,C,h,w]: the size of the result and, where noise does not cover it, where it starts. */
  readonly latent: Latent;
  readonly noise: NoiseSource;
  /** One of {@link SAMPLERS}. */
  readonly sampler: string;
  /** Descending. */
  readonly sigmas: Float32Array;
}

export interface Sampled {
  /** Raw latents. */
  readonly output: Latent;
  /** What the last evaluation made of its input: the picture so far, when the noise levels do not end in 0. */
  readonly denoised: Latent;
}

/**
 * KSampler's and SamplerCustomAdvanced's arithmetic: guidance on x0 in latent space, what nodes do after it (CFGNorm), ComfyUI's
 * conventions. At cfg 1 the negative prompt is not evaluated. An empty latent takes the channels of the model.
 * @throws AppError LATENT_CHANNELS, CONDITIONING_WIDTH, REFERENCE_BATCH, SAMPLING_NAN; whatever `signal` was aborted with
 */
export async function sampleComfyui(ctx: SamplingContext & Pick<NodeContext, "log">, request: ComfyuiRequest): Promise<Sampled> {
  const { guider, noise: source, sigmas } = request;
  const { model, positive } = guider;
  const sampler = SAMPLERS.find((name) => name === request.sampler);
  if (!sampler) throw new AppError("SAMPLER", `there is no sampler ${request.sampler}`, { hint: `use ${SAMPLERS.join(", ")}` });
  if (sampler.endsWith("_gpu"))
    ctx.log(
      "warn",
      `${sampler}: a graphics card draws noise of its own; here it is what ComfyUI draws without one, as ${sampler.slice(0, -4)} does`,
    );
  const latent = fitted(request.latent, model.latentSpace.channels);
  const { samples } = latent;
  const [first] = sigmas;
  if (first === undefined) return { output: latent, denoised: latent };
  const count = samples.data.length;
  // ComfyUI leaves an all-zero latent as it is: zero is "empty" there, not a colour.
  const start = samples.data.some((z) => z !== 0) ? normaliseLatent(model.latentSpace, latent) : samples;
  const noise = source.values ?? (source.seed === null ? new Float32Array(count) : torchRandn(source.seed, count));
  if (noise.length !== count) throw new AppError("SAMPLING_NOISE", `${noise.length} noise values for a latent of ${count}`);
  const again = torchGenerator(BigInt(source.seed ?? 0) + 1n);
  const guided = await guidedX0(ctx, guider, samples.shape);
  const raw = (data: Float32Array): Latent => ({
    ...latent,
    ...denormaliseLatent(model.latentSpace, f32(samples.shape, data), latent.statistics ?? statisticsOf(positive)),
  });
  let picture: PreviewPicture | undefined;
  let last = start.data;
  // ComfyUI's one difference between ddim and euler: what lies outside a mask gets noise of its own.
  const around = sampler === "ddim" ? torchRandn(BigInt(source.seed ?? 0) + 1n, count) : noise;
  const inside = latent.noiseMask && insideMask(latent.noiseMask, samples.shape, start.data, around);
  const denoise: Denoise = async (x, sigma) => {
    last = inside ? inside.after(await guided(inside.before(x, sigma), sigma)) : await guided(x, sigma);
    picture = await preview(ctx, positive, () => raw(last));
    return last;
  };
  const seed = BigInt(source.seed ?? 0);
  let path: BrownianNoise | undefined;
  const run = {
    start: addNoise(start.data, noise, first),
    sigmas: [...sigmas],
    denoise,
    noise: () => again(count),
    brownian(sigma: number, next: number): Float32Array {
      path ??= brownianTree(seed, Math.min(...sigmas.filter((s) => s > 0)), Math.max(...sigmas), count);
      return path(sigma, next);
    },
    sampling: model.sampling,
  };
  const x = await sample(sampler, run, (i) => ctx.progress(i + 1, sigmas.length - 1, `σ ${(sigmas[i + 1] ?? 0).toFixed(4)}`, picture));
  const end = sigmas.at(-1) ?? 0;
  return { output: raw(end === 0 ? x : x.map((value) => value / (1 - end))), denoised: raw(last) };
}

/** An empty latent of other channels than the model's, such as EmptyLatentImage's four, is one of the model's. */
function fitted(latent: Latent, channels: number): Latent {
  const [batch = 0, own = 0, h = 0, w = 0] = latent.samples.shape;
  const isOther = own !== channels && latent.samples.shape.length === 4 && latent.samples.data.every((z) => z === 0);
  return isOther ? { ...latent, samples: zerosTensor("float32", [batch, channels, h, w]) } : latent;
}

/** Keeps what lies outside a mask: it goes in as the latent at this noise level, and comes out as it was. */
function insideMask(mask: Mask, shape: readonly number[], latent: Float32Array, noise: Float32Array) {
  const [batch = 0, channels = 0, height = 0, width = 0] = shape;
  const [mh = 0, mw = 0] = mask.shape.slice(-2);
  const { data } = bilinearResize(f32([mask.data.length / (mh * mw), mh, mw, 1], mask.data), { width, height });
  const masks = data.length / (height * width);
  const weight = new Float32Array(latent.length);
  for (let b = 0; b < batch; b++)
    for (let c = 0; c < channels; c++) {
      const from = (b % masks) * height * width;
      weight.set(data.subarray(from, from + height * width), (b * channels + c) * height * width);
    }
  const blend = (a: Float32Array, b: Float32Array): Float32Array =>
    a.map((x, i) => x * (weight[i] ?? 1) + (b[i] ?? 0) * (1 - (weight[i] ?? 1)));
  return {
    before: (x: Float32Array, sigma: number): Float32Array => blend(x, addNoise(latent, noise, sigma)),
    after: (x0: Float32Array): Float32Array => blend(x0, latent),
  };
}

/** The guided x0 of all latents of the batch, one after the other. */
async function guidedX0(ctx: SamplingContext, { model, positive, negative, cfg: scale }: Guider, shape: Tensor["shape"]) {
  const { patch } = model.latentSpace;
  const [batch = 0, channels = 0, height = 0, width = 0] = shape;
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
