import type { Identify } from "../graph/opened-file.ts";
import type { Compute } from "../ir/compute.ts";
import type { NodeContext } from "../node/context.ts";

/** What `nodeContext` adds for one node. */
type OfOneNode = "nodeId" | "signal" | "compute" | "score" | "show" | "progress" | "log" | "random";

/** Everything that a run's nodes share of the outside, and what the executor needs of it. A member of NodeContext is declared there only. */
export interface World extends Omit<NodeContext, OfOneNode> {
  /** Compute that asks before it starts anything, so between two segments of one graph too. @param check throws when nothing more may be started */
  compute(check: (() => void) | undefined): Compute;
  readonly identify: Identify;
  /** Milliseconds since 1970, for events. */
  clock(): number;
}
