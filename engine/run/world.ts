import type { Identify } from "../graph/opened-file.ts";
import type { Compute } from "../ir/compute.ts";
import type { NodeContext } from "../node/context.ts";

/** Everything a run's nodes share of the outside. The executor adds what belongs to one node: its id, scores, progress, cancellation. */
export interface World
  extends Pick<NodeContext, "models" | "readInput" | "save" | "saveAs" | "runDirectory" | "freeSpace" | "workflow" | "memory" | "now"> {
  /** Compute that asks before it starts anything, so between two segments of one graph too. @param check throws when nothing more may be started */
  compute(check: (() => void) | undefined): Compute;
  /** The user asked to continue an earlier run: a node that keeps state must find it. */
  readonly resume?: boolean;
  readonly identify: Identify;
  /** Milliseconds since 1970, for events. */
  clock(): number;
}
