import { expect, test } from "vitest";
import { LORA_FORMATS } from "../../engine/formats/lora-formats.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { fakeContext } from "../../test/fake-context.ts";
import type { Adapter } from "../shared/contracts/modules.ts";
import saveLora from "./save-lora.ts";

const plain: Adapter = {
  target: "transformer_blocks.0.attn.to_q",
  nameA: "a",
  nameB: "b",
  a: f32([1, 2], [1, 2]),
  b: f32([4, 1], [1, 2, 3, 4]),
  scale: 1,
};
const values = f32([2, 1], [1, 2]);
const save = async (adapter: Adapter) => {
  const ctx = fakeContext();
  const lora = { adapters: [plain, { ...adapter, target: "transformer_blocks.1.attn.to_q" }], rank: 1, alpha: 1 };
  const outcome = saveLora.run({ lora, prefix: "mine", format: "all", dtype: "float32", model: undefined, vae: undefined }, ctx, {});
  return { outcome, saved: ctx.saved };
};

test("a plain LoRA is saved in every format", async () => {
  const { outcome, saved } = await save(plain);
  await outcome;
  expect([...saved.keys()].sort()).toEqual(LORA_FORMATS.map((format) => `mine_${format}_00001_.safetensors`).sort());
});

test.each([
  ["a LoKr", { ...plain, outer: { name: "w1", values } }],
  ["DoRA", { ...plain, dora: { name: "d", values: f32([4, 1], [1, 2, 3, 4]), strength: 1, norm: "weight" } }],
  ["a layer with a bias", { ...plain, bias: { name: "diff_b", values: f32([4], [1, 2, 3, 4]), scale: 1 } }],
] as const)("%s, which no format here can hold, is refused by its layer, and nothing is saved", async (what, adapter) => {
  const { outcome, saved } = await save(adapter);
  await expect(outcome).rejects.toMatchObject({
    code: "LORA_EXPORT",
    message: `transformer_blocks.1.attn.to_q is ${what}: these formats hold plain LoRAs`,
  });
  expect(saved.size).toBe(0);
});
