// One part of a model of the released size, in a process of its own: node bench/real-size/measure.ts PART MODELS_DIR
// Prints a line of JSON. WHOSWHO_MEMORY limits what it may take.
import { readFileSync } from "node:fs";
import { z } from "zod";
import { withGradients } from "../../engine/autodiff/with-gradients.ts";
import { randomSource } from "../../engine/base/random.ts";
import { MemoryMeter } from "../../engine/host/memory-meter.ts";
import type { Compute, Executable } from "../../engine/ir/compute.ts";
import type { Graph } from "../../engine/ir/value.ts";
import { newBuilder } from "../../engine/ops/table.ts";
import { createRuntime } from "../../engine/ort/runtime.ts";
import { ModelFolders } from "../../engine/store/model-folders.ts";
import { sizeOf } from "../../engine/tensor/shape.ts";
import { f32, type Tensor } from "../../engine/tensor/tensor.ts";
import { tiledDecode } from "../../nodes/diffusion/vae/tiled-decode.ts";
import { openQwenVl } from "../../nodes/qwen/text/open-qwen-vl.ts";
import { loadTransformer } from "../../nodes/qwen/transformer/load-transformer.ts";
import { loadVae } from "../../nodes/qwen/vae/load-vae.ts";
import type { Adapter, DiffusionModel } from "../../nodes/shared/contracts/modules.ts";
import { flopsOf } from "../../nodes/train/cost/graph-flops.ts";
import { machineSpeed } from "../../nodes/train/cost/machine-speed.ts";

export const PARTS = [
  "matrix",
  "forward-256",
  "forward-512",
  "lora-step-256",
  "text",
  "encode-1024",
  "decode-1024",
  "decode-1024-tiled",
] as const;

export const measured = z.object({
  seconds: z.number(),
  /** Operations in the part's graphs; for `matrix`, the machine's per second. */
  flops: z.number(),
  /** Anonymous memory above what the process had before, bytes. */
  memory: z.number(),
  /** What the graphs said they would take. */
  predicted: z.number(),
  readBytes: z.number(),
  strategies: z.array(z.string()),
});

/** Rank of the adapters of the training step. */
const RANK = 16;
/** Prompt of an edit: template, a sentence, and the vision tokens of one picture. */
const TEXT_TOKENS = 288;

function normals(shape: readonly number[], seed: number): Tensor<"float32"> {
  return f32(shape, randomSource(seed).normals(new Float32Array(sizeOf(shape))));
}

/** The same, keeping account of what is computed. */
function accounted(compute: Compute): {
  readonly compute: Compute;
  readonly total: { flops: number; predicted: number; readonly strategies: Set<string> };
} {
  const total = { flops: 0, predicted: 0, strategies: new Set<string>() };
  const counted = (executable: Executable, flops: number): Executable => {
    total.predicted = Math.max(total.predicted, executable.predictedPeak.peak);
    total.strategies.add(executable.strategy);
    return {
      ...executable,
      run(feeds) {
        total.flops += flops;
        return executable.run(feeds);
      },
    };
  };
  const compile: Compute["compile"] = async (graph, options) => counted(await compute.compile(graph, options), flopsOf(graph));
  return {
    total,
    compute: {
      device: compute.device,
      memory: compute.memory,
      compile,
      grad: async (graph, loss, wrt, options) =>
        counted(await compute.grad(graph, loss, wrt, options), flopsOf(withGradients(graph, loss, wrt))),
      run: async (graph, feeds, options) => (await compile(graph, options)).run(feeds),
    },
  };
}

async function transformerGraph(
  model: DiffusionModel,
  side: number,
): Promise<{ readonly graph: Graph; readonly feeds: Record<string, Tensor> }> {
  const tokens = (side / 16) ** 2;
  const grid = { h: side / 16, w: side / 16 };
  const b = newBuilder();
  const v = model.build(b, {
    shape: { batch: 1, target: grid, references: [grid], prompt: { text: [1, TEXT_TOKENS, 3584] }, convention: "comfyui" },
    x: b.input("x", "float32", [1, tokens, 64]),
    references: b.input("references", "float32", [1, tokens, 64]),
    sigma: b.input("sigma", "float32", [1]),
    prompt: { text: b.input("text", "float32", [1, TEXT_TOKENS, 3584]) },
  });
  const feeds = {
    x: normals([1, tokens, 64], 1),
    references: normals([1, tokens, 64], 2),
    sigma: f32([1], [0.7]),
    text: normals([1, TEXT_TOKENS, 3584], 3),
  };
  return { graph: b.graph({ v, loss: b.mean(b.mul(v, v)) }), feeds };
}

/** Adapters on every attention projection of every block. */
function adapters(layers: number): Adapter[] {
  const projections = ["to_q", "to_k", "to_v", "to_out.0", "add_q_proj", "add_k_proj", "add_v_proj", "to_add_out"];
  return Array.from({ length: layers }, (_, i) => projections.map((p) => `transformer_blocks.${i}.attn.${p}`))
    .flat()
    .map((target, k) => ({
      target,
      nameA: `lora.${target}.A`,
      nameB: `lora.${target}.B`,
      a: normals([RANK, 3072], k),
      b: f32([3072, RANK], new Float32Array(3072 * RANK)),
      scale: 1,
    }));
}

async function run(part: (typeof PARTS)[number], directory: string, compute: Compute): Promise<void> {
  const models = new ModelFolders({ roots: [directory], allowed: {} });
  const only = async (folder: string) => {
    const [name] = (await models.list(folder)).filter((n) => /real_size/.test(n));
    if (name === undefined) throw new Error(`no real_size file in ${directory}/${folder}: run tools/real-size.ts`);
    return models.open(folder, name);
  };
  if (part === "forward-256" || part === "forward-512") {
    const { model } = await loadTransformer(await only("diffusion_models"));
    const { graph, feeds } = await transformerGraph(model, part === "forward-256" ? 256 : 512);
    await compute.run(graph, feeds);
  } else if (part === "lora-step-256") {
    const { model, config } = await loadTransformer(await only("diffusion_models"));
    const added = adapters(config.num_layers);
    const { graph, feeds } = await transformerGraph(model.withAdapters(added), 256);
    const names = added.flatMap((a) => [a.nameA, a.nameB]);
    const executable = await compute.grad(graph, "loss", names, { fed: names });
    await executable.run({
      ...feeds,
      ...Object.fromEntries(
        added.flatMap(
          (a) =>
            [
              [a.nameA, a.a],
              [a.nameB, a.b],
            ] as const,
        ),
      ),
    });
  } else if (part === "text") {
    const encoder = await openQwenVl(await only("text_encoders"));
    const grid = { h: 28, w: 28 };
    const tokens = await encoder.vision(compute, normals([grid.h * grid.w, 3 * 2 * 14 * 14], 4), grid);
    const ids = Array.from({ length: 80 }, (_, i) => 1000 + i);
    await encoder.hidden(compute, [
      { kind: "text", ids },
      { kind: "image", grid, tokens },
    ]);
  } else {
    const vae = await loadVae(await only("vae"));
    const b = newBuilder();
    if (part === "encode-1024") {
      const image = b.input("image", "float32", [1, 3, 1024, 1024]);
      await compute.run(b.graph({ z: vae.encode.build(b, image) }), { image: normals([1, 3, 1024, 1024], 5) });
    } else if (part === "decode-1024") {
      const z = b.input("z", "float32", [1, 16, 128, 128]);
      await compute.run(b.graph({ image: vae.decode.build(b, z) }), { z: normals([1, 16, 128, 128], 6) });
    } else await tiledDecode(compute, vae, [16, 128, 128], { size: 32, stride: 24 })(normals([16, 128, 128], 6).data);
  }
}

/** Bytes that this process has fetched from disk, through mapped files too; 0 where the system does not say. */
function bytesRead(): number {
  try {
    return Number(/^read_bytes: (\d+)$/m.exec(readFileSync("/proc/self/io", "latin1"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

if (import.meta.main) {
  const part = z.enum(PARTS).parse(process.argv[2]);
  const directory = z.string().parse(process.argv[3]);
  const runtime = createRuntime({ device: "cpu" });
  if (part === "matrix") {
    const { matrixFlops } = await machineSpeed({ compute: runtime, now: () => performance.now() });
    console.log(JSON.stringify({ seconds: 0, flops: matrixFlops, memory: 0, predicted: 0, readBytes: 0, strategies: [] }));
  } else {
    const { compute, total } = accounted(runtime);
    const meter = new MemoryMeter();
    meter.reset();
    const before = meter.read().anonymous ?? 0;
    const timer = setInterval(() => meter.read(), 100);
    const [readBefore, started] = [bytesRead(), performance.now()];
    await run(part, directory, compute);
    const seconds = (performance.now() - started) / 1000;
    clearInterval(timer);
    const memory = (meter.read().peakAnonymous ?? 0) - before;
    const { flops, predicted, strategies } = total;
    console.log(JSON.stringify({ seconds, flops, memory, predicted, readBytes: bytesRead() - readBefore, strategies: [...strategies] }));
  }
  await runtime.dispose();
}
