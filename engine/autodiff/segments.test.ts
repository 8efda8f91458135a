import { describe, expect, it } from "vitest";
import { isCollected } from "../../test/is-collected.ts";
import { apartness, runOrt } from "../../test/oracle.ts";
import { randomSource } from "../base/random.ts";
import type { Builder } from "../ir/builder.ts";
import { reach } from "../ir/graph.ts";
import type { Graph, Value } from "../ir/value.ts";
import type { RefTensor } from "../ops/define-op.ts";
import { interpret, toReference } from "../ops/interpret.ts";
import { newBuilder } from "../ops/table.ts";
import { sizeOf } from "../tensor/shape.ts";
import { f32 } from "../tensor/tensor.ts";
import { grad } from "./grad.ts";
import { predictPeak } from "./peak.ts";
import { runSegments, runTraining, type SegmentMachine } from "./run-segments.ts";
import { segmentedGrad } from "./segmented-grad.ts";
import { predictForwardPeak, predictTrainingPeak } from "./segmented-peak.ts";
import { type Segment, type SegmentedGraph, segmentGraph } from "./segments.ts";

/** Pre-norm transformer over [1,S,D] with a modulation read by all blocks and a weight shared by two of them. */
function stack(layers: number, s: number, d: number): { b: Builder; graph: Graph; wrt: Value[]; feeds: Record<string, RefTensor> } {
  const random = randomSource(7);
  const b = newBuilder();
  const weights: Value[] = [];
  const w = (name: string, shape: number[]) => {
    const known = b.findWeight(name);
    if (known) return known;
    const data = random.normals(new Float32Array(sizeOf(shape))).map((v) => v / Math.sqrt(shape[0] ?? 1));
    const v = b.weight(name, "float32", shape, { kind: "host", tensor: f32(shape, data) });
    weights.push(v);
    return v;
  };
  const [x, t] = [b.input("x", "float32", [1, s, d]), b.input("t", "float32", [1, 1, d])];
  const ones = b.expand(b.scalar(1), [d]);
  let h = b.matmul(x, w("embed", [d, d]));
  const skip = h;
  for (let i = 0; i < layers; i++)
    h = b.scope(`blocks.${i}`, () => {
      const normed = b.mul(b.one("LayerNormalization", [h, ones], { axis: -1, epsilon: 1e-5 }), b.add(t, 1));
      const [q, k, v] = ["q", "k", "v"].map((p) => b.matmul(normed, w(`blocks.${i}.${p}`, [d, d])));
      if (!q || !k || !v) return h;
      const scores = b.softmax(b.mul(b.matmul(q, b.transpose(k, [0, 2, 1])), 1 / Math.sqrt(d)), -1);
      const attended = b.add(h, b.matmul(b.matmul(scores, v), w("shared.o", [d, d])));
      return b.add(
        attended,
        b.matmul(b.gelu(b.matmul(attended, w(`blocks.${i}.up`, [d, 2 * d])), "tanh"), w(`blocks.${i}.down`, [2 * d, d])),
      );
    });
  const y = b.matmul(b.add(h, skip), w("head", [d, d]));
  const loss = b.mean(b.mul(y, y), [], false);
  const feed = (v: Value) => ({ shape: v.shape, data: Float64Array.from(random.normals(new Float32Array(sizeOf(v.shape)))) });
  return { b, graph: b.graph({ y, loss }), wrt: [x, t, ...weights], feeds: { x: feed(x), t: feed(t) } };
}

const onReference = (runs: Graph[]): SegmentMachine<RefTensor> => ({
  run: async (graph, feeds) => {
    runs.push(graph);
    return interpret(graph, feeds);
  },
  weight: (v) => toReference(v.def.kind === "weight" && v.def.source.kind === "host" ? v.def.source.tensor : f32([], [Number.NaN])),
  filled: (v, x) => ({ shape: v.shape, data: new Float64Array(sizeOf(v.shape)).fill(x) }),
  add: (a, c) => ({ shape: a.shape, data: a.data.map((v, i) => v + (c.data[i] ?? 0)) }),
});

describe("segments", () => {
  it("share one graph per structure and give the whole graph's results", async () => {
    const { graph, feeds } = stack(4, 5, 6);
    const segmented = segmentGraph(graph);
    expect(segmented.segments.map((s) => s.scope)).toEqual(["", "blocks.0", "blocks.1", "blocks.2", "blocks.3", ""]);
    expect(new Set(segmented.segments.map((s) => s.graph)).size).toBe(3);
    const results = await runSegments(segmented, feeds, onReference([]));
    const whole = interpret(graph, feeds);
    for (const name of ["y", "loss"]) expect(apartness(results[name], whole[name])).toBeLessThan(1e-13);
  });

  it("give the gradients of the whole graph, with one forward and one backward graph per block type", async () => {
    const { b, graph, wrt, feeds } = stack(4, 5, 6);
    const segmented = segmentedGrad(graph, "loss", wrt);
    const runs: Graph[] = [];
    const { gradients, outputs } = await runTraining(segmented, feeds, onReference(runs));
    const loss = graph.outputs.loss;
    const truth = interpret(b.graph(Object.fromEntries((loss ? grad(b, loss, wrt) : []).map((g, i) => [String(i), g]))), feeds);
    wrt.forEach((_, i) => {
      expect(apartness(gradients[i], truth[String(i)])).toBeLessThan(1e-12);
      expect(gradients[i]?.data.some((x) => x !== 0)).toBe(true);
    });
    expect(apartness(outputs.loss, interpret(graph, feeds).loss)).toBeLessThan(1e-13);
    // Embedding and block forward; head, block and embedding backward.
    expect(new Set(runs).size).toBe(2 + 3);
    expect(runs).toHaveLength(5 + 6);
  });

  it("run in ONNX Runtime with the same gradients", async () => {
    const { b, graph, wrt, feeds } = stack(3, 4, 8);
    const machine = { ...onReference([]), run: runOrt };
    const { gradients } = await runTraining(segmentedGrad(graph, "loss", wrt), feeds, machine);
    const loss = graph.outputs.loss;
    const whole = await runOrt(b.graph(Object.fromEntries((loss ? grad(b, loss, wrt) : []).map((g, i) => [String(i), g]))), feeds);
    wrt.forEach((_, i) => {
      expect(apartness(gradients[i], whole[String(i)])).toBeLessThan(1e-5);
    });
  });

  it("walk only what is trained: no backward run before the first trained layer", () => {
    const { graph } = stack(4, 5, 6);
    const down = reach(graph).weights.find((v) => v.def.kind === "weight" && v.def.name === "blocks.2.down");
    const segmented = segmentedGrad(graph, "loss", down ? [down] : []);
    expect(segmented.backward.map((s) => s.segment.scope)).toEqual(["", "blocks.3", "blocks.2"]);
    expect(segmented.backward.at(-1)?.gradients.map((g) => g.name)).toEqual(["dw5"]);
  });

  it("walk only what is trained inside a segment too: outputs that do not depend on it get no gradient", () => {
    const b = newBuilder();
    const x = b.input("x", "float32", [2]);
    const w = b.weight("w", "float32", [2], { kind: "host", tensor: f32([2], [1, 2]) });
    const [p, q] = b.scope("first", () => [b.mul(x, w), b.relu(x)] as const);
    const loss = b.scope("second", () => b.sum(b.mul(p, q), [], false));
    const { backward } = segmentedGrad(b.graph({ loss }), "loss", [w]);
    expect(backward.map((s) => s.segment.scope)).toEqual(["second", "first"]);
    expect(backward.map((s) => s.gradients.map((g) => g.value.id))).toEqual([[p.id], [w.id]]);
  });

  it("give weights as they are, and name an input that is not fed", async () => {
    const b = newBuilder();
    const w = b.weight("w", "float32", [2], { kind: "host", tensor: f32([2], [3, 4]) });
    const y = b.scope("only", () => b.relu(b.input("x", "float32", [2])));
    const segmented = segmentGraph(b.graph({ y, w }));
    const feeds = { x: { shape: [2], data: new Float64Array([1, -1]) } };
    expect((await runSegments(segmented, feeds, onReference([]))).w?.data).toEqual(new Float64Array([3, 4]));
    await expect(runSegments(segmented, {}, onReference([]))).rejects.toThrow("feed x");
  });

  it("need less memory, and more so the deeper the stack", () => {
    const saved = [2, 8].map((layers) => {
      const { b, graph, wrt } = stack(layers, 64, 32);
      const loss = graph.outputs.loss;
      const whole = predictPeak(b.graph(Object.fromEntries((loss ? grad(b, loss, wrt) : []).map((g, i) => [String(i), g]))));
      const bySegment = predictTrainingPeak(segmentedGrad(graph, "loss", wrt), 1e9);
      // Weights that are in host memory already are fed as they are.
      expect(bySegment.weights).toBe(0);
      expect(whole.weights).toBeGreaterThan(1000);
      return bySegment.activations / whole.activations;
    });
    expect(saved[0]).toBeLessThan(0.8);
    expect(saved[1]).toBeLessThan(0.5);
  });

  it("count what crosses a cut on its way to a comparison only as a gradient of 0", async () => {
    const b = newBuilder();
    const x = b.input("x", "float32", [3]);
    const [a, c] = b.scope("first", () => [b.mul(x, x), b.mul(x, 2)]);
    const y = b.scope("second", () => b.sum(b.where(b.one("Greater", [c, b.scalar(1)]), a, b.mul(a, 3)), [], false));
    const graph = b.graph({ y });
    const feeds = { x: { shape: [3], data: new Float64Array([0.25, 1, -2]) } };
    const { gradients } = await runTraining(segmentedGrad(graph, "y", [x]), feeds, onReference([]));
    expect([...(gradients[0]?.data ?? [])]).toEqual([3 * 0.5, 2, 3 * -4]);
  });

  it("take gradients of one float only, by float inputs and weights", () => {
    const b = newBuilder();
    const x = b.input("x", "float32", [2]);
    const whole = b.input("whole", "int64", [1]);
    const y = b.sum(x, [], false);
    const graph = b.graph({ y, two: b.relu(x), whole });
    for (const loss of ["two", "whole", "absent"])
      expect(() => segmentedGrad(graph, loss, [x])).toThrow(expect.objectContaining({ code: "AUTODIFF_LOSS" }));
    expect(() => segmentedGrad(graph, "y", [whole])).toThrow(expect.objectContaining({ code: "AUTODIFF_WRT" }));
    expect(() => segmentedGrad(graph, "y", [y])).toThrow(expect.objectContaining({ code: "AUTODIFF_WRT" }));
    expect(segmentedGrad(graph, "y", [])).toMatchObject({ backward: [], lastIsFused: false });
  });

  it("predict weights as they are fed: widened, as many as are kept, and those of the largest segment when not all are", () => {
    const b = newBuilder();
    let x = b.input("x", "float32", [1, 10]);
    for (const [k, width] of [10, 30, 10].entries()) {
      const rows = x.shape[1] ?? 0;
      const source = { kind: "file" as const, path: "/m", offset: 0, length: rows * width * 2 };
      x = b.scope(`block ${k}`, () => b.matmul(x, b.cast(b.weight(`w${k}`, "bfloat16", [rows, width], source), "float32")));
    }
    const segmented = segmentGraph(b.graph({ x }));
    const all = 4 * (100 + 300 + 300);
    expect(predictForwardPeak(segmented, all).weights).toBe(all);
    expect(predictForwardPeak(segmented, all - 100).weights).toBe(all);
    expect(predictForwardPeak(segmented, 500).weights).toBe(500 + 4 * 300);
    expect(predictForwardPeak(segmented, 0).weights).toBe(4 * 300);
  });

  it("predict by hand-counted liveness", () => {
    const b = newBuilder();
    const x = b.input("x", "float32", [1000]);
    // x and tanh (8000), then exp takes tanh's place, then the sum adds one float.
    const y = b.sum(b.exp(b.tanh(x)), [], false);
    expect(predictPeak(b.graph({ y })).activations).toBe(8000);
    // A transposed copy cannot be in place: x, its copy and their product at once.
    const m = b.input("m", "float32", [10, 100]);
    const p = b.matmul(m, b.transpose(m, [1, 0]));
    expect(predictPeak(b.graph({ p })).activations).toBe(4000 + 4000 + 400);
    expect(predictForwardPeak(segmentGraph(b.graph({ p })), 1e9).activations).toBe(8400);
  });
});

it("a run by segment holds an activation until the last segment that reads it, in both directions", async () => {
  const { graph, wrt, feeds } = stack(5, 3, 4);
  /** How many results of forward segments are alive as each segment begins. */
  const watched = (segmented: SegmentedGraph) => {
    const forward = new Set(segmented.segments.map((s) => s.graph));
    const made: WeakRef<object>[] = [];
    const live: number[] = [];
    const machine: SegmentMachine<RefTensor> = {
      ...onReference([]),
      async run(part, own) {
        let alive = 0;
        for (const ref of made) if (!(await isCollected(ref))) alive++;
        live.push(alive);
        const results = interpret(part, own);
        if (forward.has(part)) for (const t of Object.values(results)) made.push(new WeakRef(t));
        return results;
      },
    };
    return { machine, live };
  };
  /** The same from the segments: what is made before step `at` and read then or later. @param makers how many steps make what others read */
  const expected = (steps: readonly Segment[], makers: number, outputs: SegmentedGraph["outputs"]) => {
    const kept = new Set(Object.values(outputs).map((v) => v.id));
    return steps.map((_, at) => {
      const read = new Set(steps.slice(at).flatMap((s) => s.inputs.map((v) => v.id)));
      return steps.slice(0, Math.min(at, makers)).flatMap((s) => s.outputs.filter((v) => read.has(v.id) || kept.has(v.id))).length;
    });
  };
  const segmented = segmentGraph(graph);
  const forward = watched(segmented);
  await runSegments(segmented, feeds, forward.machine);
  const wanted = expected(segmented.segments, segmented.segments.length, segmented.outputs);
  expect(Math.max(...wanted)).toBeLessThan(segmented.segments.length - 1);
  expect(forward.live).toEqual(wanted);
  const training = segmentedGrad(graph, "loss", wrt);
  const both = watched(training);
  await runTraining(training, feeds, both.machine);
  const makers = training.segments.length - 1;
  const steps = [...training.segments.slice(0, makers), ...training.backward.map((s) => s.segment)];
  expect(training.lastIsFused).toBe(true);
  expect(both.live).toEqual(expected(steps, makers, training.outputs));
});
