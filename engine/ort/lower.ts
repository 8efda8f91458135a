// A device's own ways to compute some ops: rewrites a graph before it becomes a session.
import { copyNodes, standIn } from "../autodiff/segments.ts";
import type { Builder } from "../ir/builder.ts";
import { nameOf, reach } from "../ir/graph.ts";
import type { Graph, Node, Value } from "../ir/value.ts";
import { newBuilder } from "../ops/table.ts";

/** What stands for a node, given its new inputs; null keeps the op. It has the node's outputs, in order. */
export type Lowering = (b: Builder, node: Node, inputs: readonly (Value | null)[]) => readonly Value[] | null;

/** By op name. */
export type Lowerings = Readonly<Record<string, Lowering>>;

/** The same graph with every node that has a lowering replaced. Names of inputs, weights and outputs stay. */
export function lower(graph: Graph, lowerings: Lowerings): Graph {
  const { inputs, weights, nodes } = reach(graph);
  if (!nodes.some((node) => Object.hasOwn(lowerings, node.op))) return graph;
  const b = newBuilder();
  const map = new Map<number, Value>();
  for (const v of [...inputs, ...weights])
    map.set(v.id, v.def.kind === "weight" ? b.weight(v.def.name, v.dtype, v.shape, v.def.source) : b.input(nameOf(v), v.dtype, v.shape));
  copyNodes(b, nodes, map, (node, own) => lowerings[node.op]?.(b, node, own) ?? b.op(node.op, own, node.attrs));
  const stand = (v: Value): Value => (v.def.kind === "constant" ? b.constant(v.def.tensor) : standIn(map, v));
  return b.graph(Object.fromEntries(Object.entries(graph.outputs).map(([name, v]) => [name, stand(v)])));
}
