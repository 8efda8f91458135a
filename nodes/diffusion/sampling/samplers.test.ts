import { expect, test } from "vitest";
import { sample } from "./samplers.ts";

/** v = dx/dσ = x, so x(σ) = x(1)·e^(σ−1) and x0 = x·(1 − σ): a flow with a known end. */
const exponential = async (x: Float32Array, sigma: number) => x.map((value) => value * (1 - sigma));

async function errorAt(name: "euler" | "heun", steps: number): Promise<number> {
  const sigmas = Array.from({ length: steps + 1 }, (_, i) => 1 - i / steps);
  const [end = 0] = await sample(name, exponential, Float32Array.of(1), sigmas);
  return Math.abs(end - Math.exp(-1));
}

test("euler is of first order, heun of second", async () => {
  expect((await errorAt("euler", 20)) / (await errorAt("euler", 40))).toBeCloseTo(2, 0);
  expect(await errorAt("heun", 20)).toBeLessThan((await errorAt("euler", 20)) / 10);
  const evaluated: number[] = [];
  const seen: number[] = [];
  const denoise = async (x: Float32Array, sigma: number) => {
    evaluated.push(sigma);
    return x;
  };
  await sample("heun", denoise, Float32Array.of(1), [1, 0.5, 0], (i) => seen.push(i));
  expect(evaluated).toEqual([1, 0.5, 0.5]);
  expect(seen).toEqual([0, 1]);
});

test("a constant x0 is reached exactly, and no steps change nothing", async () => {
  const goal = Float32Array.of(0.25, -2);
  for (const name of ["euler", "heun"] as const)
    expect(await sample(name, async () => goal, Float32Array.of(1, 1), [1, 0.5, 0])).toEqual(goal);
  expect(await sample("euler", async () => goal, Float32Array.of(1, 1), [0.3])).toEqual(Float32Array.of(1, 1));
});
