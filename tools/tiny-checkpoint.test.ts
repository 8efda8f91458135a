import { expect, test } from "vitest";
import { readSafetensors } from "../engine/formats/safetensors.ts";
import { openQwenVl } from "../nodes/qwen/text/open-qwen-vl.ts";
import { loadTransformer } from "../nodes/qwen/transformer/load-transformer.ts";
import { loadVae } from "../nodes/qwen/vae/load-vae.ts";
import { memoryWeights } from "../test/memory-weights.ts";
import { tinyCheckpoint } from "./tiny-checkpoint.ts";

const files = tinyCheckpoint(7);
const open = (path: string) => {
  const { tensors, metadata } = readSafetensors(files.get(path) ?? new Uint8Array());
  return memoryWeights(tensors, { metadata: { ...metadata } });
};

test("the loaders take every file, and the parts fit together", async () => {
  const { model, config, unused } = await loadTransformer(open("diffusion_models/qwen_image_edit_tiny.safetensors"));
  expect([config.num_layers, config.axes_dims_rope, config.zero_cond_t]).toEqual([4, [8, 12, 12], true]);
  expect(unused).toEqual([]);
  const encoder = open("text_encoders/qwen_2.5_vl_tiny.safetensors");
  await openQwenVl(encoder);
  expect(encoder.tensors.get("model.norm.weight")?.shape).toEqual([model.prompt.shapes(1).text?.at(-1)]);
  expect((await loadVae(open("vae/qwen_image_vae_tiny.safetensors"))).statistics.mean.length).toBe(16);
});

test("a seed gives the same bytes, another seed other ones", () => {
  const same = (other: ReturnType<typeof tinyCheckpoint>) =>
    [...files].map(([path, bytes]) => Buffer.compare(bytes, other.get(path) ?? new Uint8Array()) === 0);
  expect(same(tinyCheckpoint(7))).toEqual([true, true, true, true, true]);
  // The tokenizer has no randomness in it.
  expect(same(tinyCheckpoint(8))).toEqual([false, false, true, false, false]);
});
