import { describe, expect, it } from "vitest";
import { apartness, runOrt } from "../../test/oracle.ts";
import { grad } from "../autodiff/grad.ts";
import { randomSource } from "../base/random.ts";
import { reach } from "../ir/graph.ts";
import type { Value } from "../ir/value.ts";
import { attentionBackward } from "../ops/attention-gradient.ts";
import type { RefTensor } from "../ops/define-op.ts";
import { interpret } from "../ops/interpret.ts";
import { newBuilder } from "../ops/table.ts";
import { sizeOf } from "../tensor/shape.ts";
import { attention } from "./attention.ts";

const random = randomSource(11);
const draw = (shape: readonly number[]): RefTensor => ({
  shape,
  data: Float64Array.from({ length: sizeOf(shape) }, () => Math.fround(random.normal())),
});

/** The same attention and its gradients through the fused op, and through MatMul and Softmax. */
function both(q: RefTensor, k: RefTensor, v: RefTensor, mask: RefTensor | null) {
  const b = newBuilder();
  const feeds: Record<string, RefTensor> = { q, k, v, ...(mask ? { mask } : {}) };
  const [vq, vk, vv, vm] = ["q", "k", "v", "mask"].map((name) => (feeds[name] ? b.input(name, "float32", feeds[name].shape) : null));
  if (!vq || !vk || !vv) throw new Error("inputs");
  const wrt: Value[] = [vq, vk, vv];
  const plain = (): Value => {
    const rank = vk.shape.length;
    const keys = b.transpose(vk, [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2]);
    const scores = b.mul(b.matmul(vq, keys), 1 / Math.sqrt(vq.shape.at(-1) ?? 1));
    return b.matmul(b.softmax(vm ? b.add(scores, vm) : scores, -1), vv);
  };
  const graphOf = (y: Value) => {
    const w = b.constant({ dtype: "float32", shape: y.shape, data: Float32Array.from({ length: sizeOf(y.shape) }, (_, i) => Math.sin(i)) });
    const grads = grad(b, b.sum(b.mul(y, w), [], false), wrt);
    return b.graph({ y, ...Object.fromEntries(grads.map((g, i) => [`d${i}`, g])) });
  };
  return { fused: graphOf(attention(b, vq, vk, vv, { mask: vm ?? null })), plain: graphOf(plain()), feeds };
}

const CASES: [string, number[], number[], number[], RefTensor | null][] = [
  ["heads", [2, 3, 5, 4], [2, 3, 6, 4], [2, 3, 6, 2], null],
  ["no head axis", [2, 5, 4], [2, 3, 4], [2, 3, 4], null],
  [
    "a mask over keys",
    [2, 3, 4, 4],
    [2, 3, 4, 4],
    [2, 3, 4, 4],
    { shape: [2, 1, 1, 4], data: Float64Array.from([0, 0, 0, -1e30, 0, 0.5, -1e30, -1e30]) },
  ],
  ["a mask without batch", [2, 3, 4], [2, 3, 4], [2, 3, 4], { shape: [3], data: Float64Array.from([0, -1e30, 1]) }],
];

describe("fused attention", () => {
  it.each(CASES)("equals MatMul and Softmax with %s, gradients too", async (_, q, k, v, mask) => {
    const { fused, plain, feeds } = both(draw(q), draw(k), draw(v), mask);
    expect(reach(fused).nodes.map((n) => n.op)).toContain("MultiHeadAttention");
    const [truth, exact, ours] = [interpret(plain, feeds), interpret(fused, feeds), await runOrt(fused, feeds)];
    for (const name of Object.keys(plain.outputs)) {
      expect(apartness(exact[name], truth[name]), name).toBeLessThan(1e-9);
      expect(apartness(ours[name], truth[name]), name).toBeLessThan(1e-5);
    }
  });

  it("has the same gradient however few heads go at a time, one score matrix depending on the last", () => {
    const feeds: Record<string, RefTensor> = {
      q: draw([1, 5, 12]),
      k: draw([1, 4, 12]),
      v: draw([1, 4, 6]),
      bias: draw([1, 3, 5, 4]),
      dy: draw([1, 5, 6]),
    };
    const results = [1000, 45, 1].map((maxScores) => {
      const b = newBuilder();
      const value = (name: string) => b.input(name, "float32", feeds[name]?.shape ?? []);
      const inputs = [value("q"), value("k"), value("v"), null, null, value("bias")];
      const attrs = { num_heads: 3 };
      const outputs = b.op("MultiHeadAttention", inputs, attrs);
      const needs = inputs.map((x) => x !== null);
      const grads = attentionBackward({ b, inputs, outputs, attrs, needs, dys: [value("dy")] }, maxScores);
      const graph = b.graph(Object.fromEntries(grads.flatMap((g, i) => (g ? [[String(i), g]] : []))));
      return { softmaxes: reach(graph).nodes.filter((n) => n.op === "Softmax").length, values: interpret(graph, feeds) };
    });
    expect(results.map((r) => r.softmaxes)).toEqual([1, 2, 3]);
    for (const name of ["0", "1", "2", "5"])
      for (const r of results) expect(apartness(r.values[name], results[0]?.values[name])).toBeLessThan(1e-14);
  });
});
