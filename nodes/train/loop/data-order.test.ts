import { describe, expect, it } from "vitest";
import { batchAt, exampleAt, streamOf } from "./data-order.ts";

describe("exampleAt", () => {
  it("visits every example once an epoch, whatever the size", () => {
    for (let size = 1; size <= 9; size++)
      for (let epoch = 0; epoch < 30; epoch++) {
        const order = Array.from({ length: size }, (_, k) => exampleAt(3, size, epoch * size + k));
        expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, k) => k));
      }
  });

  it("takes every order equally often", () => {
    const counts = new Map<string, number>();
    for (let epoch = 0; epoch < 6000; epoch++) {
      const order = [0, 1, 2].map((k) => exampleAt(8, 3, 3 * epoch + k)).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(6);
    // Four standard errors of 6000 draws of one in six.
    for (const n of counts.values()) expect(Math.abs(n - 1000)).toBeLessThan(4 * Math.sqrt(6000 * (1 / 6) * (5 / 6)));
  });
});

describe("streamOf", () => {
  it("depends on the seed and on every number of the path, in order, and on nothing else", () => {
    const first = (seed: number | bigint, ...path: number[]) => streamOf(seed, ...path).uniform();
    const all = [first(1), first(2), first(1, 0), first(1, 1), first(1, 0, 0), first(1, 1, 2), first(1, 2, 1), first(2n ** 64n - 1n)];
    expect(new Set(all).size).toBe(all.length);
    expect(first(1, 4, 9)).toBe(first(1n, 4, 9));
    expect(first(1n + 2n ** 64n, 4)).toBe(first(1, 4));
  });
});

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

  it("fills batches in the order in which examples come, and leaves over what fills none", () => {
    const one = { train: 7, bucket: () => "only" };
    for (let epoch = 0; epoch < 5; epoch++) {
      const batches = [0, 1, 2].map((k) => batchAt(4, one, 3 * epoch + k, 2));
      const order = Array.from({ length: 6 }, (_, k) => exampleAt(4, 7, 7 * epoch + k));
      expect(batches.map((b) => b.join()).sort()).toEqual([0, 2, 4].map((k) => order.slice(k, k + 2).join()).sort());
    }
    // Batches of an epoch are shuffled too.
    const firsts = new Set(
      Array.from(
        { length: 12 },
        (_, epoch) => batchAt(4, one, 3 * epoch, 2).join() === [exampleAt(4, 7, 7 * epoch), exampleAt(4, 7, 7 * epoch + 1)].join(),
      ),
    );
    expect(firsts).toEqual(new Set([true, false]));
  });

  it("refuses a batch that no bucket fills", () => {
    expect(() => batchAt(0, { train: 6, bucket }, 0, 5)).toThrow(/none of the 2 picture sizes has 5 examples/);
  });
});
