// A model larger than memory runs block by block from its file.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Compute } from "../../../engine/ir/compute.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { createRuntime } from "../../../engine/ort/runtime.ts";
import { ModelFolders } from "../../../engine/store/model-folders.ts";
import { expectDType, f32 } from "../../../engine/tensor/tensor.ts";
import { torchRandn } from "../../../engine/tensor/torch-random.ts";
import { tinyCheckpoint } from "../../../tools/tiny-checkpoint.ts";
import { loadTransformer } from "./load-transformer.ts";

const FILE = "diffusion_models/qwen_image_edit_tiny.safetensors";
let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "streaming-"));
  mkdirSync(join(dir, "diffusion_models"));
  writeFileSync(join(dir, FILE), tinyCheckpoint(0).get(FILE) ?? "");
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Velocity, and gradients to the picture and to an adapter's B in the first block. */
async function results(compute: Compute): Promise<(readonly (number | string)[])[]> {
  const { model } = await loadTransformer(
    await new ModelFolders({ roots: [dir], allowed: {} }).open("diffusion_models", "qwen_image_edit_tiny.safetensors"),
  );
  const target = "transformer_blocks.0.attn.to_q";
  const adapter = {
    target,
    nameA: "A",
    nameB: "B",
    a: f32([4, 128], torchRandn(3, 512)),
    b: f32([128, 4], torchRandn(4, 512)),
    scale: 0.1,
  };
  const b = newBuilder();
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
  return [[forward.strategy, gradient.strategy], ...[velocity, x, B].map((t) => [...(t ? expectDType(t, "float32", "a result") : [])])];
}

test("block by block: the same to the bit whether weights stay in memory or are read each time, and the same to rounding as all at once", async () => {
  const streamed = (keptWeightBytes: number) => results(createRuntime({ device: "cpu", memoryBudget: 0, keptWeightBytes }));
  const [strategies, ...resident] = await streamed(1e9);
  expect(strategies).toEqual(["segments", "segments"]);
  for (const budget of [0, 300_000]) expect((await streamed(budget)).slice(1)).toEqual(resident);
  const [, ...whole] = await results(createRuntime({ device: "cpu" }));
  expect(resident.map((values) => values.length)).toEqual([1024, 1024, 512]);
  resident.forEach((values, k) => {
    const other = whole[k] ?? [];
    const largest = Math.max(...values.map((x) => Math.abs(Number(x))));
    values.forEach((x, i) => {
      expect(Math.abs(Number(x) - Number(other[i]))).toBeLessThan(1e-5 * largest);
    });
  });
});
