import type { Identify } from "../graph/opened-file.ts";
import type { Compute } from "../ir/compute.ts";
import type { NodeContext } from "../node/context.ts";

/** What `nodeContext` adds for one node. */
type OfOneNode = "nodeId" | "signal" | "compute" | "score" | "show" | "wantsPreview" | "progress" | "log" | "random";

/** The outside world as a run's nodes share it, and what the executor itself needs from it. Members of NodeContext are declared only there. */
export interface World extends Omit<NodeContext, OfOneNode> {
  /** Compute that asks before it starts anything, so between two segments of one graph too. @param check throws when nothing more may be started */
  compute(check: (() => void) | undefined): Compute;
  readonly identify: Identify;
  /** Whether anyone would see a picture of what is not finished. Absent: nobody. */
  isWatched?(): boolean;
  /** Milliseconds since 1970, for events. */
  clock(): number;
}
