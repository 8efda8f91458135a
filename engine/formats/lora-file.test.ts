// What is written, by the names and numbers that other programs look for.
import { expect, test } from "vitest";
import { toFloat32 } from "../tensor/convert.ts";
import { f32 } from "../tensor/tensor.ts";
import { type LoraLayer, writeLora } from "./lora-file.ts";
import { LORA_DTYPES, LORA_FORMATS, type LoraDType, type LoraFormat } from "./lora-formats.ts";
import { readSafetensors } from "./safetensors.ts";

/** Rank 2, a scale of 0.5 (alpha 1). */
const first: LoraLayer = { target: "blocks.0.to_q", a: f32([2, 1], [1, 2]), b: f32([3, 2], [1, 2, 3, 4, 5, 6]), scale: 0.5 };
/** Rank 1, a scale of 3 (alpha 3). */
const second: LoraLayer = { target: "blocks.1.to_k", a: f32([1, 2], [3, 4]), b: f32([1, 1], [7]), scale: 3 };

const written = (format: LoraFormat, dtype: LoraDType = "float32", adapters = [first, second]) => {
  const { tensors, metadata } = readSafetensors(writeLora({ adapters }, format, dtype));
  return { metadata, tensors: Object.fromEntries([...tensors].map(([name, t]) => [name, [t.dtype, t.shape, [...toFloat32(t)]]])) };
};

test("kohya: names with underscores, alpha beside each layer", () => {
  expect(written("kohya")).toEqual({
    metadata: { format: "pt" },
    tensors: {
      "lora_unet_blocks_0_to_q.lora_down.weight": ["float32", [2, 1], [1, 2]],
      "lora_unet_blocks_0_to_q.lora_up.weight": ["float32", [3, 2], [1, 2, 3, 4, 5, 6]],
      "lora_unet_blocks_0_to_q.alpha": ["float32", [], [1]],
      "lora_unet_blocks_1_to_k.lora_down.weight": ["float32", [1, 2], [3, 4]],
      "lora_unet_blocks_1_to_k.lora_up.weight": ["float32", [1, 1], [7]],
      "lora_unet_blocks_1_to_k.alpha": ["float32", [], [3]],
    },
  });
});

test("comfyui: the model's own names, alpha beside each layer", () => {
  expect(written("comfyui", "float32", [second])).toEqual({
    metadata: { format: "pt" },
    tensors: {
      "diffusion_model.blocks.1.to_k.lora_A.weight": ["float32", [1, 2], [3, 4]],
      "diffusion_model.blocks.1.to_k.lora_B.weight": ["float32", [1, 1], [7]],
      "diffusion_model.blocks.1.to_k.alpha": ["float32", [], [3]],
    },
  });
});

test("diffusers: no alpha, the scale in B, and PEFT's settings, by which nothing is scaled or dropped again", () => {
  const { metadata, tensors } = written("diffusers");
  expect(tensors).toEqual({
    "transformer.blocks.0.to_q.lora_A.weight": ["float32", [2, 1], [1, 2]],
    "transformer.blocks.0.to_q.lora_B.weight": ["float32", [3, 2], [0.5, 1, 1.5, 2, 2.5, 3]],
    "transformer.blocks.1.to_k.lora_A.weight": ["float32", [1, 2], [3, 4]],
    "transformer.blocks.1.to_k.lora_B.weight": ["float32", [1, 1], [21]],
  });
  const { lora_adapter_metadata, ...rest } = metadata;
  expect(rest).toEqual({ format: "pt" });
  expect(JSON.parse(lora_adapter_metadata ?? "")).toEqual({
    "transformer.peft_type": "LORA",
    "transformer.r": 2,
    "transformer.lora_alpha": 2,
    "transformer.rank_pattern": { "blocks.1.to_k": 1 },
    "transformer.alpha_pattern": { "blocks.1.to_k": 1 },
    "transformer.target_modules": ["blocks.0.to_q", "blocks.1.to_k"],
    "transformer.lora_dropout": 0,
    "transformer.bias": "none",
    "transformer.use_rslora": false,
    "transformer.use_dora": false,
  });
});

test.each(LORA_DTYPES)("%s for the two matrices; alpha is always float32", (dtype) => {
  for (const format of LORA_FORMATS)
    for (const [name, [type]] of Object.entries(written(format, dtype).tensors))
      expect(type, name).toBe(name.endsWith(".alpha") ? "float32" : dtype);
});

test("the caller's metadata counts above the LoRA's own", () => {
  const about = { a: "own", b: "own" };
  const { metadata } = readSafetensors(writeLora({ adapters: [first], about }, "kohya", "float32", { b: "more" }));
  expect(metadata).toEqual({ format: "pt", a: "own", b: "more" });
});

test("a LoRA without layers, and one with a number that is none anywhere, is not written", () => {
  expect(() => writeLora({ adapters: [] }, "kohya", "float32")).toThrow(expect.objectContaining({ code: "LORA_EXPORT" }));
  for (const [broken, says] of [
    [{ ...second, a: f32([1, 2], [Number.NaN, 4]) }, "holds NaN at 0"],
    [{ ...second, a: f32([1, 2], [3, Number.POSITIVE_INFINITY]) }, "holds Infinity at 1"],
    [{ ...second, b: f32([1, 1], [Number.NEGATIVE_INFINITY]) }, "holds -Infinity at 0"],
    [{ ...second, scale: Number.NaN }, "holds NaN at 0"],
  ] as const)
    expect(() => writeLora({ adapters: [first, broken] }, "kohya", "float32")).toThrow(
      expect.objectContaining({ code: "LORA_NAN", message: `the adapter of blocks.1.to_k ${says}: it is not saved` }),
    );
});
