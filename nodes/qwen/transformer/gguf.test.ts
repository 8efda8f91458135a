// A transformer whose weights are packed in blocks, as people with small cards have it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readSafetensors, writeSafetensors } from "../../../engine/formats/safetensors.ts";
import { createRuntime } from "../../../engine/ort/runtime.ts";
import { ModelFolders } from "../../../engine/store/model-folders.ts";
import { unpackBlocks } from "../../../engine/tensor/blocks.ts";
import { toFloat32 } from "../../../engine/tensor/convert.ts";
import { bytesOfTensor, f32, type Tensor } from "../../../engine/tensor/tensor.ts";
import { GGML, type GgufTensor, ggufFile, packQ8 } from "../../../test/gguf-file.ts";
import { transformerResults } from "../../../test/transformer-results.ts";
import { tinyCheckpoint } from "../../../tools/tiny-checkpoint.ts";

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

test.each([
  ["all at once", {}],
  ["block by block", { memoryBudget: 0, keptWeightBytes: 300_000 }],
])("%s: velocity and gradients are those of the unpacked numbers, to the bit", async (_, options) => {
  expect(packedCount).toBeGreaterThan(20);
  const of = async (name: string) => {
    const file = await new ModelFolders({ roots: [dir] }).open("diffusion_models", name);
    return (await transformerResults(createRuntime({ device: "cpu", threads: 1, ...options }), file)).values;
  };
  const packed = await of("m.gguf");
  expect(packed.map((values) => values.length)).toEqual([1024, 1024, 512]);
  expect(packed.every((values) => values.some((x) => x !== 0))).toBe(true);
  expect(packed).toEqual(await of("m.safetensors"));
});
