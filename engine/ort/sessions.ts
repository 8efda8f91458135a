// Sessions of ONNX Runtime, cached by what they compute: creating them is slow and leaks.
import { LRUCache } from "lru-cache";
import * as ort from "onnxruntime-node";
import { predictPeak } from "../autodiff/peak.ts";
import { widenedBytes } from "../autodiff/runs-whole.ts";
import { AppError } from "../base/errors.ts";
import type { Device, Feeds, Results } from "../ir/compute.ts";
import { nameOf, reach } from "../ir/graph.ts";
import type { Graph, Value } from "../ir/value.ts";
import { emitOnnx, inputName, outputName } from "../onnx/emit.ts";
import { opRow } from "../ops/table.ts";
import { isNarrow } from "../tensor/dtype.ts";
import { sameShape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { cpuLowerings } from "./cpu-lowerings.ts";
import { expectStamp, fileStamp, fileStamps, type Stamps } from "./file-stamps.ts";
import { type Lowerings, lower } from "./lower.ts";
import { missingLibrary } from "./missing-library.ts";
import { fromOrt, toOrt } from "./ort-tensor.ts";
import { sessionKey } from "./session-key.ts";
import { lacksWebgpu, webgpuLowerings } from "./webgpu-gaps.ts";
import { readWeight, unmappable, widen } from "./weights.ts";

export interface SessionOptions {
  readonly device: Device;
  /** Threads of one operator; default: the runtime's choice (all cores). Results are bit-identical only at equal counts. */
  readonly threads?: number;
  /** Sessions kept; the least recently used are released beyond it. Default 64. */
  readonly maxSessions?: number;
  /** Bytes that the sessions kept may hold together, as predicted: weights that are not mapped, and what running needs. Default: no limit. */
  readonly maxSessionBytes?: number;
  /** Called when a computation begins and ends, so that one that never ends is noticed. */
  readonly onComputing?: (isComputing: boolean) => void;
}

export interface SessionStats {
  readonly sessions: number;
  /** Bytes predicted for the sessions kept. */
  readonly bytes: number;
  readonly created: number;
  readonly released: number;
  readonly createMs: number;
  readonly runs: number;
  readonly runMs: number;
}

/** A graph ready to run. */
export type RunGraph = (feeds: Feeds) => Promise<Results>;

/** Above this many bytes of file weights a session maps them instead of keeping a packed copy: slower by up to a quarter, half the memory. */
const MAP_ABOVE = 512 * 2 ** 20;

const LOWERINGS: Readonly<Record<Device, Lowerings>> = { cpu: cpuLowerings, webgpu: webgpuLowerings, cuda: {} };

/** A session that is open or being opened, with the number of its users: it is released when it is out of the cache and nobody uses it. */
interface Shared {
  readonly opening: Promise<ort.InferenceSession>;
  /** Feeds it wants. */
  readonly inputs: readonly string[];
  users: number;
  isDropped: boolean;
}

/** What a session is made from; it may be opened several times. */
interface Recipe {
  readonly key: string;
  readonly graph: Graph;
  readonly fed: readonly string[];
  readonly stamps: Stamps;
}

export class Sessions {
  readonly #options: SessionOptions;
  readonly #cache: LRUCache<string, Shared>;
  readonly #maxBytes: number;
  readonly #releasing = new Set<Promise<void>>();
  readonly #stats = { created: 0, released: 0, createMs: 0, runs: 0, runMs: 0 };

  constructor(options: SessionOptions) {
    // Every failure comes back as an error: the library's own stderr lines would only repeat it.
    ort.env.logLevel = "fatal";
    this.#options = options;
    this.#maxBytes = Math.min(options.maxSessionBytes ?? Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    this.#cache = new LRUCache({
      max: options.maxSessions ?? 64,
      maxSize: this.#maxBytes,
      dispose: (shared) => {
        shared.isDropped = true;
        this.#releaseUnused(shared);
      },
    });
  }

  get stats(): SessionStats {
    return { sessions: this.#cache.size, bytes: this.#cache.calculatedSize, ...this.#stats };
  }

  /** Opens (or finds) the session of a graph. @param fed weights that are fed instead of baked in */
  async prepare(graph: Graph, fed: readonly string[]): Promise<RunGraph> {
    const stamps = fileStamps(graph);
    const recipe: Recipe = { key: sessionKey(graph, fed, stamps), graph, fed, stamps };
    await this.#use(recipe, async () => undefined);
    const { inputs, weights } = reach(graph);
    const leaves = new Map([...inputs, ...weights].map((v) => [nameOf(v), v]));
    const outputs = Object.entries(graph.outputs);
    return (feeds) =>
      // Looked up on each run, because the session may have been dropped since.
      this.#use(recipe, async (session, names) => {
        const ortFeeds: Record<string, ort.Tensor> = {};
        for (const name of names) {
          const v = leaves.get(name);
          if (v) ortFeeds[inputName(name)] = toOrt(name, feedFor(v, feeds));
        }
        const results = await this.#run(session, ortFeeds);
        return Object.fromEntries(outputs.map(([name, v]) => [name, fromOrt(name, v.dtype, v.shape, results[outputName(name)])]));
      });
  }

  /** Releases every session; those in use, as soon as they are done. */
  async dispose(): Promise<void> {
    this.#cache.clear();
    await Promise.all(this.#releasing);
  }

  async #use<T>(recipe: Recipe, work: (session: ort.InferenceSession, inputs: readonly string[]) => Promise<T>): Promise<T> {
    const shared = this.#cache.get(recipe.key) ?? this.#open(recipe);
    shared.users++;
    try {
      return await work(await shared.opening, shared.inputs);
    } finally {
      shared.users--;
      this.#releaseUnused(shared);
    }
  }

  #open({ key, graph: asked, fed, stamps }: Recipe): Shared {
    for (const path of stamps.keys()) expectStamp(path, fileStamp(path), stamps);
    const { device } = this.#options;
    const graph = lower(asked, LOWERINGS[device]);
    const { model, inputs, externalBytes } = emitOnnx(graph, opRow, {
      fed: new Set(fed),
      ...(device === "webgpu" ? { inDouble: lacksWebgpu } : {}),
      replace: (v) => (device === "webgpu" && isNarrow(v.dtype) ? widen(readWeight(v, stamps)) : unmappable(v, stamps)),
    });
    const isMapped = device === "cpu" && externalBytes > MAP_ABOVE;
    const weights = model.length + (isMapped ? 0 : externalBytes) + widenedBytes(graph, fed);
    const shared: Shared = { opening: this.#create(model, isMapped), inputs: inputs.map(nameOf), users: 0, isDropped: false };
    // A session larger than the limit for all is kept alone.
    this.#cache.set(key, shared, { size: Math.min(Math.max(1, weights + predictPeak(graph).activations), this.#maxBytes) });
    shared.opening.catch(() => {
      if (this.#cache.peek(key) === shared) this.#cache.delete(key);
    });
    return shared;
  }

  async #create(model: Uint8Array, isMapped: boolean): Promise<ort.InferenceSession> {
    // Sessions dropped to make room are released before another is opened.
    await Promise.resolve();
    await Promise.all(this.#releasing);
    const started = performance.now();
    try {
      return await ort.InferenceSession.create(model, bindingOptions(this.#options, isMapped));
    } catch (error) {
      throw ortError("ORT_CREATE", error, this.#options.device);
    } finally {
      this.#stats.created++;
      this.#stats.createMs += performance.now() - started;
    }
  }

  #releaseUnused(shared: Shared): void {
    if (!shared.isDropped || shared.users > 0) return;
    const releasing = shared.opening
      .then(async (session) => {
        await session.release();
        this.#stats.released++;
      })
      .catch(() => undefined)
      .finally(() => this.#releasing.delete(releasing));
    this.#releasing.add(releasing);
  }

  async #run(session: ort.InferenceSession, feeds: Record<string, ort.Tensor>): Promise<ort.InferenceSession.OnnxValueMapType> {
    const started = performance.now();
    this.#options.onComputing?.(true);
    try {
      return await session.run(feeds);
    } catch (error) {
      throw ortError("ORT_RUN", error, this.#options.device);
    } finally {
      this.#options.onComputing?.(false);
      this.#stats.runs++;
      this.#stats.runMs += performance.now() - started;
    }
  }
}

function feedFor(v: Value, feeds: Feeds): Tensor {
  const name = nameOf(v);
  const given = feeds[name] ?? (v.def.kind === "weight" && v.def.source.kind === "host" ? v.def.source.tensor : undefined);
  if (!given) throw new AppError("ORT_FEED", `input ${name} (${v.dtype} [${v.shape}]) was not fed`);
  const isWidened = isNarrow(v.dtype) && given.dtype === "float32";
  if ((given.dtype !== v.dtype && !isWidened) || !sameShape(given.shape, v.shape))
    throw new AppError("ORT_FEED", `input ${name} wants ${v.dtype} [${v.shape}], got ${given.dtype} [${given.shape}]`);
  return widen(given);
}

function bindingOptions(options: SessionOptions, isMapped: boolean): ort.InferenceSession.SessionOptions {
  return {
    executionProviders: options.device === "cpu" ? ["cpu"] : [options.device, "cpu"],
    graphOptimizationLevel: "all",
    logSeverityLevel: 4,
    // A pattern allots all results in one piece from the second run on, beside what the first run has left: up to twice the memory.
    // Without it a LoRA step took a fifth less memory and a hundredth more time.
    enableMemPattern: false,
    ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
    extra: {
      session: {
        model_external_initializers_file_folder_path: "/",
        ...(isMapped ? { disable_prepacking: "1" } : {}),
        // Long enough to catch the next op (a tenth faster on two threads), too short to starve a busy machine, as endless spinning would.
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
    return new AppError("ORT_DEVICE", `this machine has no usable ${device} device: ${missingLibrary(device) ?? message.split("\n")[0]}`, {
      hint:
        device === "cuda"
          ? "use --device cpu or webgpu; with an NVIDIA GPU and its driver install CUDA 12, cuDNN 9, and the provider: node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12"
          : "use --device cpu; WebGPU needs the Vulkan loader (libvulkan1) and a GPU driver that supports Vulkan",
      cause: error,
    });
  return new AppError(code, `ONNX Runtime (${device}): ${message}`, { cause: error });
}
