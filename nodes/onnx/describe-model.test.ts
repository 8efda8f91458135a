import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ModelFolders } from "../../engine/store/model-folders.ts";
import { GGML, ggufFile, packQ8 } from "../../test/gguf-file.ts";
import { describeModel } from "./describe-model.ts";

test("whatever is listed as a model says what it is", async () => {
  const models = new ModelFolders({ roots: [join(import.meta.dirname, "../../models")] });
  const found = await models.found();
  expect(found.length).toBeGreaterThan(10);
  for (const { folder, name } of found) {
    const { format, parameters } = await describeModel(models, folder, name);
    expect([name, format]).toEqual([name, name.endsWith(".json") ? "json" : "safetensors"]);
    expect(parameters > 0, name).toBe(format === "safetensors");
  }
  const bands = await describeModel(models, "realism", "drawn-people.json");
  expect(bands.metadata).toMatchObject({ format: "realism-bands-1" });
});

test("a GGUF file counts its weights, packed or not", async () => {
  const root = mkdtempSync(join(tmpdir(), "models-"));
  mkdirSync(join(root, "diffusion_models"));
  const tensors = [{ name: "w", shape: [2, 32], type: GGML.Q8_0, bytes: packQ8(new Float32Array(64)) }];
  writeFileSync(join(root, "diffusion_models/m.gguf"), ggufFile(tensors, { "general.architecture": "qwen_image" }));
  expect(await describeModel(new ModelFolders({ roots: [root] }), "diffusion_models", "m.gguf")).toMatchObject({
    format: "gguf",
    parameters: 64,
    metadata: { "general.architecture": "qwen_image" },
  });
  rmSync(root, { recursive: true });
});

test("JSON that is damaged is refused with its name", async () => {
  const root = mkdtempSync(join(tmpdir(), "models-"));
  mkdirSync(join(root, "realism"));
  for (const text of ["{", "[1]", ""]) {
    writeFileSync(join(root, "realism/x.json"), text);
    await expect(describeModel(new ModelFolders({ roots: [root] }), "realism", "x.json")).rejects.toMatchObject({
      code: "MODEL_FORMAT",
      message: expect.stringContaining("x.json"),
    });
  }
  rmSync(root, { recursive: true });
});
