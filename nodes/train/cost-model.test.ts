import { expect, test } from "vitest";
import { newBuilder } from "../../engine/ops/table.ts";
import { evaluationsOf } from "./cost-model.ts";
import { flopsOf } from "./graph-flops.ts";
import type { ObjectiveOptions } from "./objective.ts";

test("operations of products, convolutions and attention", () => {
  const b = newBuilder();
  const x = b.input("x", "float32", [2, 3, 5]);
  const w = b.input("w", "float32", [5, 7]);
  expect(flopsOf(b.graph({ y: b.matmul(x, w) }))).toBe(2 * 2 * 3 * 5 * 7);
  const m = b.input("m", "float32", [4, 6]);
  const n = b.input("n", "float32", [4, 8]);
  expect(flopsOf(b.graph({ y: b.gemm(m, n, null, { transA: true }) }))).toBe(2 * 6 * 4 * 8);
  const image = b.input("image", "float32", [1, 4, 9, 9]);
  const kernel = b.input("kernel", "float32", [6, 4, 3, 3]);
  const conv = b.one("Conv", [image, kernel], { pads: [1, 1, 1, 1], strides: [1, 1], dilations: [1, 1], group: 1 });
  expect(flopsOf(b.graph({ y: conv }))).toBe(2 * 6 * 81 * 4 * 9);
  const q = b.input("q", "float32", [1, 10, 8]);
  const k = b.input("k", "float32", [1, 12, 8]);
  expect(flopsOf(b.graph({ y: b.one("MultiHeadAttention", [q, k, k], { num_heads: 2 }) }))).toBe(4 * 10 * 12 * 8);
  expect(flopsOf(b.graph({ y: b.add(x, 1) }))).toBe(30);
});

const options: ObjectiveOptions = {
  mode: "rerefl",
  lambda: 1,
  rewardWeight: 1,
  steps: 5,
  window: [1, 3],
  sigmaRange: [0, 1],
  trueCfgScale: 1,
  sigmaRescaleCap: 0,
  k: 2,
  anchorBeta: 0,
};
const sigmas = [1, 0.8, 0.6, 0.4, 0.2, 0];

test.each([
  ["rerefl", {}, { forward: 4, backward: 2, reward: 1 }],
  ["rerefl", { trueCfgScale: 4, anchorBeta: 1 }, { forward: 9, backward: 2, reward: 1 }],
  ["draft", {}, { forward: 5, backward: 3, reward: 1 }],
  ["draft", { trueCfgScale: 4, lambda: 0 }, { forward: 14, backward: 2, reward: 1 }],
  ["draft_lv", {}, { forward: 7, backward: 3, reward: 2 }],
  ["flowbp_sparse", { anchorBeta: 1 }, { forward: 7, backward: 3, reward: 1 }],
  ["id_loss", {}, { forward: 1, backward: 1, reward: 1 }],
  ["sft", {}, { forward: 0, backward: 1, reward: 0 }],
] as const)("evaluations of %s %o", (mode, changes, expected) => {
  expect(evaluationsOf({ ...options, ...changes, mode }, sigmas)).toEqual(expected);
});
