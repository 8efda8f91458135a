import { expect, test } from "vitest";
import { randomSource } from "../base/random.ts";
import { newBuilder } from "../ops/table.ts";
import { createRuntime } from "../ort/runtime.ts";
import { f32, type Tensor } from "../tensor/tensor.ts";
import { attention } from "./attention.ts";

const rng = randomSource(5);
const random = (shape: readonly number[]) => f32(shape, rng.normals(new Float32Array(shape.reduce((a, d) => a * d, 1))));

/** One head in float64. */
function bruteForce(
  q: Tensor<"float32">,
  k: Tensor<"float32">,
  v: Tensor<"float32">,
  head: number,
  group: number,
  mask: Tensor<"float32">,
): number[] {
  const [, , n = 0, d = 0] = q.shape;
  const m = k.shape[2] ?? 0;
  const qAt = (i: number, c: number) => q.data[((head * (q.shape[1] ?? 1) + group) * n + i) * d + c] ?? 0;
  const kAt = (t: Tensor<"float32">, j: number, c: number) => t.data[(head * m + j) * d + c] ?? 0;
  const out: number[] = [];
  for (let i = 0; i < n; i++) {
    const scores = Array.from({ length: m }, (_, j) => {
      let s = 0;
      for (let c = 0; c < d; c++) s += qAt(i, c) * kAt(k, j, c);
      return s / Math.sqrt(d) + (mask.data[i * m + j] ?? 0);
    });
    const top = Math.max(...scores);
    const weights = scores.map((s) => Math.exp(s - top));
    const total = weights.reduce((a, w) => a + w, 0);
    for (let c = 0; c < d; c++) out.push(weights.reduce((a, w, j) => a + (w / total) * kAt(v, j, c), 0));
  }
  return out;
}

test("equals the sum over keys, whole and in chunks of any size, with grouped queries", async () => {
  // 2 key heads, 3 query heads on each.
  const q = random([2, 3, 7, 4]);
  const [k, v] = [random([2, 1, 5, 4]), random([2, 1, 5, 4])];
  const mask = random([7, 5]);
  const expected = [0, 1].flatMap((head) => [0, 1, 2].flatMap((group) => bruteForce(q, k, v, head, group, mask)));
  const runtime = createRuntime({ device: "cpu", threads: 1 });
  for (const maxScores of [2 ** 20, 60, 1]) {
    const b = newBuilder();
    const value = (name: string, t: Tensor) => b.input(name, t.dtype, t.shape);
    const y = attention(b, value("q", q), value("k", k), value("v", v), { mask: value("mask", mask), maxScores });
    const result = await runtime.run(b.graph({ y }), { q, k, v, mask });
    expect(result.y?.shape).toEqual([2, 3, 7, 4]);
    const got = result.y?.data ?? [];
    expected.forEach((e, i) => {
      expect(Math.abs(Number(got[i]) - e)).toBeLessThan(1e-5);
    });
  }
  await runtime.dispose();
});
