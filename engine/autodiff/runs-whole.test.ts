import { expect, test } from "vitest";
import { newBuilder } from "../ops/table.ts";
import { predictPeak } from "./peak.ts";
import { runsWhole } from "./runs-whole.ts";

/** x · W, W of `columns` · 256 packed weights. */
function product(columns: number) {
  const b = newBuilder();
  const file = { kind: "file", path: "/absent", offset: 0, length: columns * 84, packing: "Q2_K" } as const;
  return b.graph({ y: b.matmul(b.input("x", "float32", [1, columns]), b.weight("w", "float32", [columns, 256], file)) });
}

test("packed weights that no session's model can hold are run by segment, whatever the budget", () => {
  const [small, large] = [product(1000), product(2 ** 21)];
  expect(runsWhole(small, predictPeak(small), Number.POSITIVE_INFINITY)).toBe(true);
  expect(runsWhole(small, predictPeak(small), 1000)).toBe(false);
  expect(runsWhole(large, predictPeak(large), Number.POSITIVE_INFINITY)).toBe(false);
});

test("narrow weights count unpacked", () => {
  const b = newBuilder();
  const file = { kind: "file", path: "/absent", offset: 0, length: 2000 } as const;
  const graph = b.graph({ y: b.cast(b.weight("w", "bfloat16", [1000], file), "float32") });
  const peak = predictPeak(graph);
  expect(runsWhole(graph, peak, peak.peak + 3999)).toBe(false);
  expect(runsWhole(graph, peak, peak.peak + 4000)).toBe(true);
});
