import { afterAll, expect, test } from "vitest";
import { createRuntime } from "../../engine/ort/runtime.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { fakeContext } from "../../test/fake-context.ts";
import { memoryWeights } from "../../test/memory-weights.ts";
import { TINY_TEXT_ENCODER, tinyTextEncoder } from "../../tools/tiny-text-encoder.ts";
import { tinyTokenizer } from "../../tools/tiny-tokenizer.ts";
import { tinyVae } from "../../tools/tiny-vae.ts";
import clipLoader from "./clip-loader.ts";
import editDiffusers from "./text-encode-qwen-image-edit-diffusers.ts";
import vaeLoader from "./vae-loader.ts";

const compute = createRuntime({ device: "cpu", threads: 1 });
afterAll(() => compute.dispose());

test("a checkpoint of the real architecture, from its files to conditioning", async () => {
  const { tensors, metadata } = tinyTextEncoder(7);
  const texts = { "tokenizer.json": tinyTokenizer(TINY_TEXT_ENCODER.vocab) };
  const files = new Map([
    ["text_encoders/qwen", memoryWeights(tensors, { metadata, texts, name: "qwen" })],
    ["vae/qwen", memoryWeights(tinyVae(7))],
  ]);
  const base = fakeContext(compute);
  const open = async (folder: string, name: string) => files.get(`${folder}/${name}`) ?? base.models.open(folder, name);
  const ctx = { ...base, models: { ...base.models, open } };
  const { CLIP } = await clipLoader.run({ clip_name: "qwen", type: "qwen_image", device: "default" }, ctx, {});
  const { VAE } = await vaeLoader.run({ vae_name: "qwen" }, ctx, {});
  expect(CLIP.id).toMatch(/^text:qwen:[0-9a-f]{64}$/);

  const image = f32(
    [1, 40, 60, 3],
    Float32Array.from({ length: 7200 }, (_, i) => (i % 200) / 199),
  );
  const inputs = { clip: CLIP, vae: VAE, pipeline: "edit_plus" as const, vision_size: 64, reference_size: 64, prompt: "a red hat" };
  const pictures = { image1: image, image2: image, image3: undefined, image4: undefined };
  const { CONDITIONING, width, height } = await editDiffusers.run({ ...inputs, ...pictures }, ctx, {});
  expect([width, height]).toEqual([64, 64]);
  expect(CONDITIONING.referenceLatents.map((t) => t.samples.shape)).toEqual([
    [1, 16, 8, 8],
    [1, 16, 8, 8],
  ]);
  const [, length = 0, hidden] = CONDITIONING.embeds.shape;
  expect(hidden).toBe(TINY_TEXT_ENCODER.hidden);
  expect(length).toBeGreaterThan(2 * 4);
  expect(CONDITIONING.embeds.data.every(Number.isFinite)).toBe(true);
  // After the final norm every state has a mean square of 1.
  const square = CONDITIONING.embeds.data.reduce((a, x) => a + x * x, 0) / CONDITIONING.embeds.data.length;
  expect(square).toBeCloseTo(1, 2);
});
