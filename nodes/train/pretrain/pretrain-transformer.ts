import { AppError } from "../../../engine/base/errors.ts";
import type { RandomSource } from "../../../engine/base/random.ts";
import type { Feeds } from "../../../engine/ir/compute.ts";
import { implementNode } from "../../../engine/node/define-node.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import type { DenoiseShape } from "../../shared/contracts/modules.ts";
import { batchAt, streamOf } from "../loop/data-order.ts";
import { concatenated, type EncodedExample, EncodedExamples } from "./encoded-examples.ts";
import { flowMatchingLossGraph } from "./flow-matching-loss.ts";
import { pretrain } from "./pretrain-run.ts";
import declaration from "./pretrain-transformer.node.ts";
import { gradientsOf, TrainedWeights } from "./trained-weights.ts";

export default implementNode(declaration, {
  async run({ model, vae, clip, dataset, ...i }, ctx) {
    const examples = new EncodedExamples(ctx.compute, vae, clip, dataset, i.vision_size);
    const shape = shapeOf(await examples.get(0), i.batch);
    const graph = flowMatchingLossGraph(model, shape);
    const weights = await TrainedWeights.of(ctx.compute, graph);
    const { names } = weights;
    const run = await ctx.compute.grad(graph, "loss", names, { fed: names });
    const adam = { weightDecay: i.weight_decay, betas: [0.9, 0.99] } as const;
    await pretrain(ctx, i, weights, [model.id, vae.id, clip.id, dataset.id], adam, async (step) => {
      const batch: EncodedExample[] = [];
      for (const index of batchAt(i.seed, dataset, step, i.batch)) batch.push(await examples.get(index));
      const feeds = batchFeeds(batch, shape, streamOf(i.seed, 6, step), i.shift, i.face_weight);
      const results = await run.run({ ...weights.feeds(), ...feeds });
      const scalar = (name: string) => Number(results[name]?.data[0]);
      return { grads: gradientsOf(results, names), logs: { loss: scalar("loss"), mse: scalar("mse") } };
    });
    return {};
  },
});

function shapeOf(example: EncodedExample, batch: number): DenoiseShape {
  const { target, references, textLength } = example;
  return { batch, target, references, textLength, positions: "diffusers" };
}

/** Noise, times and tokens of one update. The times are spread evenly over the batch: one per stratum of u. */
export function batchFeeds(
  batch: readonly EncodedExample[],
  shape: DenoiseShape,
  rng: RandomSource,
  shift: number,
  faceWeight: number,
): Feeds {
  const wanted = JSON.stringify(shape);
  for (const e of batch)
    if (JSON.stringify(shapeOf(e, shape.batch)) !== wanted)
      throw new AppError("PRETRAIN_SHAPE", "all examples must have pictures of the same sizes and prompts of the same length", {
        hint: "use a dataset with one size of scene and portrait",
      });
  const n = shape.target.h * shape.target.w;
  const sigma = batch.map((_, k) => {
    const u = (k + rng.uniform()) / batch.length;
    return (shift * u) / (1 + (shift - 1) * u);
  });
  const x: Float32Array[] = [];
  const target: Float32Array[] = [];
  batch.forEach(({ x0 }, k) => {
    const noise = rng.normals(new Float32Array(x0.length));
    const s = sigma[k] ?? 1;
    x.push(x0.map((z, j) => (1 - s) * z + s * (noise[j] ?? 0)));
    target.push(x0.map((z, j) => (noise[j] ?? 0) - z));
  });
  const tokens = (parts: readonly Float32Array[]) => {
    const data = concatenated(parts);
    return f32([batch.length, data.length / 64 / batch.length, 64], data);
  };
  const text = concatenated(batch.map((e) => e.text));
  return {
    x: tokens(x),
    target: tokens(target),
    ...(shape.references.length > 0 ? { references: tokens(batch.map((e) => e.referenceTokens)) } : {}),
    text: f32([batch.length, shape.textLength, text.length / batch.length / shape.textLength], text),
    sigma: f32([batch.length], sigma),
    weight: f32([batch.length, n, 1], concatenated(batch.map((e) => e.faceShare.map((share) => 1 + (faceWeight - 1) * share)))),
  };
}
