// Predicted memory: a liveness walk in execution order.
import { reach } from "../ir/graph.ts";
import type { Graph, Node, Value } from "../ir/value.ts";
import { opRow } from "../ops/table.ts";
import { bytesOf } from "../tensor/dtype.ts";
import { sizeOf } from "../tensor/shape.ts";

/** All in bytes, before any rounding or fragmentation by an allocator. */
export interface PeakMemory {
  /** Weights and literals, which stay for the whole run. */
  readonly weights: number;
  /** The most that inputs, intermediate results and outputs take at once. */
  readonly activations: number;
  /** `weights + activations`. */
  readonly peak: number;
}

/** Ops whose result shares their input's memory under another shape. */
const VIEWS: ReadonlySet<string> = new Set(["Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"]);

/** Bytes of a value's elements. */
export function bytesOfValue(v: Value): number {
  return sizeOf(v.shape) * bytesOf(v.dtype);
}

/** Results of a node that need memory: optional outputs nobody reads are never made. */
function madeBy(node: Node, read: ReadonlySet<number>): readonly Value[] {
  const from = opRow(node.op).optionalOutputsFrom ?? Number.POSITIVE_INFINITY;
  return node.outputs.filter((v, i) => i < from || read.has(v.id));
}

/**
 * Memory of running a graph once in creation order, freeing each value after its last use. Elementwise results take over
 * the memory of an operand of their size that is last used there, as the runtime does.
 */
export function predictPeak(graph: Graph): PeakMemory {
  const { inputs, weights, constants, nodes } = reach(graph);
  const lastUse = new Map<number, number>();
  nodes.forEach((node, at) => {
    for (const v of node.inputs) if (v) lastUse.set(v.id, at);
  });
  for (const v of Object.values(graph.outputs)) lastUse.set(v.id, nodes.length);
  const read = new Set(lastUse.keys());
  // A view keeps its source alive: both are one buffer, which is freed after its last reader.
  const buffer = new Map<number, { bytes: number; readers: number }>();
  let live = 0;
  const make = (v: Value, bytes: number) => {
    buffer.set(v.id, { bytes, readers: 1 });
    live += bytes;
  };
  const release = (v: Value) => {
    const held = buffer.get(v.id);
    if (held && --held.readers === 0) live -= held.bytes;
  };
  for (const v of inputs) make(v, bytesOfValue(v));
  let peak = live;
  nodes.forEach((node, at) => {
    const dying = new Set(node.inputs.flatMap((v) => (v && lastUse.get(v.id) === at ? [v] : [])));
    const [source] = node.inputs;
    const held = source ? buffer.get(source.id) : undefined;
    if (VIEWS.has(node.op) && held) {
      for (const v of node.outputs) {
        buffer.set(v.id, held);
        held.readers++;
      }
    } else {
      const outputs = madeBy(node, read);
      for (const v of outputs) {
        const reused = opRow(node.op).elementwise ? [...dying].find((d) => reusable(buffer.get(d.id), d, v)) : undefined;
        if (reused) {
          release(reused);
          dying.delete(reused);
        }
        make(v, bytesOfValue(v));
      }
      peak = Math.max(peak, live);
    }
    for (const v of dying) release(v);
    for (const v of node.outputs) if (!read.has(v.id)) release(v);
  });
  const fixed = [...weights, ...constants].reduce((n, v) => n + bytesOfValue(v), 0);
  return { weights: fixed, activations: peak, peak: fixed + peak };
}

function reusable(held: { readonly readers: number } | undefined, from: Value, to: Value): boolean {
  return held?.readers === 1 && from.def.kind === "node" && bytesOfValue(from) === bytesOfValue(to);
}
