import { expect, test } from "vitest";
import { readSafetensors } from "../../engine/formats/safetensors.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { fakeContext } from "../../test/fake-context.ts";
import saveTensors from "./save-tensors.ts";

test("tensors are saved under the path they have in the value", async () => {
  const ctx = fakeContext();
  const latent = f32([1, 2], [3, 4]);
  const conditioning = { embeds: f32([1], [5]), referenceLatents: [latent], referenceMethod: "index" };
  await saveTensors.run({ filename_prefix: "run" }, ctx, { value_1: { samples: latent }, value_2: conditioning });
  const { tensors } = readSafetensors(ctx.saved.get("run_00001_.safetensors") ?? new Uint8Array());
  expect([...tensors.keys()].sort()).toEqual(["value_1.samples", "value_2.embeds", "value_2.referenceLatents.0"]);
  expect([...(tensors.get("value_1.samples")?.data ?? [])]).toEqual([3, 4]);
  await expect(saveTensors.run({ filename_prefix: "x" }, ctx, { value_1: 7 })).rejects.toMatchObject({ code: "SAVE_TENSORS" });
});
