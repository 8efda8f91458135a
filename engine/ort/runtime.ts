// Sessions of ONNX Runtime behind the Compute contract: the only importer of the binding, with ort-tensor.ts.
import { createHash } from "node:crypto";
import { closeSync, openSync, readSync, realpathSync, statSync } from "node:fs";
import * as ort from "onnxruntime-node";
import { AppError } from "../base/errors.ts";
import type { CompileOptions, Compute, Device, Executable, Feeds, Results } from "../ir/compute.ts";
import { reach } from "../ir/graph.ts";
import type { Graph, Value } from "../ir/value.ts";
import { type Emitted, emitOnnx, nameOf } from "../onnx/emit.ts";
import { opRow } from "../ops/table.ts";
import { toFloat32 } from "../tensor/convert.ts";
import { viewAs } from "../tensor/dtype.ts";
import { sameShape, sizeOf } from "../tensor/shape.ts";
import { type Tensor, tensor } from "../tensor/tensor.ts";
import { fromOrt, toOrt } from "./ort-tensor.ts";

export interface RuntimeOptions {
  readonly device: Device;
  /** Threads of one operator; default: the runtime's choice (all cores). Results are bit-identical only at equal counts. */
  readonly threads?: number;
  /** Sessions kept; the least recently used are released beyond it. Default 64. */
  readonly maxSessions?: number;
}

export interface RuntimeStats {
  readonly sessions: number;
  readonly created: number;
  readonly createMs: number;
  readonly runs: number;
  readonly runMs: number;
}

export interface Runtime extends Compute {
  /** The same runtime, refusing to start another session run once the signal is aborted. */
  withSignal(signal: AbortSignal): Compute;
  stats(): RuntimeStats;
  dispose(): Promise<void>;
}

/** Above this many bytes of file weights a session maps them instead of keeping a packed copy: slower by a quarter, half the memory. */
const MAP_ABOVE = 256 * 2 ** 20;

interface Session {
  readonly session: ort.InferenceSession;
  readonly inputs: readonly Value[];
  lastUse: number;
}

/** Versions and execution providers of the installed binding. */
export function runtimeInfo(): {
  readonly version: string;
  readonly backends: readonly { readonly name: string; readonly bundled: boolean }[];
} {
  return { version: ort.env.versions.node ?? ort.env.versions.common, backends: ort.listSupportedBackends() };
}

/** Opens a runtime. Nothing is allocated before the first session. */
export function createRuntime(options: RuntimeOptions): Runtime {
  // Every failure comes back as an error: the library's own stderr lines would only repeat it.
  ort.env.logLevel = "fatal";
  const sessions = new Map<string, Promise<Session>>();
  const maxSessions = options.maxSessions ?? 64;
  const stats = { created: 0, createMs: 0, runs: 0, runMs: 0 };
  let clock = 0;

  /** How to open a graph's session: shared by equal graphs, made again after eviction. */
  function prepare(graph: Graph, compileOptions: CompileOptions): { readonly open: () => Promise<Session> } {
    const emit = () =>
      emitOnnx(graph, opRow, {
        fed: new Set(compileOptions.fed ?? []),
        replace: (v) => (options.device === "webgpu" ? widened(v) : realFile(v)),
      });
    const first = emit();
    const key = createHash("sha256").update(first.model).update(fileStamps(graph)).digest("hex");
    let emitted: Emitted | undefined = first;
    const open = async (): Promise<Session> => {
      let opening = sessions.get(key);
      if (!opening) {
        opening = create(emitted ?? emit());
        sessions.set(key, opening);
        opening.catch(() => sessions.delete(key));
      }
      emitted = undefined;
      const session = await opening;
      session.lastUse = ++clock;
      await evict();
      return session;
    };
    return { open };
  }

  async function create({ model, inputs, externalBytes }: Emitted): Promise<Session> {
    const started = performance.now();
    try {
      const session = await ort.InferenceSession.create(model, sessionOptions(options, externalBytes));
      return { session, inputs, lastUse: ++clock };
    } catch (error) {
      throw ortError("ORT_CREATE", error, options.device);
    } finally {
      stats.created++;
      stats.createMs += performance.now() - started;
    }
  }

  async function evict(): Promise<void> {
    while (sessions.size > maxSessions) {
      let oldest: [string, Session] | undefined;
      for (const [key, promise] of sessions) {
        const session = await promise;
        if (!oldest || session.lastUse < oldest[1].lastUse) oldest = [key, session];
      }
      if (!oldest) return;
      sessions.delete(oldest[0]);
      await oldest[1].session.release();
    }
  }

  function bind(signal: AbortSignal | undefined): Compute {
    const compile = async (graph: Graph, compileOptions: CompileOptions = {}): Promise<Executable> => {
      signal?.throwIfAborted();
      const { open } = prepare(graph, compileOptions);
      await open();
      const outputs = Object.entries(graph.outputs);
      return {
        async run(feeds: Feeds): Promise<Results> {
          signal?.throwIfAborted();
          // Asked for on each run: the session may have been evicted since.
          const { session, inputs } = await open();
          const ortFeeds: Record<string, ort.Tensor> = {};
          for (const v of inputs) ortFeeds[nameOf(v)] = toOrt(nameOf(v), feedFor(v, feeds));
          const started = performance.now();
          let results: ort.InferenceSession.OnnxValueMapType;
          try {
            results = await session.run(ortFeeds);
          } catch (error) {
            throw ortError("ORT_RUN", error, options.device);
          }
          stats.runs++;
          stats.runMs += performance.now() - started;
          return Object.fromEntries(outputs.map(([name, v]) => [name, fromOrt(name, v.dtype, v.shape, results[`>${name}`])]));
        },
      };
    };
    return {
      device: options.device,
      compile,
      run: async (graph, feeds, compileOptions) => (await compile(graph, compileOptions)).run(feeds),
    };
  }

  return {
    ...bind(undefined),
    withSignal: bind,
    stats: () => ({ sessions: sessions.size, ...stats }),
    async dispose() {
      const all = [...sessions.values()];
      sessions.clear();
      for (const promise of all) await promise.then(({ session }) => session.release()).catch(() => undefined);
    },
  };
}

function feedFor(v: Value, feeds: Feeds): Tensor {
  const name = nameOf(v);
  const fed = feeds[name] ?? (v.def.kind === "weight" && v.def.source.kind === "host" ? v.def.source.tensor : undefined);
  if (!fed) throw new AppError("ORT_FEED", `input ${name} (${v.dtype} [${v.shape}]) was not fed`);
  if (fed.dtype !== v.dtype || !sameShape(fed.shape, v.shape))
    throw new AppError("ORT_FEED", `input ${name} wants ${v.dtype} [${v.shape}], got ${fed.dtype} [${fed.shape}]`);
  return fed;
}

function sessionOptions(options: RuntimeOptions, externalBytes: number): ort.InferenceSession.SessionOptions {
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
        // Idle threads spinning for work starve everything else on a small machine.
        intra_op: { allow_spinning: "0" },
      },
    },
  };
}

/** External data must not be reached through a symbolic link; small weights behind one are simply resolved first. */
function realFile(v: Value): Tensor | undefined {
  if (v.def.kind !== "weight" || v.def.source.kind !== "file") return undefined;
  const { path } = v.def.source;
  return realpathSync(path) === path ? undefined : readWeight(v);
}

/** WebGPU knows neither bfloat16 nor fp8: such weights are widened to float32 on the way, and the Cast behind them becomes a no-op. */
function widened(v: Value): Tensor | undefined {
  if (v.def.kind !== "weight" || v.dtype === "float32" || v.dtype === "float16") return realFile(v);
  const t = v.def.source.kind === "host" ? v.def.source.tensor : readWeight(v);
  return v.dtype.startsWith("bfloat") || v.dtype.startsWith("float8") ? tensor("float32", t.shape, toFloat32(t)) : t;
}

function readWeight(v: Value): Tensor {
  if (v.def.kind !== "weight" || v.def.source.kind !== "file") throw new AppError("ORT_WEIGHT", `value ${v.id} is no file weight`);
  const { path, offset, length } = v.def.source;
  const bytes = new Uint8Array(length);
  const fd = openSync(path, "r");
  try {
    for (let done = 0; done < length; ) {
      const n = readSync(fd, bytes, done, length - done, offset + done);
      if (n === 0)
        throw new AppError("ORT_WEIGHT", `${path} ends before weight ${nameOf(v)}`, {
          hint: "the file changed or is truncated: load it again",
        });
      done += n;
    }
  } finally {
    closeSync(fd);
  }
  return tensor(v.dtype, v.shape, viewAs(v.dtype, bytes.buffer, 0, sizeOf(v.shape)));
}

/** Size and time of every weight file: a session over a file that was replaced since must not be reused. */
function fileStamps(graph: Graph): string {
  const paths = new Set<string>();
  for (const v of reach(graph).weights) if (v.def.kind === "weight" && v.def.source.kind === "file") paths.add(v.def.source.path);
  return [...paths]
    .sort()
    .map((path) => {
      const s = statSync(path);
      return `${path}:${s.size}:${s.mtimeMs}`;
    })
    .join("|");
}

function ortError(code: string, error: unknown, device: Device): AppError {
  const message = error instanceof Error ? error.message : String(error);
  if (/Failed to allocate memory|bad_alloc|out of memory|OutOfMemory/i.test(message))
    return new AppError("ORT_OUT_OF_MEMORY", `the ${device} device ran out of memory: ${message}`, {
      hint: "use a smaller picture, fewer references, or a device with more memory",
      cause: error,
    });
  return new AppError(code, `ONNX Runtime (${device}): ${message}`, { cause: error });
}
