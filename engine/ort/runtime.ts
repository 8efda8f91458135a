// The Compute contract on ONNX Runtime: chooses between one session for the whole graph and one per kind of segment.
import * as ort from "onnxruntime-node";
import { type PeakMemory, predictPeak } from "../autodiff/peak.ts";
import { runSegments, runTraining, type SegmentMachine } from "../autodiff/run-segments.ts";
import { runsWhole } from "../autodiff/runs-whole.ts";
import { segmentedGrad } from "../autodiff/segmented-grad.ts";
import { predictForwardPeak, predictTrainingPeak } from "../autodiff/segmented-peak.ts";
import { segmentGraph } from "../autodiff/segments.ts";
import { leavesNamed, withGradients } from "../autodiff/with-gradients.ts";
import { AppError } from "../base/errors.ts";
import { memoryLimit } from "../base/memory-limit.ts";
import type { CompileOptions, Compute, Executable, Feeds } from "../ir/compute.ts";
import { nameOf } from "../ir/graph.ts";
import type { Graph } from "../ir/value.ts";
import { newBuilder } from "../ops/table.ts";
import { sizeOf } from "../tensor/shape.ts";
import { expectDType, f32, type Tensor } from "../tensor/tensor.ts";
import { fileStamps } from "./file-stamps.ts";
import { KeptWeights } from "./kept-weights.ts";
import { type RunGraph, type SessionOptions, type SessionStats, Sessions } from "./sessions.ts";

export interface RuntimeOptions extends SessionOptions {
  /** Bytes a graph may take before it is run by segment. Default: half of what this process may use. */
  readonly memoryBudget?: number;
  /** Bytes of weights that segments keep between evaluations. Default: a quarter of what this process may use. */
  readonly keptWeightBytes?: number;
}

export interface RuntimeStats extends SessionStats {
  /** Weights that segments keep, in bytes, and how many were read from files so far. */
  readonly keptWeightBytes: number;
  readonly weightReads: number;
}

/** Throws when no further work may be started. */
export type Check = () => void;

export interface Runtime extends Compute {
  /** The same runtime, asking before each session it opens and each it runs, so between two segments of one graph too. */
  checkedBy(check: Check): Compute;
  /** Computes one number on the device. @throws AppError ORT_DEVICE saying what the machine lacks */
  tryDevice(): Promise<void>;
  stats(): RuntimeStats;
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
  const memory = memoryLimit();
  const { memoryBudget = memory / 2, keptWeightBytes = memory / 4 } = options;
  const sessions = new Sessions({ maxSessionBytes: memory / 2, ...options });
  const kept = new KeptWeights(keptWeightBytes);
  const machineFor = (graphs: readonly Graph[], whole: Graph, check: Check) => segmentMachine({ sessions, kept, graphs, whole, check });

  const whole = async (graph: Graph, fed: readonly string[], peak: PeakMemory, check: Check): Promise<Executable> => {
    check();
    const run = await sessions.prepare(graph, fed);
    return {
      strategy: "whole",
      predictedPeak: peak,
      async run(feeds) {
        check();
        return run(feeds);
      },
    };
  };

  const forward = async (graph: Graph, { fed = [], strategy }: CompileOptions, check: Check): Promise<Executable> => {
    const peak = predictPeak(graph);
    if (strategy !== "segments" && (strategy === "whole" || runsWhole(graph, peak, memoryBudget))) return whole(graph, fed, peak, check);
    const segments = segmentGraph(graph);
    const machine = await machineFor(
      segments.segments.map((s) => s.graph),
      graph,
      check,
    );
    return {
      strategy: "segments",
      predictedPeak: predictForwardPeak(segments, keptWeightBytes),
      run: async (feeds) => runSegments(segments, feeds, machine(feeds)),
    };
  };

  const backward = async (
    graph: Graph,
    loss: string,
    names: readonly string[],
    { fed = [], strategy }: CompileOptions,
    check: Check,
  ): Promise<Executable> => {
    const wrt = leavesNamed(graph, names);
    const differentiated = withGradients(graph, loss, names);
    const peak = predictPeak(differentiated);
    if (strategy !== "segments" && (strategy === "whole" || runsWhole(differentiated, peak, memoryBudget)))
      return whole(differentiated, fed, peak, check);
    const training = segmentedGrad(graph, loss, wrt);
    const machine = await machineFor(
      [
        ...(training.lastIsFused ? training.segments.slice(0, -1) : training.segments).map((s) => s.graph),
        ...training.backward.map((s) => s.graph),
      ],
      graph,
      check,
    );
    return {
      strategy: "segments",
      predictedPeak: predictTrainingPeak(training, keptWeightBytes),
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

  const checkedBy = (check: Check): Compute => {
    const compile = async (graph: Graph, compileOptions: CompileOptions = {}): Promise<Executable> => {
      check();
      return forward(graph, compileOptions, check);
    };
    return {
      device: options.device,
      memory: { wholeBytes: memoryBudget, keptWeightBytes },
      compile,
      async grad(graph, loss, wrt, compileOptions = {}) {
        check();
        return backward(graph, loss, wrt, compileOptions, check);
      },
      run: async (graph, feeds, compileOptions) => (await compile(graph, compileOptions)).run(feeds),
    };
  };

  return {
    ...checkedBy(() => undefined),
    checkedBy,
    async tryDevice() {
      const b = newBuilder();
      const graph = b.graph({ y: b.add(b.input("x", "float32", [1]), 1) });
      const { y } = await (await sessions.prepare(graph, []))({ x: f32([1], [1]) });
      if (y?.data[0] !== 2) throw new AppError("ORT_DEVICE", `the ${options.device} device computes 1 + 1 = ${y?.data[0]}`);
    },
    stats: () => ({ ...sessions.stats, keptWeightBytes: kept.bytes, weightReads: kept.reads }),
    async dispose() {
      kept.clear();
      await sessions.dispose();
    },
  };
}

interface MachineParts {
  readonly sessions: Sessions;
  readonly kept: KeptWeights;
  /** Graphs of the segments. */
  readonly graphs: readonly Graph[];
  /** The graph they were cut from: it has the weights' files. */
  readonly whole: Graph;
  readonly check: Check;
}

/** Prepares every distinct segment graph once; the machine then serves any number of runs, each with its own fed weights. */
async function segmentMachine({ sessions, kept, graphs, whole, check }: MachineParts): Promise<(feeds: Feeds) => SegmentMachine<Tensor>> {
  const prepared = new Map<Graph, RunGraph>();
  for (const graph of new Set(graphs)) {
    check();
    prepared.set(graph, await sessions.prepare(graph, []));
  }
  const stamps = fileStamps(whole);
  return (feeds) => {
    kept.begin();
    return {
      async run(graph, segmentFeeds) {
        check();
        const run = prepared.get(graph);
        if (!run) throw new AppError("INTERNAL", "a segment was not prepared");
        return run(segmentFeeds);
      },
      weight: (v) => feeds[nameOf(v)] ?? kept.get(v, stamps),
      filled: (v, x) => f32(v.shape, new Float32Array(sizeOf(v.shape)).fill(x)),
      add(a, b) {
        const [x, y] = [expectDType(a, "float32", "gradient"), expectDType(b, "float32", "gradient")];
        return f32(
          a.shape,
          x.map((g, i) => g + (y[i] ?? 0)),
        );
      },
    };
  };
}
