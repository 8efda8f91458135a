// What the engine asks of whatever computes. Implemented by engine/ort; faked in tests.
import type { Tensor } from "../tensor/tensor.ts";
import type { Graph } from "./value.ts";

export type Device = "cpu" | "webgpu" | "cuda";
export type Feeds = Readonly<Record<string, Tensor>>;
export type Results = Readonly<Record<string, Tensor>>;

export interface CompileOptions {
  /** Weights that are fed at every run (by weight name), instead of being baked into the session. */
  readonly fed?: readonly string[];
  /** "whole" = one session; "segments" = one session per distinct scope, activations recomputed; default: what fits. */
  readonly plan?: "whole" | "segments";
}

/** A graph made ready. Released by the runtime's own cache, never by the caller. */
export interface Executable {
  /** @throws AppError ORT_RUN; AbortSignal is looked at between sessions. */
  run(feeds: Feeds): Promise<Results>;
}

export interface Compute {
  readonly device: Device;
  /** Sessions are cached by the graph's hash: asking again is cheap. */
  compile(graph: Graph, options?: CompileOptions): Promise<Executable>;
  /** compile + run. */
  run(graph: Graph, feeds: Feeds, options?: CompileOptions): Promise<Results>;
}
