import { expect, test } from "vitest";
import { randomSource } from "../../../engine/base/random.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import { cellColors, fitColors, latentPicture } from "./latent-colors.ts";

const [C, H, W] = [5, 12, 10];

/** Latents, and colours that are a linear function of them. */
function linear(seed: number, batch: number) {
  const random = randomSource(seed);
  const weights = Array.from({ length: 3 * (C + 1) }, () => 0.04 * random.normal());
  const samples = f32(
    [batch, C, H, W],
    Float32Array.from({ length: batch * C * H * W }, () => 0.3 + 2 * random.normal()),
  );
  const colors = Array.from({ length: batch }, (_, b) => {
    const out = new Float32Array(3 * H * W);
    for (let i = 0; i < H * W; i++)
      for (let k = 0; k < 3; k++) {
        let value = 0.5 + (weights[k] ?? 0);
        for (let c = 0; c < C; c++) value += (weights[3 * (c + 1) + k] ?? 0) * (samples.data[(b * C + c) * H * W + i] ?? 0);
        out[k * H * W + i] = value;
      }
    return out;
  });
  return { samples, colors };
}

test("colours that are linear in the channels come back, from every picture of a batch", () => {
  const { samples, colors } = linear(3, 2);
  const fitted = fitColors(samples, colors);
  expect(fitted.shape).toEqual([C + 1, 3]);
  for (const b of [0, 1]) {
    const one = f32([1, C, H, W], samples.data.slice(b * C * H * W, (b + 1) * C * H * W));
    const { rgb, width, height } = latentPicture({ samples: one }, fitted);
    expect([width, height]).toEqual([W, H]);
    for (let i = 0; i < H * W; i++)
      for (let k = 0; k < 3; k++) {
        const wanted = 255 * Math.min(1, Math.max(0, colors[b]?.[k * H * W + i] ?? Number.NaN));
        expect(Math.abs((rgb[i * 3 + k] ?? Number.NaN) - wanted)).toBeLessThan(1.5);
      }
  }
});

test("a picture of one colour gives that colour whatever the latent is, and channels that never change do no harm", () => {
  const { samples } = linear(4, 1);
  const flat = new Float32Array(3 * H * W).map((_, i) => [0.2, 0.4, 0.8][Math.floor(i / (H * W))] ?? 0);
  const still = f32(
    samples.shape,
    samples.data.map((z, i) => (i < H * W ? 1.5 : z)),
  );
  const { rgb } = latentPicture({ samples }, fitColors(still, [flat]));
  for (let i = 0; i < H * W; i++) expect([...rgb.slice(3 * i, 3 * i + 3)]).toEqual([51, 102, 204]);
  const constant = f32([1, C, H, W], new Float32Array(C * H * W).fill(1.5));
  expect([...latentPicture({ samples: constant }, fitColors(constant, [flat])).rgb.slice(0, 3)]).toEqual([51, 102, 204]);
});

test("a cell's colour is the mean of its pixels", () => {
  // Two cells of 2 × 2 pixels side by side: red −1 … 1, green 0, blue 1 and −1.
  const red = [-1, 1, 1, 1, -1, 1, 1, 1];
  const blue = [1, 1, -1, -1, 1, 1, -1, -1];
  const image = Float32Array.from([...red, ...red.map(() => 0), ...blue]);
  expect([...cellColors(image, 1, 2, 2)]).toEqual([0.5, 1, 0.5, 0.5, 1, 0]);
});
