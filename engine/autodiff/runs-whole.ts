import { nameOf, reach } from "../ir/graph.ts";
import type { Graph } from "../ir/value.ts";
import { isNarrow } from "../tensor/dtype.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { PeakMemory } from "./peak.ts";

/** A session's model is one protobuf message, which holds less than 2 GiB; the rest is room for its nodes and constants. */
const MAX_INLINE = 2 ** 31 - 2 ** 27;

/**
 * Whether a graph runs in one session, and not by segment: it fits the budget, narrow weights unpacked to float32 beside the mapped file, and
 * its packed weights, which cannot be mapped, fit the session's model.
 */
export function runsWhole(graph: Graph, { peak }: PeakMemory, budget: number): boolean {
  return peak + widenedBytes(graph) <= budget && packedWeights(graph) <= MAX_INLINE;
}

/** Extra bytes that narrow weights in files take when a session unpacks them to float32. @param fed weights that are fed, so not unpacked there */
export function widenedBytes(graph: Graph, fed: readonly string[] = []): number {
  return reach(graph).weights.reduce((n, v) => n + (isNarrow(v.dtype) && !fed.includes(nameOf(v)) ? 4 * sizeOf(v.shape) : 0), 0);
}

/** Bytes of the weights that are packed in blocks, once they are unpacked. */
function packedWeights(graph: Graph): number {
  return reach(graph).weights.reduce((n, { def, shape }) => {
    const isPacked = def.kind === "weight" && def.source.kind === "file" && def.source.packing !== undefined;
    return n + (isPacked ? 4 * sizeOf(shape) : 0);
  }, 0);
}
