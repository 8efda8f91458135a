import { expect, test } from "vitest";
import { fakeContext } from "../../test/fake-context.ts";
import compareMetrics from "./compare-metrics.ts";

test("one row per number of either side; what one side lacks has no change", async () => {
  const ctx = fakeContext();
  await compareMetrics.run({ before: { values: { a: 1, b: 2 } }, after: { values: { a: 1.5, c: 3 } }, title: "held out" }, ctx, {});
  expect(ctx.scores.get("held out, change")).toEqual({ a: 0.5 });
  const [text] = ctx.shown[0]?.text ?? [];
  expect(String(text).split("\n")).toEqual([
    "held out                  before       after      change",
    "a                         1.0000      1.5000      0.5000",
    "b                         2.0000           -           -",
    "c                              -      3.0000           -",
  ]);
});
