import { describe, expect, it } from "vitest";
import { randomSource } from "../../../engine/base/random.ts";
import type { Affine } from "./affine.ts";
import { halveImage, ImagePyramid, type Pixels, samplesFor, warpImage } from "./warp-image.ts";

function noise(width: number, height: number): Pixels {
  const rng = randomSource(3);
  return { width, height, data: Float32Array.from({ length: width * height * 3 }, () => rng.uniform()) };
}

/** Bilinear reading straight from the definition, zero outside. */
function read({ data, width, height }: Pixels, x: number, y: number, k: number): number {
  let sum = 0;
  for (let v = 0; v < height; v++)
    for (let u = 0; u < width; u++) {
      const weight = Math.max(0, 1 - Math.abs(x - 0.5 - u)) * Math.max(0, 1 - Math.abs(y - 0.5 - v));
      sum += weight * (data[(v * width + u) * 3 + k] ?? 0);
    }
  return sum;
}

describe("warpImage", () => {
  it("is the identity for the identity", () => {
    const source = noise(7, 5);
    expect(warpImage(source, [1, 0, 0, 0, 1, 0], 7, 5, 1)).toEqual(source.data);
  });

  it.each<[string, Affine]>([
    ["turned", [1.1, -0.7, 1.3, 0.7, 1.1, -3.2]],
    ["upright", [1.7, 0, -2.3, 0, 1.7, -3.2]],
    ["upright and enlarged", [0.4, 0, 7.3, 0, 0.4, 4.1]],
    ["upright and much reduced", [6.1, 0, -9, 0, 6.1, -20]],
    ["mirrored", [-1.2, 0, 9, 0, 1.1, 0]],
  ])("equals the definition for a view that leaves the picture: %s", (_, map) => {
    const source = noise(9, 6);
    const out = warpImage(source, map, 8, 8, 2);
    const grey = warpImage({ ...source, data: source.data.map((x) => x - 0.4) }, map, 8, 8, 2).map((x) => x + 0.4);
    warpImage(source, map, 8, 8, 2, 0.4).forEach((x, i) => {
      expect(x).toBeCloseTo(grey[i] ?? Number.NaN, 5);
    });
    const [a, b, tx, c, d, ty] = map;
    for (let y = 0; y < 8; y++)
      for (let x = 0; x < 8; x++)
        for (let k = 0; k < 3; k++) {
          let mean = 0;
          for (const j of [0.25, 0.75])
            for (const i of [0.25, 0.75]) {
              const [u, v] = [x + i, y + j];
              mean += read(source, a * u + b * v + tx, c * u + d * v + ty, k) / 4;
            }
          expect(out[(y * 8 + x) * 3 + k]).toBeCloseTo(mean, 5);
        }
  });

  it("is black far outside, also for maps that are not finite", () => {
    expect(warpImage(noise(4, 4), [1, 0, 100, 0, 1, 0], 3, 3, 1).every((x) => x === 0)).toBe(true);
    expect(warpImage(noise(4, 4), [Number.NaN, 0, 0, 0, 1, 0], 3, 3, 1).every((x) => x === 0)).toBe(true);
  });
});

describe("ImagePyramid", () => {
  it("shrinks without aliasing: a fine checkerboard becomes grey", () => {
    const side = 128;
    const data = Float32Array.from({ length: side * side * 3 }, (_, i) => (Math.floor(i / 3) + Math.floor(i / 3 / side)) % 2);
    const pyramid = new ImagePyramid({ data, width: side, height: side });
    for (const reduction of [4, 5.3, 8]) {
      const size = Math.floor(side / reduction) - 2;
      const out = pyramid.warp([reduction, 0, reduction, 0, reduction, reduction], size, size);
      expect(Math.max(...out) - Math.min(...out)).toBeLessThan(0.02);
      expect(out[0]).toBeCloseTo(0.5, 2);
    }
  });

  it("keeps the place of things at every reduction", () => {
    const [width, height] = [97, 131];
    const data = Float32Array.from({ length: width * height * 3 }, (_, i) => ((Math.floor(i / 3) % width) + 0.5) / width);
    const pyramid = new ImagePyramid({ data, width, height });
    for (const s of [1, 1.5, 2.5, 4.2, 9])
      for (let x = 2; x < Math.floor(width / s) - 2; x++) {
        const out = pyramid.warp([s, 0, 0, 0, s, 0], x + 1, 3);
        expect(out[(x + (x + 1)) * 3]).toBeCloseTo(((x + 0.5) * s) / width, 2);
      }
  });
});

it("halves odd sizes by repeating the last row and column", () => {
  const source: Pixels = { width: 3, height: 1, data: Float32Array.of(1, 1, 1, 3, 3, 3, 5, 5, 5) };
  expect(halveImage(source)).toEqual({ width: 2, height: 1, data: Float32Array.of(2, 2, 2, 5, 5, 5) });
});

it("chooses samples for a reduction", () => {
  expect([0.3, 1, 1.5, 1.6, 3, 6, 100].map(samplesFor)).toEqual([1, 1, 1, 2, 2, 4, 8]);
});
