import { z } from "zod";
import { AppError } from "../../../engine/base/errors.ts";
import { sha256 } from "../../../engine/base/hash.ts";
import { LR_SCHEDULES } from "../../../engine/nn/lr-schedule.ts";
import { defineNode, input, widget } from "../../../engine/node/define-node.ts";
import { f32, type Tensor } from "../../../engine/tensor/tensor.ts";
import { DATASET, type Dataset, type Image, VAE } from "../../shared/sockets.ts";
import { exampleAt, streamOf } from "../data-order.ts";
import { freshState, trainLoop } from "../train-loop.ts";
import { autoencoderLossGraph } from "./autoencoder-loss.ts";
import { gradientsOf, TrainedWeights } from "./trained-weights.ts";

/** Weights between the latent and the picture, by their names in the graph. */
const DECODER = /^vae\.(decoder|post_quant_conv)\./;

const count = (min: number, max: number, initial: number) => z.number().int().min(min).max(max).default(initial);
const real = (min: number, max: number, initial: number) => z.number().min(min).max(max).default(initial);

export default defineNode({
  type: "PretrainVAE",
  version: "1.0.0",
  category: "train",
  summary: "Trains a VAE to give back the pictures of a dataset, from a latent that looks like unit noise to the samplers.",
  inputs: {
    vae: input(VAE),
    dataset: input(DATASET),
    parts: widget(z.enum(["all", "decoder"]).default("all"), {
      tooltip: "decoder: the latents stay what they are, so a transformer trained on them stays good",
    }),
    steps: widget(count(1, 1_000_000, 1500), { tooltip: "Updates; scenes and portraits take turns" }),
    batch: widget(count(1, 256, 4), { tooltip: "Pictures per update" }),
    learning_rate: widget(real(0, 1, 0.002), { step: 1e-5 }),
    lr_schedule: widget(z.enum(LR_SCHEDULES).default("cosine")),
    warmup: widget(count(0, 100_000, 50)),
    max_grad_norm: widget(real(0, 1e6, 1), { tooltip: "0 = no clipping" }),
    ema_decay: widget(real(0, 0.999999, 0.99), { tooltip: "0 = off; else the average is what comes out" }),
    latent_noise: widget(real(0, 1, 0.05), { tooltip: "Standard deviation added to the normalised latent: what a sampler gets wrong" }),
    moment_weight: widget(real(0, 1e6, 0.05), { tooltip: "Holds each latent channel near mean 0 and variance 1" }),
    checkpoint_every: widget(count(1, 100_000, 100)),
    prefix: widget(z.string().min(1).default("pretrain/vae"), { tooltip: "Name of the weight file below the output directory" }),
    seed: widget(z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0)),
  },
  outputs: {},
  isOutput: true,
  cache: "seeded",
  stop: "finish",
  async run(i, ctx) {
    const { vae: _v, dataset: _d, checkpoint_every: _c, prefix: _p, ...settings } = i;
    const fingerprint = sha256(JSON.stringify([i.vae.id, i.dataset.id, settings]));
    const graphOf = (height: number, width: number) =>
      autoencoderLossGraph(i.vae, { batch: i.batch, height, width, momentWeight: i.moment_weight });
    const isTrained = (name: string) => i.parts === "all" || DECODER.test(name);
    const weights = await TrainedWeights.of(ctx.compute, graphOf(64, 64), isTrained);
    const { names, params, shapes } = weights;
    const state = freshState(params, shapes, i.ema_decay > 0);
    const dir = await ctx.runDirectory(`pretrain-${fingerprint.slice(0, 12)}`);
    const compiled = new Map<string, ReturnType<typeof ctx.compute.grad>>();
    const finished = await trainLoop(
      ctx,
      dir,
      state,
      {
        steps: i.steps,
        accumulate: 1,
        lr: i.learning_rate,
        schedule: i.lr_schedule,
        warmup: i.warmup,
        maxGradNorm: i.max_grad_norm,
        adam: { weightDecay: 0 },
        emaDecay: i.ema_decay,
        checkpointEvery: i.checkpoint_every,
        fingerprint,
      },
      {
        micro: async (_, step) => {
          const image = planes(await pictures(i.dataset, i.seed, step, i.batch));
          const [, , height = 0, width = 0] = image.shape;
          const key = `${height}x${width}`;
          const run = await (compiled.get(key) ??
            compiled.set(key, ctx.compute.grad(graphOf(height, width), "loss", names, { fed: names })).get(key));
          if (!run) throw new AppError("INTERNAL", `nothing was compiled for ${key}`);
          const latent = [i.batch, i.vae.latentsMean.length, height / 8, width / 8];
          const noise = streamOf(i.seed, 5, step).normals(new Float32Array(latent.reduce((a, d) => a * d, 1)));
          const results = await run.run({
            ...weights.feeds(),
            image,
            noise: f32(
              latent,
              noise.map((x) => x * i.latent_noise),
            ),
          });
          const scalar = (name: string) => Number(results[name]?.data[0]);
          return {
            grads: gradientsOf(results, names),
            logs: { loss: scalar("loss"), psnr: -10 * Math.log10(scalar("mse")), moments: scalar("moments") },
          };
        },
      },
    );
    if (!finished)
      throw new AppError("CANCELLED", `stopped after update ${state.adam.step} of ${i.steps}; the checkpoint is in ${dir.path}`, {
        hint: "run the same command again to continue",
      });
    await ctx.saveAs(`${i.prefix}.safetensors`, weights.file(state.ema ?? state.params, { steps: String(i.steps) }));
    return {};
  },
});

/** Update `step`'s pictures: scenes at even steps, portraits at odd ones. All are of one size. */
async function pictures(dataset: Dataset, seed: number, step: number, batch: number): Promise<readonly Image[]> {
  const found: Image[] = [];
  for (let k = 0; k < batch; k++) {
    const example = await dataset.example("train", exampleAt(seed, dataset.train, step * batch + k));
    const portrait = example.references[Math.floor(step / 2) % Math.max(1, example.references.length)];
    found.push(step % 2 === 0 || !portrait ? example.target : portrait);
  }
  return found;
}

/** IMAGEs [1,H,W,3] of one size in 0..1 → [B,3,H,W] in -1..1. */
function planes(images: readonly Image[]): Tensor<"float32"> {
  const [, height = 0, width = 0] = images[0]?.shape ?? [];
  const area = height * width;
  const data = new Float32Array(images.length * 3 * area);
  images.forEach((image, n) => {
    if (image.shape[1] !== height || image.shape[2] !== width)
      throw new AppError(
        "PRETRAIN_SIZE",
        `pictures of one update must be of one size: ${width}×${height} and ${image.shape[2]}×${image.shape[1]}`,
      );
    for (let p = 0; p < area; p++) for (let c = 0; c < 3; c++) data[(n * 3 + c) * area + p] = 2 * (image.data[p * 3 + c] ?? 0) - 1;
  });
  return f32([images.length, 3, height, width], data);
}
