import { expect, test } from "vitest";
import { reach } from "../../engine/ir/graph.ts";
import type { WeightFile } from "../../engine/node/context.ts";
import { newBuilder } from "../../engine/ops/table.ts";
import { fromFloat32 } from "../../engine/tensor/convert.ts";
import { f32, type Tensor, tensor } from "../../engine/tensor/tensor.ts";
import { fakeContext } from "../../test/fake-context.ts";
import { memoryWeights } from "../../test/memory-weights.ts";
import { tinyTransformer } from "../../tools/tiny-transformer.ts";
import loraWithClip from "../lora/lora-loader.ts";
import loraLoader from "../lora/lora-loader-model-only.ts";
import type { TextEncoder } from "../shared/contracts/diffusion.ts";
import { denoiseInputs } from "../shared/diffusion/denoise-inputs.ts";
import unetLoader from "./unet-loader.ts";

const { tensors, metadata } = tinyTransformer(5, {
  layers: 1,
  heads: 2,
  headDim: 16,
  jointAttentionDim: 24,
  axes: [4, 6, 6],
  zeroCond: true,
});

/** A context whose model folders hold these files. */
function withFiles(files: Readonly<Record<string, WeightFile>>) {
  const context = fakeContext();
  const open = async (folder: string, name: string) => {
    const file = files[`${folder}/${name}`];
    if (!file) throw new Error(`${folder}/${name}`);
    return file;
  };
  return { ...context, models: { ...context.models, open } };
}

const load = (extra: Iterable<readonly [string, Tensor]>, weight_dtype: "default" | "fp8_e4m3fn" = "default") => {
  const ctx = withFiles({ "diffusion_models/m": memoryWeights(new Map<string, Tensor>([...tensors, ...extra]), { metadata }) });
  return { ctx, result: Promise.resolve(unetLoader.run({ unet_name: "m", weight_dtype, pipeline: "auto" }, ctx, {})) };
};

test("opens the model and warns of tensors without a place", async () => {
  const { ctx, result } = load([["stray.weight", f32([1], [0])]]);
  expect((await result).MODEL.prompt.shapes(7)).toEqual({ text: [1, 7, 24] });
  expect(ctx.logs).toEqual(["warn: m: 1 tensors have no place in the model: stray.weight"]);
});

test("fp8 is taken as stored, or every parameter is rounded to it while loading, as ComfyUI does", async () => {
  const q = tensors.get("transformer_blocks.0.attn.to_q.weight") ?? f32([0], []);
  const small = tensor("float8e4m3fn", q.shape, fromFloat32(q.data, "float8e4m3fn"));
  const stored = load([["transformer_blocks.0.attn.to_q.weight", small]], "fp8_e4m3fn");
  expect((await stored.result).MODEL.family).toBe("qwen-image-edit");
  expect(stored.ctx.logs).toEqual([]);
  const { MODEL: rounded } = await load([], "fp8_e4m3fn").result;
  expect(rounded.id).not.toBe((await load([]).result).MODEL.id);
  const b = newBuilder();
  const shape = { batch: 1, target: { h: 1, w: 1 }, references: [], prompt: { text: [1, 1, 24] }, convention: "comfyui" } as const;
  const v = rounded.build(b, denoiseInputs(b, rounded, shape));
  let seen = 0;
  for (const { def } of reach(b.graph({ v })).weights) {
    if (def.kind !== "weight" || def.source.kind !== "host") throw new Error("not in memory");
    const original = tensors.get(def.name.replace(/^dit\./, ""));
    expect(def.source.tensor.dtype, def.name).toBe("float8e4m3fn");
    expect(def.source.tensor.data, def.name).toEqual(fromFloat32(original?.data ?? new Float32Array(), "float8e4m3fn"));
    seen++;
  }
  expect(seen).toBeGreaterThan(20);
  const scaled = load([["transformer_blocks.0.attn.to_q.weight_scale", f32([], [1])]], "fp8_e4m3fn");
  await expect(scaled.result).rejects.toMatchObject({ code: "MODEL_DTYPE" });
});

test("LoraLoaderModelOnly stacks on what is there, and strength 0 is no LoRA", async () => {
  const { MODEL: model } = await load([]).result;
  const lora = memoryWeights(
    new Map([
      ["transformer_blocks.0.attn.to_q.lora_A.weight", f32([1, 32], new Float32Array(32))],
      ["transformer_blocks.0.attn.to_q.lora_B.weight", f32([32, 1], new Float32Array(32))],
      ["text_encoder.x.lora_A.weight", f32([1, 1], [0])],
    ]),
  );
  const ctx = withFiles({ "loras/l": lora });
  const put = async (on: typeof model, strength_model: number) =>
    (await loraLoader.run({ model: on, lora_name: "l", strength_model }, ctx, {})).MODEL;
  expect(await put(model, 0)).toBe(model);
  const twice = await put(await put(model, 1), -0.5);
  expect(twice.adapters.map((a) => a.scale)).toEqual([1, -0.5]);
  const clip: TextEncoder = { id: "text", encode: () => Promise.reject(new Error("not asked")) };
  const both = await loraWithClip.run({ model, clip, lora_name: "l", strength_model: 2, strength_clip: 1 }, ctx, {});
  expect([both.CLIP, both.MODEL.adapters.map((a) => a.scale)]).toEqual([clip, [2]]);
  expect(ctx.logs[0]).toContain("1 tensors belong to no layer of this model and were left out: text_encoder.x.lora_A.weight");
});
