// What the engine asks of anything that computes. Implemented by engine/ort; faked in tests.
import type { Tensor } from "../tensor/tensor.ts";
import type { Graph } from "./value.ts";

export type Device = "cpu" | "webgpu" | "cuda";
export type Feeds = Readonly<Record<string, Tensor>>;
export type Results = Readonly<Record<string, Tensor>>;

export interface CompileOptions {
  /** Weights that are fed at every run (by weight name), instead of being baked into the session. */
  readonly fed?: readonly string[];
  /** "whole" = one session; "segments" = one session per distinct scope, activations recomputed; default: what fits. */
  readonly strategy?: "whole" | "segments";
}

/** A graph made ready. The caller releases nothing: its sessions belong to the runtime's cache, which may drop and reopen them. */
export interface Executable {
  readonly strategy: "whole" | "segments";
  /** Bytes expected at the worst moment, before any run. */
  readonly predictedPeak: { readonly weights: number; readonly activations: number; readonly peak: number };
  /** @throws AppError ORT_RUN, ORT_FEED, ORT_OUT_OF_MEMORY */
  run(feeds: Feeds): Promise<Results>;
}

export interface Compute {
  readonly device: Device;
  /** A graph that takes more than `wholeBytes` runs by segment, with `keptWeightBytes` of its weights in memory between evaluations. */
  readonly memory: { readonly wholeBytes: number; readonly keptWeightBytes: number };
  /** Sessions are kept by structure and weights: asking again for an equal graph opens none. */
  compile(graph: Graph, options?: CompileOptions): Promise<Executable>;
  /**
   * The graph's outputs and `grad.<name>` = d outputs[loss] / d name for inputs and weights by name. Whole or by segment
   * with recomputation, with the same gradients.
   */
  grad(graph: Graph, loss: string, wrt: readonly string[], options?: CompileOptions): Promise<Executable>;
  /** compile + run. */
  run(graph: Graph, feeds: Feeds, options?: CompileOptions): Promise<Results>;
}
