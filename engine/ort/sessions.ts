// Sessions of ONNX Runtime, cached by what they compute: creating them is slow and leaks.
import { createHash } from "node:crypto";
import * as ort from "onnxruntime-node";
import { AppError } from "../base/errors.ts";
import type { Device, Feeds, Results } from "../ir/compute.ts";
import { nameOf } from "../ir/graph.ts";
import type { Graph, Value } from "../ir/value.ts";
import { type Emitted, emitOnnx } from "../onnx/emit.ts";
import { opRow } from "../ops/table.ts";
import { sameShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { cpuLowerings } from "./cpu-lowerings.ts";
import { type Lowerings, lower } from "./lower.ts";
import { fromOrt, toOrt } from "./ort-tensor.ts";
import { lacksWebgpu, webgpuLowerings } from "./webgpu-gaps.ts";
import { fileStamps, isNarrow, readWeight, unmappable, widen } from "./weights.ts";

export interface SessionOptions {
  readonly device: Device;
  /** Threads of one operator; default: the runtime's choice (all cores). Results are bit-identical only at equal counts. */
  readonly threads?: number;
  /** Sessions kept; the least recently used are released beyond it. Default 64. */
  readonly maxSessions?: number;
}

export interface SessionStats {
  readonly sessions: number;
  readonly created: number;
  readonly createMs: number;
  readonly runs: number;
  readonly runMs: number;
}

/** A graph ready to run. */
export type RunGraph = (feeds: Feeds) => Promise<Results>;

/** Above this many bytes of file weights a session maps them instead of keeping a packed copy: slower by up to a quarter, half the memory. */
const MAP_ABOVE = 512 * 2 ** 20;

const LOWERINGS: Readonly<Record<Device, Lowerings>> = { cpu: cpuLowerings, webgpu: webgpuLowerings, cuda: {} };

interface Session {
  readonly session: ort.InferenceSession;
  readonly inputs: readonly Value[];
  lastUse: number;
}

export class Sessions {
  readonly #options: SessionOptions;
  readonly #sessions = new Map<string, Promise<Session>>();
  readonly #stats = { created: 0, createMs: 0, runs: 0, runMs: 0 };
  #clock = 0;

  constructor(options: SessionOptions) {
    // Every failure comes back as an error: the library's own stderr lines would only repeat it.
    ort.env.logLevel = "fatal";
    this.#options = options;
  }

  get stats(): SessionStats {
    return { sessions: this.#sessions.size, ...this.#stats };
  }

  /** Opens (or finds) the session of a graph. @param fed weights that are fed instead of baked in */
  async prepare(asked: Graph, fed: readonly string[]): Promise<RunGraph> {
    const graph = lower(asked, LOWERINGS[this.#options.device]);
    const emit = () =>
      emitOnnx(graph, opRow, {
        fed: new Set(fed),
        ...(this.#options.device === "webgpu" ? { inDouble: lacksWebgpu } : {}),
        replace: (v) => (this.#options.device === "webgpu" && isNarrow(v.dtype) ? widen(readWeight(v)) : unmappable(v)),
      });
    const first = emit();
    const key = createHash("sha256").update(first.model).update(fileStamps(graph)).digest("hex");
    let emitted: Emitted | undefined = first;
    const open = async (): Promise<Session> => {
      let opening = this.#sessions.get(key);
      if (!opening) {
        opening = this.#create(emitted ?? emit());
        this.#sessions.set(key, opening);
        opening.catch(() => this.#sessions.delete(key));
      }
      emitted = undefined;
      const session = await opening;
      session.lastUse = ++this.#clock;
      await this.#evict();
      return session;
    };
    await open();
    const outputs = Object.entries(graph.outputs);
    return async (feeds) => {
      // Asked for on each run: the session may have been evicted since.
      const { session, inputs } = await open();
      const ortFeeds: Record<string, ort.Tensor> = {};
      for (const v of inputs) ortFeeds[nameOf(v)] = toOrt(nameOf(v), feedFor(v, feeds));
      const results = await this.#run(session, ortFeeds);
      return Object.fromEntries(outputs.map(([name, v]) => [name, fromOrt(name, v.dtype, v.shape, results[`>${name}`])]));
    };
  }

  async dispose(): Promise<void> {
    const all = [...this.#sessions.values()];
    this.#sessions.clear();
    for (const promise of all) await promise.then(({ session }) => session.release()).catch(() => undefined);
  }

  async #run(session: ort.InferenceSession, feeds: Record<string, ort.Tensor>): Promise<ort.InferenceSession.OnnxValueMapType> {
    const started = performance.now();
    try {
      return await session.run(feeds);
    } catch (error) {
      throw ortError("ORT_RUN", error, this.#options.device);
    } finally {
      this.#stats.runs++;
      this.#stats.runMs += performance.now() - started;
    }
  }

  async #create({ model, inputs, externalBytes }: Emitted): Promise<Session> {
    const started = performance.now();
    try {
      const session = await ort.InferenceSession.create(model, bindingOptions(this.#options, externalBytes));
      return { session, inputs, lastUse: ++this.#clock };
    } catch (error) {
      throw ortError("ORT_CREATE", error, this.#options.device);
    } finally {
      this.#stats.created++;
      this.#stats.createMs += performance.now() - started;
    }
  }

  async #evict(): Promise<void> {
    while (this.#sessions.size > (this.#options.maxSessions ?? 64)) {
      let oldest: [string, Session] | undefined;
      for (const [key, promise] of this.#sessions) {
        const session = await promise;
        if (!oldest || session.lastUse < oldest[1].lastUse) oldest = [key, session];
      }
      if (!oldest) return;
      this.#sessions.delete(oldest[0]);
      await oldest[1].session.release();
    }
  }
}

function feedFor(v: Value, feeds: Feeds): Tensor {
  const name = nameOf(v);
  const given = feeds[name] ?? (v.def.kind === "weight" && v.def.source.kind === "host" ? v.def.source.tensor : undefined);
  if (!given) throw new AppError("ORT_FEED", `input ${name} (${v.dtype} [${v.shape}]) was not fed`);
  if (given.dtype !== v.dtype || !sameShape(given.shape, v.shape))
    throw new AppError("ORT_FEED", `input ${name} wants ${v.dtype} [${v.shape}], got ${given.dtype} [${given.shape}]`);
  return widen(given);
}

function bindingOptions(options: SessionOptions, externalBytes: number): ort.InferenceSession.SessionOptions {
  const map = options.device === "cpu" && externalBytes > MAP_ABOVE;
  return {
    executionProviders: options.device === "cpu" ? ["cpu"] : [options.device, "cpu"],
    graphOptimizationLevel: "all",
    logSeverityLevel: 4,
    ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
    extra: {
      session: {
        model_external_initializers_file_folder_path: "/",
        ...(map ? { disable_prepacking: "1" } : {}),
        // Long enough to catch the next op (a tenth faster on two threads), too short to starve a busy machine as endless spinning does.
        intra_op: { allow_spinning: "1", spin_duration_us: "20" },
      },
    },
  };
}

function ortError(code: string, error: unknown, device: Device): AppError {
  const message = error instanceof Error ? error.message : String(error);
  if (/Failed to allocate memory|bad_alloc|out of memory|OutOfMemory/i.test(message))
    return new AppError("ORT_OUT_OF_MEMORY", `the ${device} device ran out of memory: ${message}`, {
      hint: "use a smaller picture, fewer references, or a device with more memory",
      cause: error,
    });
  if (device !== "cpu" && /Failed to load shared library|No supported adapters|no available backend|WebGPU adapter|libcu/i.test(message))
    return new AppError("ORT_DEVICE", `this machine has no usable ${device} device: ${message.split("\n")[0]}`, {
      hint:
        device === "cuda"
          ? "use --device cpu or webgpu; with an NVIDIA GPU install the provider: node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12"
          : "use --device cpu; WebGPU needs a Vulkan driver",
      cause: error,
    });
  return new AppError(code, `ONNX Runtime (${device}): ${message}`, { cause: error });
}
