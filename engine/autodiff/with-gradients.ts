import { AppError } from "../base/errors.ts";
import { nameOf, reach } from "../ir/graph.ts";
import type { Graph, Value } from "../ir/value.ts";
import { newBuilder } from "../ops/table.ts";
import { grad } from "./grad.ts";
import { copyNodes, standIn } from "./segments.ts";

/** Inputs and weights of a graph by name. @throws AppError AUTODIFF_WRT */
export function leavesNamed(graph: Graph, names: readonly string[]): readonly Value[] {
  const { inputs, weights } = reach(graph);
  const known = new Map([...inputs, ...weights].map((v) => [nameOf(v), v]));
  return names.map((name) => {
    const v = known.get(name);
    if (!v) throw new AppError("AUTODIFF_WRT", `the graph does not depend on ${name}`);
    return v;
  });
}

/**
 * The graph again, with `grad.<name>` = d outputs[loss] / d name beside its own outputs.
 * @throws AppError AUTODIFF_LOSS, AUTODIFF_WRT, AUTODIFF_NO_RULE
 */
export function withGradients(graph: Graph, loss: string, names: readonly string[]): Graph {
  const wrt = leavesNamed(graph, names);
  const b = newBuilder();
  const { inputs, weights, nodes } = reach(graph);
  const map = new Map<number, Value>();
  for (const v of [...inputs, ...weights])
    map.set(v.id, v.def.kind === "weight" ? b.weight(v.def.name, v.dtype, v.shape, v.def.source) : b.input(nameOf(v), v.dtype, v.shape));
  copyNodes(b, nodes, map);
  const lossValue = graph.outputs[loss];
  if (!lossValue) throw new AppError("AUTODIFF_LOSS", `the graph has no output ${loss}`);
  const stand = (v: Value): Value => {
    const literal = v.def.kind === "constant" ? b.constant(v.def.tensor) : undefined;
    return literal ?? standIn(map, v);
  };
  const outputs: Record<string, Value> = Object.fromEntries(Object.entries(graph.outputs).map(([name, v]) => [name, stand(v)]));
  grad(b, stand(lossValue), wrt.map(stand)).forEach((g, i) => {
    outputs[`grad.${names[i]}`] = g;
  });
  return b.graph(outputs);
}
