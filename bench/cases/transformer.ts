// The product's transformer: one evaluation, or one LoRA training step.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { randomSource } from "../../engine/base/random.ts";
import { readSafetensors, writeSafetensors } from "../../engine/formats/safetensors.ts";
import type { Compute, Feeds } from "../../engine/ir/compute.ts";
import { adamWState, adamWStep, globalNorm } from "../../engine/nn/adamw.ts";
import { openWeightSet } from "../../engine/store/weight-set.ts";
import { expectDType, f32, type Tensor } from "../../engine/tensor/tensor.ts";
import { loadTransformer } from "../../nodes/qwen/transformer/load-transformer.ts";
import type { DenoiseShape } from "../../nodes/shared/contracts/diffusion.ts";
import type { Adapter, DiffusionModel } from "../../nodes/shared/contracts/modules.ts";
import { promptInput } from "../../nodes/shared/diffusion/denoise-inputs.ts";
import { ATTENTION_TARGETS } from "../../nodes/train/attention-targets.ts";
import { newAdapters } from "../../nodes/train/loop/adapters.ts";
import { velocityGraph, velocityLossGraph, weightNames } from "../../nodes/train/model/training-graphs.ts";
import { tinyTransformer } from "../../tools/tiny-transformer.ts";
import type { TransformerTask, Work } from "../task.ts";

/** Writes random weights and inputs for both sides. The same seed gives the same files. */
export function writeTransformer(task: TransformerTask, seed: number, write: (name: string, bytes: Uint8Array) => void): void {
  const { heads, headDim, layers, axes, textDim, grid, textLength, rank } = task;
  const { tensors, metadata } = tinyTransformer(seed, { layers, heads, headDim, axes, jointAttentionDim: textDim, zeroCond: false });
  write("weights.safetensors", writeSafetensors(tensors, metadata));
  const rng = randomSource(seed + 1);
  const normal = (shape: readonly number[], gain = 1) =>
    f32(
      shape,
      rng.normals(new Float32Array(shape.reduce((a, d) => a * d, 1))).map((x) => gain * x),
    );
  const tokens = [1, grid[0] * grid[1], 64];
  const inputs = new Map<string, Tensor>([
    ["x", normal(tokens)],
    ["target", normal(tokens)],
    ["text", normal([1, textLength, textDim])],
    ["sigma", f32([1], [0.6])],
  ]);
  const width = heads * headDim;
  for (let i = 0; i < layers; i++)
    for (const layer of ATTENTION_TARGETS) {
      const path = `transformer_blocks.${i}.attn.${layer}`;
      inputs.set(`${path}.lora_A`, normal([rank, width], 1 / Math.sqrt(width)));
      inputs.set(`${path}.lora_B`, normal([width, rank], 0.02));
    }
  write("inputs.safetensors", writeSafetensors(inputs));
}

export async function transformerWork(compute: Compute, task: TransformerTask): Promise<Work> {
  const { model } = await loadTransformer(await openWeightSet(task.name, join(task.folder, "weights.safetensors"), [task.folder]));
  const inputs = readSafetensors(readFileSync(join(task.folder, "inputs.safetensors"))).tensors;
  const get = (name: string): Tensor<"float32"> => {
    const t = inputs.get(name);
    if (!t) throw new RangeError(`inputs have no ${name}`);
    return f32(t.shape, expectDType(t, "float32", name));
  };
  const shape: DenoiseShape = {
    batch: 1,
    target: { h: task.grid[0], w: task.grid[1] },
    references: [],
    prompt: model.prompt.shapes(task.textLength),
    convention: "diffusers",
  };
  const feeds: Feeds = { x: get("x"), [promptInput("text")]: get("text"), sigma: get("sigma") };
  return task.kind === "forward" ? forward(compute, model, shape, feeds) : step(compute, model, shape, feeds, task.rank, get);
}

async function forward(compute: Compute, model: DiffusionModel, shape: DenoiseShape, feeds: Feeds): Promise<Work> {
  const executable = await compute.compile(velocityGraph(model, shape));
  const run = async () => expectDType((await executable.run(feeds)).v ?? f32([], []), "float32", "v");
  return { run, check: async () => [globalNorm(new Map([["v", await run()]]))] };
}

async function step(
  compute: Compute,
  model: DiffusionModel,
  shape: DenoiseShape,
  feeds: Feeds,
  rank: number,
  get: (name: string) => Tensor<"float32">,
): Promise<Work> {
  const adapters: readonly Adapter[] = newAdapters(model, ATTENTION_TARGETS, rank, rank, 0).map((a) => ({
    ...a,
    a: get(`${a.target}.lora_A`),
    b: get(`${a.target}.lora_B`),
  }));
  const graph = velocityLossGraph(model.withAdapters(adapters), shape);
  const all = new Map(adapters.flatMap((a) => [[a.nameA, a.a] as const, [a.nameB, a.b] as const]));
  const names = weightNames(graph).filter((name) => all.has(name));
  const params = new Map([...all].filter(([name]) => names.includes(name)).map(([name, t]) => [name, t.data]));
  const executable = await compute.grad(graph, "loss", names, { fed: names });
  const gradients = async () => {
    const results = await executable.run({
      ...feeds,
      ...Object.fromEntries(names.map((name) => [name, all.get(name) ?? f32([], [])])),
      cotangent: f32(get("target").shape, new Float32Array(get("target").data.length)),
      target: get("target"),
      weight: f32([], [1]),
    });
    const grads = new Map(names.map((name) => [name, expectDType(results[`grad.${name}`] ?? f32([], []), "float32", name)]));
    return { loss: Number(results.loss?.data[0]), grads };
  };
  const state = adamWState(params);
  return {
    async run() {
      const { grads } = await gradients();
      adamWStep(params, grads, state, 1e-5);
    },
    async check() {
      const { loss, grads } = await gradients();
      return [loss, globalNorm(grads)];
    },
  };
}
