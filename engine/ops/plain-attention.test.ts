import { expect, it } from "vitest";
import { apartness } from "../../test/oracle.ts";
import { randomSource } from "../base/random.ts";
import { uniform } from "./draw.ts";
import { interpret } from "./interpret.ts";
import { plainAttention } from "./plain-attention.ts";
import { newBuilder, opRow } from "./table.ts";

it("is what MultiHeadAttention computes, whatever the queries at once", () => {
  const random = randomSource(1);
  for (const sample of [
    ...opRow("MultiHeadAttention").samples(() => random.uniform()),
    { inputs: [7, 5, 5].map((n) => uniform(() => random.uniform(), [2, n, 4])), attrs: { num_heads: 2 } },
  ])
    for (const maxScores of [1, 40, 2 ** 20]) {
      const b = newBuilder();
      const feeds = Object.fromEntries(sample.inputs.flatMap((t, i) => (t ? [[`x${i}`, t] as const] : [])));
      const inputs = sample.inputs.map((t, i) => t && b.input(`x${i}`, "float32", t.shape));
      const [fused] = b.op("MultiHeadAttention", inputs, sample.attrs ?? {});
      const plain = plainAttention(b, inputs, sample.attrs ?? {}, maxScores);
      const results = interpret(b.graph({ ...(fused ? { fused } : {}), plain }), feeds);
      // The scale is a float32 constant in one, a float64 attribute in the other.
      expect(apartness(results.plain, results.fused)).toBeLessThanOrEqual(1e-7);
    }
});
