import { describe, expect, it } from "vitest";
import { batchAt, exampleAt } from "./data-order.ts";

describe("batchAt", () => {
  const bucket = (_: string, index: number) => (index % 3 === 0 ? "wide" : "square");

  it("gives batches of one bucket, each example at most once an epoch, in an order that depends on seed and epoch", () => {
    // 20 wide and 40 square examples: 2 and 5 batches of 8.
    const epoch = (seed: number, from: number) => Array.from({ length: 7 }, (_, k) => batchAt(seed, { train: 60, bucket }, from + k, 8));
    const first = epoch(1, 0);
    for (const batch of first) expect(new Set(batch.map((i) => bucket("", i))).size).toBe(1);
    expect(new Set(first.flat()).size).toBe(56);
    expect(first.filter(([i = 0]) => i % 3 === 0)).toHaveLength(2);
    expect(epoch(1, 7)).not.toEqual(first);
    expect(epoch(2, 0)).not.toEqual(first);
    expect(epoch(1, 0)).toEqual(first);
  });

  it("without buckets takes one example after the other, across epochs", () => {
    const drawn = [0, 1, 2].flatMap((step) => batchAt(5, { train: 7 }, step, 4));
    expect(drawn).toEqual(Array.from({ length: 12 }, (_, n) => exampleAt(5, 7, n)));
  });

  it("refuses a batch that no bucket fills", () => {
    expect(() => batchAt(0, { train: 6, bucket }, 0, 5)).toThrow(/none of the 2 picture sizes has 5 examples/);
  });
});
