import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { z } from "zod";
import { mt19937, torchRandn } from "./torch-random.ts";

const vectors = z
  .object({
    torch_cpu_randn: z.array(
      z.union([
        z.object({ seed: z.string(), n: z.number(), values: z.array(z.number()) }),
        z.object({
          seed: z.string(),
          shape: z.array(z.number()),
          first8: z.array(z.number()),
          last8: z.array(z.number()),
          sum: z.number(),
          sumsq: z.number(),
        }),
      ]),
    ),
  })
  .parse(JSON.parse(readFileSync(new URL("../../test/golden/vectors.json", import.meta.url), "utf8"))).torch_cpu_randn;

/** Largest difference; PyTorch's vectorised log, sin and cos round the last bit differently. */
function distance(a: ArrayLike<number>, b: readonly number[]): number {
  return Math.max(...b.map((x, i) => Math.abs(x - (a[i] ?? Number.NaN))));
}

test("the reference generator's 10,000th number", () => {
  const next = mt19937(5489);
  for (let i = 1; i < 10_000; i++) next();
  // The value the C++ standard requires of std::mt19937.
  expect(next()).toBe(4123659995);
});

test.each(vectors.filter((v) => "values" in v))("randn of seed $seed, $n numbers", ({ seed, n, values }) => {
  expect(distance(torchRandn(BigInt(seed), n), values)).toBeLessThan(3e-7);
});

test.each(vectors.filter((v) => "first8" in v))("a whole latent, seed $seed", ({ seed, shape, first8, last8, sum, sumsq }) => {
  const n = shape.reduce((a, b) => a * b);
  const noise = torchRandn(BigInt(seed), n);
  expect(distance(noise.subarray(0, 8), first8)).toBeLessThan(3e-7);
  expect(distance(noise.subarray(n - 8), last8)).toBeLessThan(3e-7);
  let [s, q] = [0, 0];
  for (const x of noise) {
    s += x;
    q += x * x;
  }
  expect(Math.abs(s - sum)).toBeLessThan(1e-3);
  expect(Math.abs(q - sumsq)).toBeLessThan(1e-2);
});

test("fewer than 16 numbers take PyTorch's float64 path, exactly", () => {
  // torch.manual_seed(7); torch.randn(5)
  expect([...torchRandn(7, 5)]).toEqual(
    [-0.1467950940132141, 0.7861412763595581, 0.9468216300010681, -1.1143440008163452, 1.6907901763916016].map(Math.fround),
  );
  expect(torchRandn(7, 0).length).toBe(0);
});

test("only the low 32 bits of a seed count, as in PyTorch", () => {
  expect(torchRandn(2n ** 40n + 3n, 20)).toEqual(torchRandn(3, 20));
});
