// A transformer whose weights are packed in blocks, as people with small cards have it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readSafetensors, writeSafetensors } from "../../../engine/formats/safetensors.ts";
import type { Compute } from "../../../engine/ir/compute.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { createRuntime } from "../../../engine/ort/runtime.ts";
import { ModelFolders } from "../../../engine/store/model-folders.ts";
import { unpackBlocks } from "../../../engine/tensor/blocks.ts";
import { toFloat32 } from "../../../engine/tensor/convert.ts";
import { bytesOfTensor, expectDType, f32, type Tensor } from "../../../engine/tensor/tensor.ts";
import { torchRandn } from "../../../engine/tensor/torch-random.ts";
import { GGML, type GgufTensor, ggufFile, packQ8 } from "../../../test/gguf-file.ts";
import { tinyCheckpoint } from "../../../tools/tiny-checkpoint.ts";
import { loadTransformer } from "./load-transformer.ts";

let dir = "";
let packedCount = 0;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "gguf-"));
  mkdirSync(join(dir, "diffusion_models"));
  const { tensors, metadata } = readSafetensors(
    tinyCheckpoint(0).get("diffusion_models/qwen_image_edit_tiny.safetensors") ?? new Uint8Array(),
  );
  const packed: GgufTensor[] = [];
  // The same numbers as the packed file holds, as plain float32.
  const plain = new Map<string, Tensor>();
  for (const [name, stored] of tensors) {
    if (stored.shape.includes(0)) continue;
    const values = toFloat32(stored);
    const width = stored.shape.at(-1) ?? 0;
    if (stored.shape.length === 2 && width % 32 === 0) {
      const bytes = packQ8(values);
      packed.push({ name, shape: stored.shape, type: GGML.Q8_0, bytes });
      plain.set(name, f32(stored.shape, unpackBlocks("Q8_0", bytes)));
      packedCount++;
    } else {
      packed.push({ name, shape: stored.shape, type: GGML.F32, bytes: bytesOfTensor(f32(stored.shape, values)) });
      plain.set(name, f32(stored.shape, values));
    }
  }
  writeFileSync(join(dir, "diffusion_models", "m.gguf"), ggufFile(packed, { ...metadata, "general.architecture": "qwen_image" }));
  writeFileSync(join(dir, "diffusion_models", "m.safetensors"), writeSafetensors(plain, metadata));
});
afterAll(() => rmSync(dir, { recursive: true }));

/** Velocity, and gradients to the picture and to an adapter's B in the first block. */
async function results(compute: Compute, file: string): Promise<number[][]> {
  const { model } = await loadTransformer(await new ModelFolders({ roots: [dir] }).open("diffusion_models", file));
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
  const { v: velocity } = await (await compute.compile(graph)).run(feeds);
  const { "grad.x": x, "grad.B": B } = await (await compute.grad(graph, "loss", ["x", "B"])).run(feeds);
  return [velocity, x, B].map((t) => [...(t ? expectDType(t, "float32", "a result") : [])]);
}

test.each([
  ["all at once", {}],
  ["block by block", { memoryBudget: 0, keptWeightBytes: 300_000 }],
])("%s: velocity and gradients are those of the unpacked numbers, to the bit", async (_, options) => {
  expect(packedCount).toBeGreaterThan(20);
  const of = (file: string) => results(createRuntime({ device: "cpu", threads: 1, ...options }), file);
  const packed = await of("m.gguf");
  expect(packed.map((values) => values.length)).toEqual([1024, 1024, 512]);
  expect(packed.every((values) => values.some((x) => x !== 0))).toBe(true);
  expect(packed).toEqual(await of("m.safetensors"));
});
