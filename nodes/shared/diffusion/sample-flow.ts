import { AppError } from "../../../engine/base/errors.ts";
import type { NodeContext } from "../../../engine/node/context.ts";
import { f32, type Tensor } from "../../../engine/tensor/tensor.ts";
import type { Conditioning, Latent } from "../contracts/data.ts";
import type { DiffusionModel } from "../contracts/modules.ts";
import { tokensLatent } from "./latent-space.ts";
import { packLatent } from "./packing.ts";
import { preview } from "./preview.ts";
import { checkedState, eulerStep, x0Of } from "./steps.ts";
import { velocityFor } from "./velocity.ts";

/** What sampling needs from its surroundings. */
export type SamplingContext = Pick<NodeContext, "compute" | "signal" | "progress" | "wantsPreview">;

export interface FlowRequest {
  readonly model: DiffusionModel;
  readonly positive: Conditioning;
  /** Without it there is no guidance. */
  readonly negative?: Conditioning | undefined;
  /** Standard normal latents [1,C,h,w], sides multiples of the patch: they set the size. */
  readonly noise: Tensor<"float32">;
  /** Scale of the model's own guidance; the model decides which scales mean none. */
  readonly scale: number;
  /** σ_0 … 0; the model's schedule gives them. */
  readonly sigmas: readonly number[];
}

/**
 * The model's own pipeline from prompt states to raw latents, in diffusers' arithmetic: Euler steps, guidance on the velocity.
 * The result has the statistics of the last reference picture, else the model's own.
 * @throws AppError LATENT_SIZE, SAMPLING_NAN, CONDITIONING_WIDTH, REFERENCE_BATCH; whatever `signal` was aborted with
 */
export async function sampleFlow(ctx: SamplingContext, request: FlowRequest): Promise<Latent> {
  const { model, positive, negative, noise, sigmas } = request;
  const { latentSpace: space } = model;
  const [batch = 0, , height = 0, width = 0] = noise.shape;
  if (batch !== 1) throw new AppError("LATENT_SIZE", `one picture at a time, not ${batch}`);
  const start = packLatent(noise, space.patch);
  const grid = { h: height / space.patch, w: width / space.patch };
  const guidance = negative ? model.guidance(request.scale) : null;
  const conditional = await velocityFor(ctx.compute, model, positive, grid, "diffusers");
  const branches = [];
  for (const { conditioning } of negative && guidance ? guidance.branches : [])
    if (negative) branches.push(await velocityFor(ctx.compute, model, conditioning(positive, negative), grid, "diffusers"));
  const steps = sigmas.length - 1;
  const latentOf = (tokens: Float32Array): Latent => tokensLatent(space, f32(start.shape, tokens), grid, statisticsOf(positive));
  let x = start.data;
  for (let i = 0; i < steps; i++) {
    const [sigma = 0, next = 0] = [sigmas[i], sigmas[i + 1]];
    ctx.signal.throwIfAborted();
    let v = await conditional(x, sigma);
    if (guidance) {
      const others = [];
      for (const branch of branches) {
        ctx.signal.throwIfAborted();
        others.push(await branch(x, sigma));
      }
      v = guidance.combine(v, others).v;
    }
    const picture = await preview(ctx, positive, () => latentOf(x0Of(x, v, sigma)));
    x = checkedState(eulerStep(x, v, sigma, next), i + 1, sigma);
    ctx.progress(i + 1, steps, `σ ${next.toFixed(4)}`, picture);
  }
  return latentOf(x);
}

/** What the raw latents of a result belong to: the last reference picture's. */
export function statisticsOf({ referenceLatents }: Conditioning): Latent["statistics"] {
  return referenceLatents.findLast(({ statistics }) => statistics !== undefined)?.statistics;
}
