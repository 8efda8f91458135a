import { expect, test } from "vitest";
import { f32 } from "../../../engine/tensor/tensor.ts";
import { noiseImage } from "../../../test/fake-face-models.ts";
import { interpreterCompute } from "../../../test/interpreter-compute.ts";
import type { Vae } from "../contracts/modules.ts";
import { encodeImages } from "./encode-images.ts";
import { vaeNotFinite } from "./vae-not-finite.ts";

const compute = interpreterCompute();
const statistics = { mean: [0, 0, 0], std: [1, 1, 1] };
/** "Encodes" to the pixels themselves, in −1 … 1. */
const vae: Vae = {
  id: "pixels",
  encode: { id: "pixels", build: (_, image) => image },
  decode: { id: "pixels", build: (_, latent) => latent },
  channels: 3,
  cell: 4,
  statistics,
};

test("the middle of each picture, in whole cells, as planes in −1 … 1", async () => {
  const [a, b] = [noiseImage(1, 11, 10), noiseImage(2, 11, 10)];
  const { samples, statistics: own } = await encodeImages(compute, vae, f32([2, 11, 10, 3], [...a.data, ...b.data]));
  expect([samples.shape, own]).toEqual([[2, 3, 8, 8], statistics]);
  for (const [n, { data }] of [a, b].entries())
    for (let c = 0; c < 3; c++)
      for (let y = 0; y < 8; y++)
        for (let x = 0; x < 8; x++)
          expect(samples.data[((n * 3 + c) * 8 + y) * 8 + x]).toBeCloseTo(2 * (data[((y + 1) * 10 + x + 1) * 3 + c] ?? 0) - 1, 6);
});

test("a picture of one cell is enough, a smaller one is refused, and no picture too", async () => {
  expect((await encodeImages(compute, vae, noiseImage(1, 4, 7))).samples.shape).toEqual([1, 3, 4, 4]);
  const refused = { code: "VAE_SIZE" };
  await expect(encodeImages(compute, vae, noiseImage(1, 3, 8))).rejects.toMatchObject(refused);
  await expect(encodeImages(compute, vae, noiseImage(1, 8, 3))).rejects.toMatchObject(refused);
  await expect(encodeImages(compute, vae, f32([0, 8, 8, 3], []))).rejects.toMatchObject(refused);
});

test("NaN is put down to the picture that comes in, else to the VAE", async () => {
  const image = noiseImage(1, 8, 8);
  image.data[5] = Number.NaN;
  await expect(encodeImages(compute, vae, image)).rejects.toMatchObject({
    code: "VAE_NOT_FINITE",
    message: expect.stringContaining("picture that comes in"),
  });
  const broken: Vae = { ...vae, encode: { id: "root", build: (b, x) => b.sqrt(b.sub(x, 5)) } };
  await expect(encodeImages(compute, broken, noiseImage(1, 8, 8))).rejects.toMatchObject({
    message: expect.stringContaining("VAE's latent"),
  });
  expect(vaeNotFinite("picture", "latent", Float32Array.of(1)).hint).toContain("latent");
});
