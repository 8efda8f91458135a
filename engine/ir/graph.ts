// Walks over graphs.
import { AppError } from "../base/errors.ts";
import type { Graph, Node, Value } from "./value.ts";

/** What a graph reaches, each list in creation (= topological) order. */
export interface Reach {
  readonly inputs: readonly Value[];
  readonly weights: readonly Value[];
  readonly constants: readonly Value[];
  readonly nodes: readonly Node[];
}

/** Everything the outputs depend on. */
export function reach(graph: Graph): Reach {
  const seen = new Set<number>();
  const lists = { input: [] as Value[], weight: [] as Value[], constant: [] as Value[] };
  const nodes: Node[] = [];
  const stack: Value[] = Object.values(graph.outputs);
  for (let value = stack.pop(); value; value = stack.pop()) {
    const id = value.def.kind === "node" ? value.def.node.id : value.id;
    if (seen.has(id)) continue;
    seen.add(id);
    if (value.def.kind !== "node") lists[value.def.kind].push(value);
    else {
      nodes.push(value.def.node);
      for (const input of value.def.node.inputs) if (input) stack.push(input);
    }
  }
  const byId = (a: { id: number }, b: { id: number }) => a.id - b.id;
  return {
    inputs: lists.input.sort(byId),
    weights: lists.weight.sort(byId),
    constants: lists.constant.sort(byId),
    nodes: nodes.sort(byId),
  };
}

/** The name an input or weight is fed by. @throws AppError IR_NAME for other values */
export function nameOf(v: Value): string {
  if (v.def.kind === "input" || v.def.kind === "weight") return v.def.name;
  throw new AppError("IR_NAME", `value ${v.id} (${v.def.kind}) has no name`);
}
