import { AppError } from "../../../engine/base/errors.ts";
import { implementNode } from "../../../engine/node/define-node.ts";
import { f32, type Tensor } from "../../../engine/tensor/tensor.ts";
import type { Dataset, Image } from "../../shared/contracts/data.ts";
import { batchAt, streamOf } from "../loop/data-order.ts";
import { autoencoderLossGraph } from "./autoencoder-loss.ts";
import { crops } from "./face-crops.ts";
import { pretrain } from "./pretrain-run.ts";
import declaration from "./pretrain-vae.node.ts";
import { gradientsOf, TrainedWeights } from "./trained-weights.ts";

/** Weights between the latent and the picture, by their names in the graph. */
const DECODER = /^vae\.(decoder|post_quant_conv)\./;

export default implementNode(declaration, {
  async run({ vae, dataset, ...i }, ctx) {
    const graphOf = (height: number, width: number) =>
      autoencoderLossGraph(vae, { batch: i.batch, height, width, momentWeight: i.moment_weight });
    const isTrained = (name: string) => i.parts === "all" || DECODER.test(name);
    const weights = await TrainedWeights.of(ctx.compute, graphOf(64, 64), isTrained);
    const { names } = weights;
    if (i.crop % vae.cell !== 0)
      throw new AppError("PRETRAIN_SIZE", `crop is ${i.crop}, which is no multiple of ${vae.cell}, the side of a latent's cell`, {
        hint: `${Math.ceil(i.crop / vae.cell) * vae.cell} would do`,
      });
    const compiled = new Map<string, ReturnType<typeof ctx.compute.grad>>();
    await pretrain(ctx, i, weights, [vae.id, dataset.id], { weightDecay: 0 }, async (step) => {
      const image = planes(await (i.crop > 0 ? crops(dataset, i, step) : pictures(dataset, i.seed, step, i.batch)));
      const [, , height = 0, width = 0] = image.shape;
      const key = `${height}x${width}`;
      const compiling = compiled.get(key) ?? ctx.compute.grad(graphOf(height, width), "loss", names, { fed: names });
      compiled.set(key, compiling);
      const latent = [i.batch, vae.channels, height / vae.cell, width / vae.cell];
      const noise = streamOf(i.seed, 5, step).normals(new Float32Array(latent.reduce((a, d) => a * d, 1)));
      const scaled = f32(
        latent,
        noise.map((x) => x * i.latent_noise),
      );
      const results = await (await compiling).run({ ...weights.feeds(), image, noise: scaled });
      const scalar = (name: string) => Number(results[name]?.data[0]);
      return {
        grads: gradientsOf(results, names),
        logs: { loss: scalar("loss"), psnr: -10 * Math.log10(scalar("mse")), moments: scalar("moments") },
      };
    });
    return {};
  },
});

/** Update `step`'s pictures: scenes at even steps, portraits at odd ones. All are of one size. */
async function pictures(dataset: Dataset, seed: number, step: number, batch: number): Promise<readonly Image[]> {
  const found: Image[] = [];
  for (const index of batchAt(seed, dataset, step, batch)) {
    const example = await dataset.example("train", index);
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
