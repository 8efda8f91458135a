import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { f32 } from "../../engine/tensor/tensor.ts";
import { fakeContext } from "../../test/fake-context.ts";
import canny from "./canny.ts";

const [HEIGHT, WIDTH] = [40, 56];
const values: number[] = [];
for (let y = 0; y < HEIGHT; y++)
  for (let x = 0; x < WIDTH; x++)
    values.push(
      0.5 + 0.5 * Math.sin(x / 5 + y / 9),
      (x - 28) ** 2 + (y - 18) ** 2 < 150 ? 0.9 : 0,
      0.2 + 0.6 * ((Math.floor(x / 9) + Math.floor(y / 7)) % 2),
    );

// kornia.filters.canny 0.8 on the same picture: how many edges, and the hash of all of them as bytes of 0 and 1.
test.each([
  [0.1, 0.2, 369, "7fd6703b394c03a6"],
  [0.26, 0.35, 209, "2b082ed4492fed33"],
  [0.4, 0.8, 87, "b1d402d2f8db0928"],
])("thresholds %s and %s", async (low_threshold, high_threshold, count, hash) => {
  const image = f32([1, HEIGHT, WIDTH, 3], Float32Array.from(values));
  const { IMAGE } = await canny.run({ image, low_threshold, high_threshold }, fakeContext(), {});
  const edges = Uint8Array.from({ length: HEIGHT * WIDTH }, (_, i) => IMAGE.data[3 * i] ?? 9);
  expect(edges.reduce((a, b) => a + b, 0)).toBe(count);
  expect(createHash("sha256").update(edges).digest("hex").slice(0, 16)).toBe(hash);
  expect(IMAGE.data.every((v, i) => v === edges[Math.floor(i / 3)])).toBe(true);
});

test("a single pixel and an even picture have no edges", async () => {
  for (const shape of [
    [1, 1, 1, 3],
    [2, 5, 3, 3],
  ]) {
    const image = f32(shape, new Float32Array(shape.reduce((a, b) => a * b)).fill(0.4));
    const { IMAGE } = await canny.run({ image, low_threshold: 0.1, high_threshold: 0.2 }, fakeContext(), {});
    expect([IMAGE.shape, IMAGE.data.some((v) => v !== 0)]).toEqual([shape, false]);
  }
});
