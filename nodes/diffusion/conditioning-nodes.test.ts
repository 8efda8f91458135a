import { expect, test } from "vitest";
import { f32 } from "../../engine/tensor/tensor.ts";
import { fakeContext } from "../../test/fake-context.ts";
import type { Conditioning } from "../shared/contracts/data.ts";
import conditioningZeroOut from "./conditioning-zero-out.ts";
import emptySd3LatentImage from "./empty-sd3-latent-image.ts";
import fluxKontextMultiReferenceLatentMethod from "./flux-kontext-multi-reference-latent-method.ts";
import referenceLatent from "./reference-latent.ts";

const ctx = fakeContext();
const latent = (value: number) => ({ samples: f32([1, 16, 2, 2], new Float32Array(64).fill(value)) });
const conditioning: Conditioning = { embeds: f32([1, 2, 3], [1, 2, 3, 4, 5, 6]), referenceLatents: [latent(1)] };

test("ReferenceLatent appends, and without a latent changes nothing", async () => {
  const { CONDITIONING } = await referenceLatent.run({ conditioning, latent: latent(2) }, ctx, {});
  expect(CONDITIONING.referenceLatents.map((l) => l.samples.data[0])).toEqual([1, 2]);
  expect(conditioning.referenceLatents.length).toBe(1);
  expect((await referenceLatent.run({ conditioning, latent: undefined }, ctx, {})).CONDITIONING).toBe(conditioning);
});

test("ConditioningZeroOut keeps shape and references", async () => {
  const { CONDITIONING } = await conditioningZeroOut.run({ conditioning }, ctx, {});
  expect(CONDITIONING).toEqual({ ...conditioning, embeds: f32([1, 2, 3], [0, 0, 0, 0, 0, 0]) });
});

test.each([
  ["offset", "offset"],
  ["index", "index"],
  ["uxo/uno", "uxo"],
  ["index_timestep_zero", "index_timestep_zero"],
] as const)("reference method %s is kept as %s", async (reference_latents_method, kept) => {
  const { CONDITIONING } = await fluxKontextMultiReferenceLatentMethod.run({ conditioning, reference_latents_method }, ctx, {});
  expect(CONDITIONING).toEqual({ ...conditioning, referenceMethod: kept });
});

test("EmptySD3LatentImage is an eighth of the picture, 16 channels deep", async () => {
  const { LATENT } = await emptySd3LatentImage.run({ width: 1024, height: 512, batch_size: 2 }, ctx, {});
  expect(LATENT.samples.shape).toEqual([2, 16, 64, 128]);
  expect(LATENT.samples.data.every((x) => x === 0)).toBe(true);
});
