import { describe, expect, it } from "vitest";
import { grad } from "../../../engine/autodiff/grad.ts";
import { randomSource } from "../../../engine/base/random.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { createRuntime } from "../../../engine/ort/runtime.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import type { Affine } from "../pictures/affine.ts";
import type { Pixels } from "../pictures/warp-image.ts";
import { alignCrops, cropSamples, cropTaps } from "./align-crops.ts";
import { cropFace, planes } from "./crop-face.ts";

const [WIDTH, HEIGHT, SIZE] = [30, 24, 8];
const compute = createRuntime({ device: "cpu" });
const rng = randomSource(11);
const picture: Pixels = { width: WIDTH, height: HEIGHT, data: Float32Array.from({ length: WIDTH * HEIGHT * 3 }, () => rng.uniform()) };
/** Picture to crop: turned by `angle`, `scale` crop pixels per picture pixel, (x, y) to the middle of the crop. */
const alignment = (angle: number, scale: number, x: number, y: number): Affine => {
  const [c, s] = [Math.cos(angle) * scale, Math.sin(angle) * scale];
  return [c, -s, SIZE / 2 - c * x + s * y, s, c, SIZE / 2 - s * x - c * y];
};

/** The crops of a picture, and the gradient of Σ crops·cotangent in it. */
async function run(matrices: readonly Affine[], samples: number, cotangent: Float32Array) {
  const taps = cropTaps(matrices, SIZE, HEIGHT, WIDTH, samples);
  const b = newBuilder();
  const image = b.input("image", "float32", [1, 3, HEIGHT, WIDTH]);
  const indices = b.input("indices", "int64", taps.indices.shape);
  const weights = b.input("weights", "float32", taps.weights.shape);
  const crops = alignCrops(b, image, indices, weights, SIZE);
  const loss = b.sum(b.mul(crops, b.constant(f32(crops.shape, cotangent))), [], false);
  const [slope] = grad(b, loss, [image]);
  if (!slope) throw new Error("no gradient");
  const feeds = { image: f32([1, 3, HEIGHT, WIDTH], planes(picture.data)), ...taps };
  const results = await compute.run(b.graph({ crops, slope }), feeds);
  const [cropped, gradient] = [results.crops?.data, results.slope?.data];
  if (!(cropped instanceof Float32Array) || !(gradient instanceof Float32Array)) throw new Error("no float32 results");
  return { taps, cropped, gradient };
}

describe("alignCrops", () => {
  it.each([
    ["inside, reduced", alignment(0.3, 0.45, 14, 12)],
    ["enlarged", alignment(-0.8, 2.5, 9, 13)],
    ["half outside", alignment(2.5, 0.6, 1, 22)],
  ])("gives the same crop as the host: %s", async (_, matrix) => {
    const { cropped } = await run([matrix], cropSamples([matrix]), new Float32Array(3 * SIZE * SIZE));
    const host = planes(cropFace(picture, matrix, SIZE));
    expect(Math.max(...host.map((x, i) => Math.abs(x - (cropped[i] ?? Number.NaN))))).toBeLessThan(1e-5);
  });

  it("sends back the transpose of what it reads, bit for bit the same every time", async () => {
    const matrices = [alignment(0.3, 0.45, 14, 12), alignment(2.5, 0.6, 1, 22)];
    const cotangent = randomSource(5).normals(new Float32Array(2 * 3 * SIZE * SIZE));
    const { taps, gradient } = await run(matrices, 2, cotangent);
    const expected = new Float64Array(3 * HEIGHT * WIDTH);
    const perPixel = taps.weights.shape[1] ?? 0;
    taps.weights.data.forEach((weight, at) => {
      const pixel = Math.floor(at / perPixel);
      const [crop, place] = [Math.floor(pixel / (SIZE * SIZE)), pixel % (SIZE * SIZE)];
      for (let k = 0; k < 3; k++) {
        const to = k * HEIGHT * WIDTH + Number(taps.indices.data[at]);
        expected[to] = (expected[to] ?? 0) + weight * (cotangent[(crop * 3 + k) * SIZE * SIZE + place] ?? 0);
      }
    });
    expect(Math.max(...expected.map((x, i) => Math.abs(x - (gradient[i] ?? Number.NaN))))).toBeLessThan(1e-5);
    expect((await run(matrices, 2, cotangent)).gradient).toEqual(gradient);
  });

  it("leaves no pixel under a reduced crop without gradient", async () => {
    const matrix = alignment(0.2, 0.34, 15, 12);
    const { gradient } = await run([matrix], cropSamples([matrix]), new Float32Array(3 * SIZE * SIZE).fill(1));
    for (let y = 6; y < 18; y++) for (let x = 9; x < 21; x++) expect(gradient[y * WIDTH + x]).toBeGreaterThan(0.02);
  });

  it("refuses samples it cannot take", () => {
    expect(() => cropTaps([], SIZE, HEIGHT, WIDTH, 9)).toThrow(/1 to 8/);
    expect(cropTaps([], SIZE, HEIGHT, WIDTH, 1).indices.shape).toEqual([0]);
  });
});
