// What the tiny transformer gives, forward and backward, for tests of how its weights are kept.
import type { Compute } from "../engine/ir/compute.ts";
import type { WeightFile } from "../engine/node/context.ts";
import { newBuilder } from "../engine/ops/table.ts";
import { expectDType, f32 } from "../engine/tensor/tensor.ts";
import { torchRandn } from "../engine/tensor/torch-random.ts";
import { loadTransformer } from "../nodes/qwen/transformer/load-transformer.ts";

/** Velocity, and gradients to the picture and to an adapter's B in the first block: 1024, 1024 and 512 numbers. */
export async function transformerResults(
  compute: Compute,
  file: WeightFile,
): Promise<{ readonly strategies: readonly string[]; readonly values: number[][] }> {
  const { model } = await loadTransformer(file);
  const b = newBuilder();
  const [a, up] = [f32([4, 128], torchRandn(3, 512)), f32([128, 4], torchRandn(4, 512))];
  const adapter = { target: "transformer_blocks.0.attn.to_q", nameA: "A", nameB: "B", a, b: up, scale: 0.1 };
  const v = model.withAdapters([adapter]).build(b, {
    shape: { batch: 1, target: { h: 4, w: 4 }, references: [{ h: 2, w: 4 }], prompt: { text: [1, 5, 64] }, convention: "comfyui" },
    x: b.input("x", "float32", [1, 16, 64]),
    references: b.input("references", "float32", [1, 8, 64]),
    sigma: b.input("sigma", "float32", [1]),
    prompt: { text: b.input("text", "float32", [1, 5, 64]) },
  });
  const graph = b.graph({ v, loss: b.mean(b.mul(v, v)) });
  const feeds = {
    x: f32([1, 16, 64], torchRandn(1, 1024)),
    references: f32([1, 8, 64], torchRandn(2, 512)),
    text: f32([1, 5, 64], torchRandn(5, 320)),
    sigma: f32([1], [0.6]),
  };
  const forward = await compute.compile(graph);
  const gradient = await compute.grad(graph, "loss", ["x", "B"]);
  const { v: velocity } = await forward.run(feeds);
  const { "grad.x": x, "grad.B": B } = await gradient.run(feeds);
  const values = [velocity, x, B].map((t) => [...(t ? expectDType(t, "float32", "a result") : [])]);
  return { strategies: [forward.strategy, gradient.strategy], values };
}
