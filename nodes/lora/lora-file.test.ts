import { expect, test } from "vitest";
import { writeLora } from "../../engine/formats/lora-file.ts";
import { LORA_FORMATS } from "../../engine/formats/lora-formats.ts";
import { readSafetensors } from "../../engine/formats/safetensors.ts";
import { toFloat32 } from "../../engine/tensor/convert.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import type { Lora } from "../shared/contracts/modules.ts";
import { loadLora } from "./load-lora.ts";
import { weightsOfBytes } from "./weights-of-bytes.ts";

const LINEARS = new Map([["transformer_blocks.0.attn.to_q", [3, 2] as const]]);
/** Rank 4 with alpha 8: a scale of 2 that a program without alpha would lose. */
const lora = (b = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]): Lora => ({
  adapters: [
    {
      target: "transformer_blocks.0.attn.to_q",
      nameA: "a",
      nameB: "b",
      a: f32([4, 2], [1, -2, 3, -4, 5, -6, 7, -8]),
      b: f32([3, 4], b),
      scale: 2,
    },
  ],
  rank: 4,
  alpha: 8,
});

/** scale·B·A as this program reads the file. */
async function product(bytes: Uint8Array): Promise<number[]> {
  const { adapters } = await loadLora(weightsOfBytes("f", bytes), LINEARS, 1);
  return adapters.flatMap(({ a, b, scale }) =>
    Array.from(
      { length: 6 },
      (_, i) => scale * [0, 1, 2, 3].reduce((sum, r) => sum + (b.data[Math.floor(i / 2) * 4 + r] ?? 0) * (a.data[2 * r + (i % 2)] ?? 0), 0),
    ),
  );
}

test.each(LORA_FORMATS)("%s carries the scale", async (format) => {
  expect(await product(writeLora(lora(), format, "float32"))).toEqual([100, -120, 228, -280, 356, -440]);
});

test("diffusers' file means the same to a program that does not read PEFT's metadata", () => {
  const { tensors, metadata } = readSafetensors(writeLora(lora(), "diffusers", "float32"));
  const b = tensors.get("transformer.transformer_blocks.0.attn.to_q.lora_B.weight");
  expect(b && [...toFloat32(b)].slice(0, 3)).toEqual([2, 4, 6]);
  const peft = JSON.parse(metadata.lora_adapter_metadata ?? "");
  expect(peft["transformer.lora_alpha"]).toBe(peft["transformer.r"]);
});

test("an adapter of NaN is not saved", () => {
  expect(() => writeLora(lora(new Array(12).fill(Number.NaN)), "comfyui", "bfloat16")).toThrow(
    expect.objectContaining({ code: "LORA_NAN" }),
  );
});

test("metadata: what the LoRA says of itself, and the graph", () => {
  const about = { "modelspec.architecture": "qwen-image-edit/lora" };
  for (const format of LORA_FORMATS)
    expect(readSafetensors(writeLora({ ...lora(), about }, format, "float32", { prompt: "{}" })).metadata).toMatchObject({
      ...about,
      prompt: "{}",
      format: "pt",
    });
});
