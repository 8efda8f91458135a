import { AppError } from "../../../engine/base/errors.ts";
import type { RandomSource } from "../../../engine/base/random.ts";
import type { Feeds } from "../../../engine/ir/compute.ts";
import { implementNode } from "../../../engine/node/define-node.ts";
import { f32, tensor } from "../../../engine/tensor/tensor.ts";
import type { TextStates } from "../../shared/contracts/data.ts";
import type { DenoiseShape } from "../../shared/contracts/diffusion.ts";
import type { DiffusionModel } from "../../shared/contracts/modules.ts";
import { promptInput } from "../../shared/diffusion/denoise-inputs.ts";
import { tokensOf } from "../../shared/diffusion/latent-space.ts";
import { addNoise } from "../../shared/diffusion/steps.ts";
import { flopsOf } from "../cost/graph-flops.ts";
import { batchAt, streamOf } from "../loop/data-order.ts";
import { concatenated, type EncodedExample, EncodedExamples } from "./encoded-examples.ts";
import { flowMatchingLossGraph, type LossText } from "./flow-matching-loss.ts";
import { pretrain } from "./pretrain-run.ts";
import declaration from "./pretrain-transformer.node.ts";
import { Throughput } from "./throughput.ts";
import { gradientsOf, TrainedWeights } from "./trained-weights.ts";

/** A backward pass has twice the products of the forward pass. */
const BACKWARD_AND_FORWARD = 3;

export default implementNode(declaration, {
  async run({ model, vae, clip, dataset, ...i }, ctx) {
    const examples = new EncodedExamples(ctx.compute, { model, vae, clip }, dataset, i.vision_size, i.train_text_encoder);
    const batchOf = async (step: number) => {
      const batch: EncodedExample[] = [];
      for (const index of batchAt(i.seed, dataset, step, i.batch)) batch.push(await examples.get(index));
      const text = textOf(batch);
      return { batch, text, shape: shapeOf(model, batch, text) };
    };
    const graphOf = ({ shape, text }: Awaited<ReturnType<typeof batchOf>>) => flowMatchingLossGraph(model, shape, text);
    const weights = await TrainedWeights.of(ctx.compute, graphOf(await batchOf(0)));
    const { names } = weights;
    const compiled = new Map<string, { readonly flops: number; readonly run: ReturnType<typeof ctx.compute.grad> }>();
    const throughput = await Throughput.of(ctx);
    const compile = (next: Awaited<ReturnType<typeof batchOf>>) => {
      const graph = graphOf(next);
      return { flops: BACKWARD_AND_FORWARD * flopsOf(graph), run: ctx.compute.grad(graph, "loss", names, { fed: names }) };
    };
    const adam = { weightDecay: i.weight_decay, betas: [0.9, 0.99] } as const;
    const { train_text_encoder, ...options } = i;
    const identity = [model.id, vae.id, clip.id, dataset.id, ...(train_text_encoder ? ["with text encoder"] : [])];
    await pretrain(ctx, options, weights, identity, adam, async (step) => {
      const next = await batchOf(step);
      const key = JSON.stringify([next.shape, next.text.isMasked]);
      const known = compiled.get(key) ?? compile(next);
      compiled.set(key, known);
      const executable = await known.run;
      const feeds = batchFeeds(next.batch, next.shape, streamOf(i.seed, 6, step), i.shift, i.face_weight);
      const started = ctx.now();
      const results = await executable.run({ ...weights.feeds(), ...feeds, ...next.text.feeds });
      throughput.add(i.batch, known.flops, ctx.now() - started);
      const scalar = (name: string) => Number(results[name]?.data[0]);
      return { grads: gradientsOf(results, names), logs: { loss: scalar("loss"), mse: scalar("mse") } };
    });
    return {};
  },
});

/** Text of a batch: states to feed, or the function that makes them from what is fed. */
interface BatchText extends LossText {
  readonly length: number;
  readonly feeds: Feeds;
}

/** Prompts of different lengths are padded at their end, and the padding is masked. */
export function textOf(batch: readonly EncodedExample[]): BatchText {
  const prepared = batch.flatMap(({ text }) => ("batch" in text ? [text] : []));
  const [first] = prepared;
  if (first && prepared.length === batch.length) {
    const { length, real, feeds, build } = first.batch(prepared);
    return { length, isMasked: true, feeds: { ...feeds, ...textMask([batch.length, length], real) }, build };
  }
  const given = batch.flatMap(({ text }) => ("batch" in text ? [] : [text]));
  const states = given.map((t) => t.embeds);
  const [dim = 0] = states.map((t) => t.shape[2] ?? 0);
  const length = Math.max(...states.map((t) => t.shape[1] ?? 0));
  const isMasked = states.some((t) => t.shape[1] !== length);
  const data = new Float32Array(batch.length * length * dim);
  states.forEach((t, row) => {
    data.set(t.data, row * length * dim);
  });
  const real = states.flatMap((t) => Array.from({ length }, (_, k) => k < (t.shape[1] ?? 0)));
  return {
    length,
    isMasked,
    feeds: {
      [promptInput("text")]: f32([batch.length, length, dim], data),
      ...(isMasked && textMask([batch.length, length], real)),
      ...extrasOf(given),
    },
  };
}

function textMask(shape: readonly number[], real: readonly boolean[]): Feeds {
  return { [promptInput("text_mask")]: tensor("bool", shape, Uint8Array.from(real, Number)) };
}

/** Inputs of the model besides the text, one row per prompt. */
function extrasOf(given: readonly TextStates[]): Feeds {
  const [first] = given;
  return Object.fromEntries(
    Object.entries(first?.extra ?? {}).map(([name, t]) => [
      promptInput(name),
      f32([given.length, ...t.shape.slice(1)], concatenated(given.map((g) => g.extra?.[name]?.data ?? new Float32Array()))),
    ]),
  );
}

/** @throws AppError PRETRAIN_SHAPE when pictures differ in size */
export function shapeOf(
  model: Pick<DiffusionModel, "prompt">,
  batch: readonly EncodedExample[],
  { length }: Pick<BatchText, "length">,
): DenoiseShape {
  const sizes = new Set(batch.map(({ target, references }) => JSON.stringify([target, references])));
  const [first] = batch;
  if (!first || sizes.size > 1)
    throw new AppError("PRETRAIN_SHAPE", "all pictures of one update must have the same sizes", {
      hint: "use a dataset that says which of its examples go together (RenderedScenesDataset), or one with one size of scene and portrait",
    });
  const { target, references } = first;
  const prompt = Object.entries(model.prompt.shapes(length)).map(([name, [, ...rest]]) => [name, [batch.length, ...rest]] as const);
  return { batch: batch.length, target, references, prompt: Object.fromEntries(prompt), convention: "diffusers" };
}

/** Noise, times and tokens of one update. The times are spread evenly over the batch: one per stratum of u. */
export function batchFeeds(
  batch: readonly EncodedExample[],
  shape: DenoiseShape,
  rng: RandomSource,
  shift: number,
  faceWeight: number,
): Feeds {
  const n = tokensOf(shape.target);
  const width = (batch[0]?.x0.length ?? 0) / n;
  const sigma = batch.map((_, k) => {
    const u = (k + rng.uniform()) / batch.length;
    return (shift * u) / (1 + (shift - 1) * u);
  });
  const x: Float32Array[] = [];
  const target: Float32Array[] = [];
  batch.forEach(({ x0 }, k) => {
    const noise = rng.normals(new Float32Array(x0.length));
    const s = sigma[k] ?? 1;
    x.push(addNoise(x0, noise, s));
    target.push(x0.map((z, j) => (noise[j] ?? 0) - z));
  });
  const tokens = (parts: readonly Float32Array[]) => {
    const data = concatenated(parts);
    return f32([batch.length, data.length / width / batch.length, width], data);
  };
  return {
    x: tokens(x),
    target: tokens(target),
    ...(shape.references.length > 0 ? { references: tokens(batch.map((e) => e.referenceTokens)) } : {}),
    sigma: f32([batch.length], sigma),
    weight: f32([batch.length, n, 1], concatenated(batch.map((e) => e.faceShare.map((share) => 1 + (faceWeight - 1) * share)))),
  };
}
