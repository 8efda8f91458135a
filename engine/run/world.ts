import type { Compute } from "../ir/compute.ts";
import type { NodeContext } from "../node/context.ts";

/** Everything a run's nodes share of the outside. The executor adds what belongs to one node: its id, scores, progress, cancellation. */
export interface World
  extends Pick<NodeContext, "models" | "readInput" | "save" | "saveAs" | "runDirectory" | "freeSpace" | "workflow" | "memory" | "now"> {
  /** Compute that refuses to start more work once the signal is aborted; undefined = it never refuses. */
  compute(signal: AbortSignal | undefined): Compute;
  /** The user asked to continue an earlier run: a node that keeps state must find it. */
  readonly resume?: boolean;
  /** Milliseconds since 1970, for events. */
  clock(): number;
}
