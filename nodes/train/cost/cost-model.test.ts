import { expect, test } from "vitest";
import { predictPeak } from "../../../engine/autodiff/peak.ts";
import { withGradients } from "../../../engine/autodiff/with-gradients.ts";
import { reach } from "../../../engine/ir/graph.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { zerosTensor } from "../../../engine/tensor/tensor.ts";
import { fakeVae, OMNIGEN2_LIKE, QWEN_LIKE } from "../../../test/fake-diffusion.ts";
import { interpreterCompute } from "../../../test/interpreter-compute.ts";
import { memoryWeights } from "../../../test/memory-weights.ts";
import { modelOf, startParams } from "../../../test/plain-objective.ts";
import { releasedHeaders } from "../../../test/released-transformer.ts";
import { loadTransformer } from "../../qwen/transformer/load-transformer.ts";
import { trueCfgGuidance } from "../../shared/diffusion/guidance.ts";
import { ATTENTION_TARGETS } from "../attention-targets.ts";
import { targetedLinears } from "../loop/adapters.ts";
import { velocityGraph, velocityLossGraph } from "../model/training-graphs.ts";
import type { ObjectiveOptions } from "../objective.ts";
import { evaluationsOf, evaluationsOfSample, flopsPerExample, modelCosts } from "./cost-model.ts";
import { flopsOf } from "./graph-flops.ts";

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

test("operations: kernels of a group, transposed convolutions, attention that looks elsewhere, and products that are not transposed", () => {
  const b = newBuilder();
  const m = b.input("m", "float32", [4, 6]);
  const n = b.input("n", "float32", [6, 8]);
  expect(flopsOf(b.graph({ y: b.gemm(m, n, null) }))).toBe(2 * 4 * 8 * 6);
  const image = b.input("image", "float32", [1, 4, 9, 9]);
  const attributes = { pads: [0, 0, 0, 0], strides: [1, 1], dilations: [1, 1] };
  const depthwise = b.one("Conv", [image, b.input("each", "float32", [4, 1, 3, 3])], { ...attributes, group: 4 });
  expect(flopsOf(b.graph({ y: depthwise }))).toBe(2 * 4 * 49 * 9);
  const transposed = b.one("ConvTranspose", [image, b.input("back", "float32", [4, 5, 2, 2])], {
    ...attributes,
    strides: [2, 2],
    group: 1,
    output_padding: [0, 0],
  });
  expect(flopsOf(b.graph({ y: transposed }))).toBe(2 * 4 * 81 * 5 * 4);
  expect(flopsOf(b.graph({ y: b.add(b.mul(m, 2), 1) }))).toBe(24 + 24);
});

const options: ObjectiveOptions = {
  mode: "rerefl",
  lambda: 1,
  rewardWeight: 1,
  steps: 5,
  window: [1, 3],
  sigmaRange: [0, 1],
  sigmaRescaleCap: 0,
  k: 2,
  anchorBeta: 0,
};
const sigmas = [1, 0.8, 0.6, 0.4, 0.2, 0];

const guidance = trueCfgGuidance(4, 64);
test.each([
  ["rerefl", {}, null, { forward: 4, backward: 2, reward: 1 }],
  ["rerefl", { anchorBeta: 1 }, guidance, { forward: 9, backward: 2, reward: 1 }],
  ["draft", {}, null, { forward: 5, backward: 3, reward: 1 }],
  ["draft", { lambda: 0 }, guidance, { forward: 14, backward: 2, reward: 1 }],
  ["draft", { lambda: 0 }, OMNIGEN2_LIKE.guidance(2), { forward: 21, backward: 2, reward: 1 }],
  ["draft_lv", {}, null, { forward: 8, backward: 4, reward: 3 }],
  ["flowbp_sparse", { anchorBeta: 1 }, null, { forward: 7, backward: 3, reward: 1 }],
  ["draft", { k: 9, anchorBeta: 1 }, guidance, { forward: 25, backward: 6, reward: 1 }],
  ["draft_lv", { anchorBeta: 1, lambda: 0 }, guidance, { forward: 19, backward: 3, reward: 3 }],
  ["rerefl", { window: [1, 1], lambda: 0 }, null, { forward: 5, backward: 1, reward: 1 }],
  ["id_loss", {}, null, { forward: 1, backward: 1, reward: 1 }],
  ["sft", {}, null, { forward: 0, backward: 1, reward: 0 }],
] as const)("evaluations of %s %o", (mode, changes, guided, expected) => {
  expect(evaluationsOf({ ...options, ...changes, mode }, sigmas, guided)).toEqual(expected);
});

test("a sample takes every step once for each prompt of the guidance", () => {
  expect(evaluationsOfSample(30, null)).toEqual({ forward: 30, backward: 0, reward: 0 });
  expect(evaluationsOfSample(30, guidance).forward).toBe(60);
  expect(evaluationsOfSample(4, OMNIGEN2_LIKE.guidance(2)).forward).toBe(12);
});

test("a graph that runs whole computes nothing twice, and needs the memory of its peak", () => {
  const shape = { batch: 1, target: { h: 1, w: 2 }, references: [], prompt: { text: [1, 2, 2] }, convention: "diffusers" } as const;
  const model = modelOf(QWEN_LIKE);
  const names = new Set([...startParams().keys()]);
  const { forward, backward, decode, decodeBackward } = modelCosts({
    model,
    vae: fakeVae,
    shape,
    trainable: names,
    memory: interpreterCompute().memory,
  });
  const velocity = velocityGraph(model, shape);
  expect(forward).toEqual({
    flops: flopsOf(velocity),
    nodes: reach(velocity).nodes.length,
    bytes: predictPeak(velocity).peak,
    isSegmented: false,
  });
  const whole = withGradients(velocityLossGraph(model, shape), "loss", [...names]);
  expect(backward).toEqual({ flops: flopsOf(whole), nodes: reach(whole).nodes.length, bytes: predictPeak(whole).peak, isSegmented: false });
  expect(decodeBackward.flops).toBeGreaterThan(decode.flops);
  const costs = {
    forward: { flops: 2, nodes: 0, bytes: 0, isSegmented: false },
    backward: { flops: 30, nodes: 0, bytes: 0, isSegmented: false },
    decode: { flops: 500, nodes: 0, bytes: 0, isSegmented: false },
    decodeBackward: { flops: 7000, nodes: 0, bytes: 0, isSegmented: false },
  };
  expect(flopsPerExample({ forward: 3, backward: 2, reward: 4 }, costs)).toBe(6 + 60 + 4 * 7500);
});

test("the released transformer at 1024² with one reference: operations as its architecture says, in seconds", async () => {
  const { model } = await loadTransformer({ ...memoryWeights(new Map()), tensors: releasedHeaders() });
  const rank = 16;
  const adapters = targetedLinears(model, ATTENTION_TARGETS).map(([target, [out, in_]]) => ({
    target,
    nameA: `${target}.A`,
    nameB: `${target}.B`,
    a: zerosTensor("float32", [rank, in_]),
    b: zerosTensor("float32", [out, rank]),
    scale: 1,
  }));
  const names = new Set(adapters.flatMap((a) => [a.nameA, a.nameB]));
  const shape = {
    batch: 1,
    target: { h: 64, w: 64 },
    references: [{ h: 64, w: 64 }],
    prompt: model.prompt.shapes(320),
    convention: "diffusers",
  } as const;
  const { forward, backward } = modelCosts({
    model: model.withAdapters(adapters),
    vae: fakeVae,
    shape,
    trainable: names,
    memory: interpreterCompute().memory,
  });
  // 60 blocks of 2 streams: 6.8 G weights per stream, 2 operations each; attention 4·60·3072·L².
  const L = 2 * 4096 + 320;
  const [linear, attention] = [13.59e9 * L, 737_280 * L * L];
  expect(forward.flops / (linear + attention)).toBeCloseTo(1, 2);
  // By segment: forward, forward again, and the gradients of inputs only; attention's backward is 2.5 forwards.
  expect(backward.flops / (3 * linear + 4.5 * attention)).toBeCloseTo(1, 1);
  // The forward pass once more, node by node.
  expect(backward.nodes).toBeGreaterThan(2 * forward.nodes);
  expect([forward.isSegmented, backward.isSegmented]).toEqual([true, true]);
  // The weights that are kept, those of one block in float32 (1.27 GiB), and what is in flight.
  const { keptWeightBytes } = interpreterCompute().memory;
  for (const { bytes } of [forward, backward]) expect(bytes).toBeGreaterThan(keptWeightBytes + 1.2 * 2 ** 30);
  expect(forward.bytes).toBeLessThan(keptWeightBytes + 6 * 2 ** 30);
  expect(backward.bytes).toBeLessThan(keptWeightBytes + 14 * 2 ** 30);
});
