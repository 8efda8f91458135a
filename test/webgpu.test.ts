// WebGPU against the CPU on tiny shapes. Needs a GPU or a software Vulkan (docs/gpu.md); skipped where there is none.
import * as ort from "onnxruntime-node";
import { afterAll, describe, expect, it } from "vitest";
import { grad } from "../engine/autodiff/grad.ts";
import { withGradients } from "../engine/autodiff/with-gradients.ts";
import { randomSource } from "../engine/base/random.ts";
import type { Feeds } from "../engine/ir/compute.ts";
import type { Graph, Value } from "../engine/ir/value.ts";
import { emitOnnx } from "../engine/onnx/emit.ts";
import type { OpSample } from "../engine/ops/define-op.ts";
import { uniform } from "../engine/ops/draw.ts";
import { newBuilder, opRow } from "../engine/ops/table.ts";
import { lower } from "../engine/ort/lower.ts";
import { createRuntime } from "../engine/ort/runtime.ts";
import { webgpuLowerings } from "../engine/ort/webgpu-gaps.ts";
import { fromFloat32 } from "../engine/tensor/convert.ts";
import { isFloat } from "../engine/tensor/dtype.ts";
import { f32, type Tensor, tensor } from "../engine/tensor/tensor.ts";
import { loadTransformer } from "../nodes/qwen/transformer/load-transformer.ts";
import { promptInput } from "../nodes/shared/diffusion/denoise-inputs.ts";
import { ATTENTION_TARGETS } from "../nodes/train/attention-targets.ts";
import { newAdapters } from "../nodes/train/loop/adapters.ts";
import { velocityLossGraph, weightNames } from "../nodes/train/model/training-graphs.ts";
import { tinyTransformer } from "../tools/tiny-transformer.ts";
import { memoryWeights } from "./memory-weights.ts";
import { relativeError } from "./relative-error.ts";
import { useSoftwareVulkan } from "./software-vulkan.ts";

/** What transformer, VAE and face models are made of, and what WebGPU leaves to the CPU. */
const OPS = [
  ...["Add", "Where", "Gelu", "Softmax", "Gemm", "MatMul", "MultiHeadAttention", "LayerNormalization", "SimplifiedLayerNormalization"],
  "RotaryEmbedding",
  ...["Concat", "Split", "Slice", "Transpose", "Expand", "Gather", "ScatterND", "ReduceSum", "ReduceMean"],
  ...["Conv", "ConvTranspose", "Resize", "MaxPool", "PRelu", "Pow", "Sin", "Cos", "GridSample"],
];

const rng = randomSource(3);
const manifest = useSoftwareVulkan();
const [cpu, webgpu] = [createRuntime({ device: "cpu", threads: 1 }), createRuntime({ device: "webgpu" })];
afterAll(async () => {
  await cpu.dispose();
  await webgpu.dispose();
});

/** Why WebGPU cannot be tested here; undefined where it can. */
async function obstacle(): Promise<string | undefined> {
  if (!manifest) return "no software Vulkan is installed (apt-get install chromium libvulkan1), and VK_ICD_FILENAMES is not set";
  const b = newBuilder();
  try {
    await webgpu.run(b.graph({ y: b.add(b.input("x", "float32", [1]), 1) }), { x: f32([1], [0]) });
    return undefined;
  } catch (error) {
    return `${manifest} gives no device: ${String(error).slice(0, 300)}`;
  }
}

const reason = await obstacle();
// Straight to the terminal: a skipped test must say why.
if (reason) process.stdout.write(`WebGPU tests skipped: ${reason}\n`);

/** Outputs and gradients of one sample as a graph. */
function graphOf(op: string, sample: OpSample): { readonly graph: Graph; readonly feeds: Feeds } {
  const b = newBuilder();
  const feeds: Record<string, Tensor> = {};
  const feed = (name: string, t: NonNullable<OpSample["inputs"][number]>): Value => {
    const data = Float32Array.from(t.data);
    feeds[name] =
      t.dtype === "int64"
        ? tensor("int64", t.shape, BigInt64Array.from(t.data, BigInt))
        : t.dtype === "bool"
          ? tensor("bool", t.shape, Uint8Array.from(t.data))
          : f32(t.shape, data);
    return b.input(name, feeds[name].dtype, t.shape);
  };
  const inputs = sample.inputs.map((t, i) => (t ? feed(`x${i}`, t) : null));
  const y = b.one(op, inputs, sample.attrs ?? {});
  const wrt = inputs.filter((x, i): x is Value => x !== null && isFloat(x.dtype) && (sample.diff?.includes(i) ?? true));
  const loss = b.sum(
    b.mul(
      y,
      feed(
        "w",
        uniform(() => rng.uniform(), y.shape),
      ),
    ),
    [],
    false,
  );
  const gradients = grad(b, loss, wrt).map((g, i) => [`d${i}`, g] as const);
  return { graph: b.graph({ y, ...Object.fromEntries(gradients) }), feeds };
}

/** Loss and LoRA gradients of a two-block transformer with random adapters, from bfloat16 weights. */
async function training(): Promise<{ readonly graph: Graph; readonly names: readonly string[]; readonly feeds: Feeds }> {
  const { tensors, metadata } = tinyTransformer(1, {
    layers: 2,
    heads: 2,
    headDim: 16,
    axes: [4, 6, 6],
    jointAttentionDim: 24,
    zeroCond: false,
  });
  const halved = new Map([...tensors].map(([name, t]) => [name, tensor("bfloat16", t.shape, fromFloat32(t.data, "bfloat16"))]));
  const { model } = await loadTransformer(memoryWeights(halved, { metadata }));
  const normal = (shape: readonly number[]) => f32(shape, rng.normals(new Float32Array(shape.reduce((a, d) => a * d, 1))));
  const adapters = newAdapters(model, ATTENTION_TARGETS, 2, 2, 0).map((a) => ({ ...a, b: normal(a.b.shape) }));
  const graph = velocityLossGraph(model.withAdapters(adapters), {
    batch: 1,
    target: { h: 2, w: 3 },
    references: [],
    prompt: model.prompt.shapes(5),
    convention: "diffusers",
  });
  const trained = new Set(adapters.flatMap((a) => [a.nameA, a.nameB]));
  const tokens = [1, 6, 64];
  return {
    graph,
    names: weightNames(graph).filter((name) => trained.has(name)),
    feeds: {
      x: normal(tokens),
      [promptInput("text")]: normal([1, 5, 24]),
      sigma: f32([1], [0.7]),
      cotangent: normal(tokens),
      target: normal(tokens),
      weight: f32([], [1]),
    },
  };
}

async function worst(graph: Graph, feeds: Feeds): Promise<number> {
  const [truth, ours] = [await cpu.run(graph, feeds), await webgpu.run(graph, feeds)];
  return Math.max(...Object.entries(truth).map(([name, t]) => relativeError(ours[name], t)));
}

describe.skipIf(reason !== undefined)("on WebGPU", () => {
  it.each(OPS)("%s and its gradient are the CPU's", async (op) => {
    for (const sample of opRow(op)
      .samples(() => rng.uniform())
      // A shader for every shape: convolution's are the slow ones.
      .slice(0, op === "Conv" ? 1 : 2)) {
      const { graph, feeds } = graphOf(op, sample);
      expect(await worst(graph, feeds), JSON.stringify(sample.attrs ?? {})).toBeLessThanOrEqual(1e-5);
    }
  });

  it("attention of more queries than a subgroup has lanes is the CPU's", async () => {
    const b = newBuilder();
    const feeds = Object.fromEntries([33, 40, 40].map((n, i) => [`x${i}`, f32([1, n, 16], rng.normals(new Float32Array(16 * n)))]));
    const inputs = Object.entries(feeds).map(([name, t]) => b.input(name, "float32", t.shape));
    const graph = b.graph({ y: b.one("MultiHeadAttention", inputs, { num_heads: 1 }) });
    expect(await worst(graph, feeds)).toBeLessThanOrEqual(1e-5);
  });

  it("a transformer and its LoRA gradient are the CPU's", async () => {
    const { graph, names, feeds } = await training();
    expect(await worst(withGradients(graph, "loss", names), feeds)).toBeLessThanOrEqual(1e-5);
  });

  it("nothing of a transformer block's training step falls back to the CPU", async () => {
    const { graph, names } = await training();
    const { model } = emitOnnx(lower(withGradients(graph, "loss", names), webgpuLowerings), opRow, {
      replace: (v) => f32(v.shape, new Float32Array(v.shape.reduce((a, d) => a * d, 1))),
    });
    const options = { executionProviders: ["webgpu"], logSeverityLevel: 4 as const, extra: { session: { disable_cpu_ep_fallback: "1" } } };
    const session = await ort.InferenceSession.create(model, options);
    expect(session.outputNames.length).toBe(Object.keys(graph.outputs).length + names.length);
    await session.release();
  });
});
