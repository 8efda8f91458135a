// A model larger than memory runs block by block from its file.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Compute } from "../../../engine/ir/compute.ts";
import { createRuntime } from "../../../engine/ort/runtime.ts";
import { ModelFolders } from "../../../engine/store/model-folders.ts";
import { transformerResults } from "../../../test/transformer-results.ts";
import { tinyCheckpoint } from "../../../tools/tiny-checkpoint.ts";

const FILE = "diffusion_models/qwen_image_edit_tiny.safetensors";
let dir = "";
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), "streaming-"));
  mkdirSync(join(dir, "diffusion_models"));
  writeFileSync(join(dir, FILE), tinyCheckpoint(0).get(FILE) ?? "");
});
afterAll(() => rmSync(dir, { recursive: true }));

const results = async (compute: Compute) =>
  transformerResults(compute, await new ModelFolders({ roots: [dir] }).open("diffusion_models", "qwen_image_edit_tiny.safetensors"));

test("block by block: the same to the bit whether weights stay in memory or are read each time, and the same to rounding as all at once", async () => {
  const streamed = (keptWeightBytes: number) => results(createRuntime({ device: "cpu", memoryBudget: 0, keptWeightBytes }));
  const { strategies, values: resident } = await streamed(1e9);
  expect(strategies).toEqual(["segments", "segments"]);
  for (const budget of [0, 300_000]) expect((await streamed(budget)).values).toEqual(resident);
  const { values: whole } = await results(createRuntime({ device: "cpu" }));
  expect(resident.map((values) => values.length)).toEqual([1024, 1024, 512]);
  resident.forEach((values, k) => {
    const other = whole[k] ?? [];
    const largest = Math.max(...values.map((x) => Math.abs(x)));
    values.forEach((x, i) => {
      expect(Math.abs(x - (other[i] ?? Number.NaN))).toBeLessThan(1e-5 * largest);
    });
  });
});
