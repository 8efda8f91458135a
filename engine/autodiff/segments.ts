// Cutting a graph into segments: contiguous runs of one scope. Only the values that cross a cut need memory of their own;
// segments of equal structure share one graph, which takes their weights as inputs.
import type { Builder } from "../ir/builder.ts";
import { reach } from "../ir/graph.ts";
import { hashGraph } from "../ir/print.ts";
import type { Graph, Node, Value } from "../ir/value.ts";
import { newBuilder } from "../ops/table.ts";

/** One run of a scope. The k-th entry of each list is fed or given under the name `i<k>`, `w<k>`, `o<k>`. */
export interface Segment {
  readonly scope: string;
  /** Inputs `i<k>` and `w<k>`, outputs `o<k>`. The same object for segments of equal structure. */
  readonly graph: Graph;
  /** Inputs of the whole graph, or outputs of earlier segments. */
  readonly inputs: readonly Value[];
  readonly weights: readonly Value[];
  /** What later segments or the caller need. */
  readonly outputs: readonly Value[];
}

export interface SegmentedGraph {
  readonly segments: readonly Segment[];
  /** The caller's outputs: outputs of segments, or leaves. */
  readonly outputs: Readonly<Record<string, Value>>;
}

/**
 * Rebuilds nodes in another builder. `map` holds the leaves' stand-ins and receives every value made; literals are shared.
 * @param make what stands for a node, given its new inputs; default: the same op
 */
export function copyNodes(
  b: Builder,
  nodes: readonly Node[],
  map: Map<number, Value>,
  make: (node: Node, inputs: readonly (Value | null)[]) => readonly Value[] = (node, inputs) => b.op(node.op, inputs, node.attrs),
): void {
  for (const node of nodes) {
    const inputs = node.inputs.map((v) => {
      if (!v) return null;
      const known = map.get(v.id) ?? (v.def.kind === "constant" ? b.constant(v.def.tensor) : undefined);
      if (!known) throw new RangeError(`value ${v.id} has no stand-in`);
      map.set(v.id, known);
      return known;
    });
    make(node, inputs).forEach((made, i) => {
      const old = node.outputs[i];
      if (old) map.set(old.id, made);
    });
  }
}

/** Cuts a graph into segments, to be run in order. */
export function segmentGraph(graph: Graph): SegmentedGraph {
  const { nodes } = reach(graph);
  const runs: Node[][] = [];
  for (const node of nodes) {
    const last = runs.at(-1);
    if (last && last[0]?.scope === node.scope) last.push(node);
    else runs.push([node]);
  }
  const runOf = new Map<number, number>();
  runs.forEach((run, r) => {
    for (const node of run) runOf.set(node.id, r);
  });
  // A value leaves its run when another run or the caller reads it.
  const leaving = new Set(Object.values(graph.outputs).map((v) => v.id));
  for (const node of nodes)
    for (const v of node.inputs) if (v?.def.kind === "node" && runOf.get(v.def.node.id) !== runOf.get(node.id)) leaving.add(v.id);
  const shared = new Map<string, Graph>();
  const segments = runs.map((run): Segment => {
    const segment = cut(run, leaving);
    const key = hashGraph(segment.graph, { weights: "position" });
    const known = shared.get(key);
    if (known) return { ...segment, graph: known };
    shared.set(key, segment.graph);
    return segment;
  });
  return { segments, outputs: graph.outputs };
}

function cut(run: readonly Node[], leaving: ReadonlySet<number>): Segment {
  const b = newBuilder();
  const inside = new Set(run.flatMap((node) => node.outputs.map((v) => v.id)));
  const map = new Map<number, Value>();
  const inputs: Value[] = [];
  const weights: Value[] = [];
  for (const node of run)
    for (const v of node.inputs) {
      if (!v || inside.has(v.id) || map.has(v.id) || v.def.kind === "constant") continue;
      const [list, letter] = v.def.kind === "weight" ? [weights, "w"] : [inputs, "i"];
      map.set(v.id, b.input(`${letter}${list.length}`, v.dtype, v.shape));
      list.push(v);
    }
  copyNodes(b, run, map);
  const outputs = run.flatMap((node) => node.outputs.filter((v) => leaving.has(v.id)));
  const named = Object.fromEntries(outputs.map((v, k) => [`o${k}`, standIn(map, v)]));
  return { scope: run[0]?.scope ?? "", graph: b.graph(named), inputs, weights, outputs };
}

/** The stand-in of a value. */
export function standIn(map: ReadonlyMap<number, Value>, v: Value): Value {
  const known = map.get(v.id);
  if (!known) throw new RangeError(`value ${v.id} has no stand-in`);
  return known;
}
