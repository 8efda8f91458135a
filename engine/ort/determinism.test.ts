import { expect, test } from "vitest";
import { randomSource } from "../base/random.ts";
import { newBuilder } from "../ops/table.ts";
import { f32, tensor } from "../tensor/tensor.ts";
import { createRuntime } from "./runtime.ts";

// A training that is resumed must give the same bytes, so no gradient may depend on which thread came first.
test("a gather of many equal rows has the same gradient, to the bit, on several threads", async () => {
  const runtime = createRuntime({ device: "cpu", threads: 4 });
  const rng = randomSource(3);
  const n = 200_000;
  const indices = tensor(
    "int64",
    [n],
    BigInt64Array.from({ length: n }, () => BigInt(rng.below(7))),
  );
  const weights = f32([n, 3], rng.normals(new Float32Array(n * 3)));
  const b = newBuilder();
  const rows = b.gather(b.input("x", "float32", [7, 3]), b.input("indices", "int64", [n]), 0);
  const graph = b.graph({ loss: b.sum(b.mul(rows, b.input("weights", "float32", [n, 3])), [], false) });
  const run = await runtime.grad(graph, "loss", ["x"]);
  const feeds = { x: f32([7, 3], new Float32Array(21)), indices, weights };
  const first = (await run.run(feeds))["grad.x"]?.data;
  const expected = new Float64Array(21);
  weights.data.forEach((w, i) => {
    const to = Number(indices.data[Math.floor(i / 3)]) * 3 + (i % 3);
    expected[to] = (expected[to] ?? 0) + w;
  });
  for (let i = 0; i < 21; i++) expect(Number(first?.[i])).toBeCloseTo(expected[i] ?? 0, 1);
  for (let k = 0; k < 20; k++) expect((await run.run(feeds))["grad.x"]?.data).toEqual(first);
  await runtime.dispose();
});
