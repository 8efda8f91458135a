// The Compute contract on ONNX Runtime: chooses between one session for the whole graph and one per kind of segment.
import { totalmem } from "node:os";
import * as ort from "onnxruntime-node";
import { type PeakMemory, predictPeak } from "../autodiff/peak.ts";
import { predictPlanPeak, predictTrainingPeak } from "../autodiff/plan-peak.ts";
import { runSegments, runTraining, type SegmentMachine } from "../autodiff/run-segments.ts";
import { segmentedGrad } from "../autodiff/segmented-grad.ts";
import { segmentPlan } from "../autodiff/segments.ts";
import { leavesNamed, withGradients } from "../autodiff/with-gradients.ts";
import { AppError } from "../base/errors.ts";
import type { CompileOptions, Compute, Executable, Feeds, Results } from "../ir/compute.ts";
import { nameOf, reach } from "../ir/graph.ts";
import type { Graph } from "../ir/value.ts";
import { sizeOf } from "../tensor/shape.ts";
import { expectDType, f32, type Tensor } from "../tensor/tensor.ts";
import { type RunGraph, type SessionOptions, type SessionStats, Sessions } from "./sessions.ts";
import { isNarrow, readWeight } from "./weights.ts";

export interface RuntimeOptions extends SessionOptions {
  /** Bytes a graph may take before it is run by segment. Default: half of the machine's memory. */
  readonly memoryBudget?: number;
}

export interface Runtime extends Compute {
  /** The same runtime, refusing to start another session run once the signal is aborted. */
  withSignal(signal: AbortSignal | undefined): Compute;
  stats(): SessionStats;
  dispose(): Promise<void>;
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
  const sessions = new Sessions(options);
  const budget = options.memoryBudget ?? totalmem() / 2;

  const whole = async (graph: Graph, fed: readonly string[], peak: PeakMemory): Promise<Executable> => {
    const run = await sessions.prepare(graph, fed);
    return { plan: "whole", predictedPeak: peak, run };
  };

  const forward = async (graph: Graph, { fed = [], plan }: CompileOptions): Promise<Executable> => {
    const peak = predictPeak(graph);
    if (plan !== "segments" && (plan === "whole" || wholeBytes(graph, peak) <= budget)) return whole(graph, fed, peak);
    const segments = segmentPlan(graph);
    const machine = await segmentMachine(
      sessions,
      segments.segments.map((s) => s.graph),
    );
    return {
      plan: "segments",
      predictedPeak: predictPlanPeak(segments),
      run: (feeds) => runSegments(segments, feeds, machine(feeds)),
    };
  };

  const backward = async (
    graph: Graph,
    loss: string,
    names: readonly string[],
    { fed = [], plan }: CompileOptions,
  ): Promise<Executable> => {
    const wrt = leavesNamed(graph, names);
    const differentiated = withGradients(graph, loss, names);
    const peak = predictPeak(differentiated);
    if (plan !== "segments" && (plan === "whole" || wholeBytes(differentiated, peak) <= budget)) return whole(differentiated, fed, peak);
    const training = segmentedGrad(graph, loss, wrt);
    const machine = await segmentMachine(sessions, [
      ...(training.lastIsFused ? training.segments.slice(0, -1) : training.segments).map((s) => s.graph),
      ...training.backward.map((s) => s.graph),
    ]);
    return {
      plan: "segments",
      predictedPeak: predictTrainingPeak(training),
      async run(feeds) {
        const { outputs, gradients } = await runTraining(training, feeds, machine(feeds));
        const results: Record<string, Tensor> = { ...outputs };
        gradients.forEach((g, i) => {
          results[`grad.${names[i]}`] = g;
        });
        return results;
      },
    };
  };

  const bind = (signal: AbortSignal | undefined): Compute => {
    const guarded = async (compile: () => Promise<Executable>): Promise<Executable> => {
      signal?.throwIfAborted();
      const executable = await compile();
      return {
        ...executable,
        run(feeds: Feeds): Promise<Results> {
          signal?.throwIfAborted();
          return executable.run(feeds);
        },
      };
    };
    const compile = (graph: Graph, compileOptions: CompileOptions = {}) => guarded(() => forward(graph, compileOptions));
    return {
      device: options.device,
      compile,
      grad: (graph, loss, wrt, compileOptions = {}) => guarded(() => backward(graph, loss, wrt, compileOptions)),
      run: async (graph, feeds, compileOptions) => (await compile(graph, compileOptions)).run(feeds),
    };
  };

  return { ...bind(undefined), withSignal: bind, stats: () => sessions.stats, dispose: () => sessions.dispose() };
}

/** Memory of one session: narrow weights are unpacked to float32 beside the mapped file. */
function wholeBytes(graph: Graph, peak: PeakMemory): number {
  const widened = reach(graph).weights.reduce((n, v) => n + (isNarrow(v.dtype) ? 4 * sizeOf(v.shape) : 0), 0);
  return peak.peak + widened;
}

/** Prepares every distinct segment graph once; the machine then serves any number of runs, each with its own fed weights. */
async function segmentMachine(sessions: Sessions, graphs: readonly Graph[]): Promise<(feeds: Feeds) => SegmentMachine<Tensor>> {
  const prepared = new Map<Graph, RunGraph>();
  for (const graph of graphs) if (!prepared.has(graph)) prepared.set(graph, await sessions.prepare(graph, []));
  return (feeds) => ({
    run(graph, segmentFeeds) {
      const run = prepared.get(graph);
      if (!run) throw new AppError("INTERNAL", "a segment was not prepared");
      return run(segmentFeeds);
    },
    weight: (v) => feeds[nameOf(v)] ?? readWeight(v),
    filled: (v, x) => f32(v.shape, new Float32Array(sizeOf(v.shape)).fill(x)),
    add(a, b) {
      const [x, y] = [expectDType(a, "float32", "gradient"), expectDType(b, "float32", "gradient")];
      return f32(
        a.shape,
        x.map((g, i) => g + (y[i] ?? 0)),
      );
    },
  });
}
