import { expect, test } from "vitest";
import { fakeContext } from "../../test/fake-context.ts";
import compareMetrics from "./compare-metrics.ts";

test("one row per number of either side; what one side lacks has no change", async () => {
  const ctx = fakeContext();
  await compareMetrics.run({ before: { values: { a: 1, b: 2 } }, after: { values: { a: 1.5, c: 3 } }, title: "held out" }, ctx, {});
  expect(ctx.scores.get("held out, change")).toEqual({ a: 0.5 });
  const [text] = ctx.shown[0]?.text ?? [];
  expect(String(text).split("\n")).toEqual([
    "held out                  before       after      change   95 % from          to",
    "a                         1.0000      1.5000      0.5000           -           -",
    "b                         2.0000           -           -           -           -",
    "c                              -      3.0000           -           -           -",
  ]);
});

test("a number that is not finite costs its example, with a word, and not all intervals", async () => {
  const ctx = fakeContext();
  const side = (values: readonly number[]) => ({
    values: { a: 1 },
    details: { label: "x", encoder: "e", examples: ["p", "q", "r"], rows: values.map((a) => ({ a })) },
  });
  await compareMetrics.run({ before: side([1, 2, Number.NaN]), after: side([2, 3, 4]), title: "held out" }, ctx, {});
  expect(ctx.scores.get("held out, change at least")).toEqual({ a: 1 });
  expect(ctx.logs).toEqual(["warn: held out: a of 1 of 3 examples is not finite: its interval leaves them out"]);
});

test("changes of the same examples have an interval, whatever their order; examples of one side do not count", async () => {
  const ctx = fakeContext();
  const side = (examples: readonly string[], values: readonly number[]) => ({
    values: { a: values.reduce((x, y) => x + y, 0) / values.length },
    details: { label: "x", encoder: "e", examples, rows: values.map((a) => ({ a })) },
  });
  const ids = Array.from({ length: 20 }, (_, k) => `scene ${k}`);
  const spread = ids.map((_, k) => 10 * (k % 3));
  // Every example gains 1 or 2; between examples the spread is ten times as large.
  const before = side([...ids, "extra"], [...spread, 0]);
  const after = side([...ids].reverse(), ids.map((_, k) => (spread[k] ?? 0) + 1 + (k % 2)).reverse());
  await compareMetrics.run({ before, after, title: "held out" }, ctx, {});
  const [low, high] = ["at least", "at most"].map((end) => Number(Object(ctx.scores.get(`held out, change ${end}`)).a));
  expect(low).toBeGreaterThan(1.2);
  expect(low).toBeLessThan(1.5);
  expect(high).toBeGreaterThan(1.5);
  expect(high).toBeLessThan(1.8);
});
