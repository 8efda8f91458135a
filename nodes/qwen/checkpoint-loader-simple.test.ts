import { expect, test } from "vitest";
import type { WeightFile } from "../../engine/node/context.ts";
import { f32, type Tensor } from "../../engine/tensor/tensor.ts";
import { fakeContext } from "../../test/fake-context.ts";
import { memoryWeights } from "../../test/memory-weights.ts";
import { TINY_TEXT_ENCODER, tinyTextEncoder } from "../../tools/tiny-text-encoder.ts";
import { tinyTokenizer } from "../../tools/tiny-tokenizer.ts";
import { tinyTransformer } from "../../tools/tiny-transformer.ts";
import { tinyVae } from "../../tools/tiny-vae.ts";
import checkpointLoader from "./checkpoint-loader-simple.ts";
import unetLoader from "./unet-loader.ts";
import vaeLoader from "./vae-loader.ts";

const transformer = tinyTransformer(5, { layers: 1, heads: 2, headDim: 16, jointAttentionDim: 24, axes: [4, 6, 6], zeroCond: true });
const text = tinyTextEncoder(7);
const vae = tinyVae(7);
const under = (prefix: string, tensors: ReadonlyMap<string, Tensor>) => [...tensors].map(([name, t]) => [prefix + name, t] as const);
const whole = [
  ...under("model.diffusion_model.", transformer.tensors),
  ...under("text_encoders.qwen25_7b.transformer.", text.tensors),
  ...under("vae.", vae),
];

const config = (metadata: Readonly<Record<string, string>>): object => JSON.parse(metadata.config ?? "{}");

function load(entries: readonly (readonly [string, Tensor])[]) {
  const base = fakeContext();
  const files: Record<string, WeightFile> = {
    "checkpoints/all.safetensors": memoryWeights(new Map(entries), {
      metadata: { config: JSON.stringify({ ...config(transformer.metadata), ...config(text.metadata) }) },
      name: "all.safetensors",
    }),
    "diffusion_models/m": memoryWeights(transformer.tensors, { metadata: transformer.metadata }),
    "vae/v": memoryWeights(vae),
  };
  const open = async (folder: string, name: string) => files[`${folder}/${name}`] ?? base.models.open(folder, name);
  const tokenizer = new TextEncoder().encode(tinyTokenizer(TINY_TEXT_ENCODER.vocab));
  const bytes = async (folder: string, name: string) =>
    name === "all/tokenizer.json" ? { bytes: tokenizer, path: name, fingerprint: "t" } : base.models.bytes(folder, name);
  const ctx = { ...base, models: { ...base.models, open, bytes } };
  return { ctx, result: Promise.resolve(checkpointLoader.run({ ckpt_name: "all.safetensors" }, ctx, {})) };
}

test("one file with all three parts is what three files are", async () => {
  const { ctx, result } = load(whole);
  const { MODEL, CLIP, VAE } = await result;
  expect(ctx.logs).toEqual([]);
  const apart = (await unetLoader.run({ unet_name: "m", weight_dtype: "default", pipeline: "auto" }, ctx, {})).MODEL;
  expect([...MODEL.linears]).toEqual([...apart.linears]);
  expect(CLIP.id).toContain("text_encoders.qwen25_7b.transformer.");
  const own = (await vaeLoader.run({ vae_name: "v" }, ctx, {})).VAE;
  expect([VAE.channels, VAE.cell, VAE.statistics]).toEqual([own.channels, own.cell, own.statistics]);
});

test("a part that is not there is an error where it is used, and says what to do; foreign tensors give a warning", async () => {
  const { ctx, result } = load([...under("model.diffusion_model.", transformer.tensors), ["logit_scale", f32([1], [1])]]);
  const { MODEL, CLIP, VAE } = await result;
  expect(MODEL.family).toBe("qwen-image-edit");
  expect(ctx.logs).toEqual(["warn: all.safetensors: 1 tensors have no place in it: logit_scale"]);
  expect(() => CLIP.encode(ctx.compute, { parts: [], pictures: [] } as never)).toThrow(
    "the checkpoint all.safetensors holds no text encoder",
  );
  expect(() => VAE.decode.build(undefined as never, undefined as never)).toThrow("the checkpoint all.safetensors holds no VAE");
});

test("a checkpoint of another model is refused by its name", async () => {
  const other = load([["model.diffusion_model.input_blocks.0.0.weight", f32([1], [0])]]);
  await expect(other.result).rejects.toMatchObject({ code: "MODEL_FAMILY", message: expect.stringContaining("Stable Diffusion") });
});
