import { expect, test } from "vitest";
import { f32 } from "../../../engine/tensor/tensor.ts";
import { fakeClip, fakeExample, fakeModel, fakeVae } from "../../../test/fake-diffusion.ts";
import { interpreterCompute } from "../../../test/interpreter-compute.ts";
import type { TextEncoder } from "../../shared/contracts/diffusion.ts";
import { prepareExample } from "./prepared-example.ts";

test("the text encoder sees the references at about visionSize², the VAE as they are", async () => {
  const seen: (readonly number[])[] = [];
  const clip: TextEncoder = {
    ...fakeClip,
    encode(compute, request) {
      seen.push(...request.images.map(({ image }) => image.shape));
      return fakeClip.encode(compute, request);
    },
  };
  const references = [f32([1, 32, 64, 3], new Float32Array(32 * 64 * 3).fill(0.5))];
  const options = { guidanceScale: 1, negativePrompt: "", visionSize: 64 };
  const encoders = { model: fakeModel(), vae: fakeVae, clip };
  const { conditional } = await prepareExample(interpreterCompute(), encoders, { ...fakeExample(0), references }, options);
  // 64² pixels at 2:1 are 90.5 × 45.3: in multiples of 32.
  expect(seen).toEqual([[1, 32, 96, 3]]);
  expect(conditional.shape.references).toEqual([{ h: 2, w: 4 }]);
});
