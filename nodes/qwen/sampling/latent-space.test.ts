import { expect, test } from "vitest";
import { f32 } from "../../../engine/tensor/tensor.ts";
import { cropLatent, denormaliseLatent, normaliseLatent, padToEven } from "./latent-space.ts";

test("odd sizes wrap around to even ones and are cut off again", () => {
  const odd = f32(
    [1, 2, 3, 3],
    Array.from({ length: 18 }, (_, i) => i),
  );
  const even = padToEven(odd);
  expect(even.shape).toEqual([1, 2, 4, 4]);
  expect([...even.data.subarray(0, 16)]).toEqual([0, 1, 2, 0, 3, 4, 5, 3, 6, 7, 8, 6, 0, 1, 2, 0]);
  expect(cropLatent(even, 3, 3)).toEqual(odd);
  expect(padToEven(even)).toBe(even);
});

test("normalising is per channel and undone by its inverse", () => {
  const z = f32(
    [2, 16, 1, 2],
    Array.from({ length: 64 }, (_, i) => Math.sin(i)),
  );
  const n = normaliseLatent(z);
  expect(n.data[0]).toBeCloseTo((Math.sin(0) + 0.7571) / 2.8184, 6);
  expect(n.data[63]).toBeCloseTo((Math.sin(63) + 0.2921) / 1.916, 6);
  denormaliseLatent(n).data.forEach((x, i) => {
    expect(x).toBeCloseTo(z.data[i] ?? 0, 5);
  });
  expect(() => normaliseLatent(f32([1, 4, 1, 1], [0, 0, 0, 0]))).toThrow(expect.objectContaining({ code: "LATENT_CHANNELS" }));
});
