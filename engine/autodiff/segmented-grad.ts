// Gradients by segment: the forward pass keeps only what crosses segment borders, the backward pass computes each segment
// again from there. One forward and one backward graph per distinct segment, whatever the number of layers.
import { AppError } from "../base/errors.ts";
import { reach } from "../ir/graph.ts";
import type { Graph, Value } from "../ir/value.ts";
import { newBuilder } from "../ops/table.ts";
import { isFloat } from "../tensor/dtype.ts";
import { sizeOf } from "../tensor/shape.ts";
import { vjp } from "./grad.ts";
import { copyNodes, type Segment, type SegmentedGraph, segmentGraph, standIn } from "./segments.ts";

/** The backward run of one segment. Feeds: its `i<k>` and `w<k>`, and `c<k>` = gradient of output k. */
export interface BackwardSegment {
  readonly segment: Segment;
  /** Gives `di<k>` and `dw<k>`; for the last segment also its outputs `o<k>`, so that it needs no forward run. */
  readonly graph: Graph;
  /** Outputs of the segment whose gradient is fed, with the feed's name. */
  readonly cotangents: readonly { readonly name: string; readonly value: Value }[];
  /** Gradients it gives, by output name; several of the same value add up. */
  readonly gradients: readonly { readonly name: string; readonly value: Value }[];
}

export interface SegmentedGradient extends SegmentedGraph {
  /** Run in this order, after the forward pass. */
  readonly backward: readonly BackwardSegment[];
  /** True when the last segment runs only backward. */
  readonly lastIsFused: boolean;
  readonly loss: Value;
  readonly wrt: readonly Value[];
}

/**
 * Cuts loss and gradients of a graph into segments. Same gradients as `grad` on the whole graph.
 * @param loss name of a scalar float output of `graph`
 * @param wrt inputs and weights of the graph (not intermediate values)
 * @throws AppError AUTODIFF_LOSS, AUTODIFF_WRT, AUTODIFF_NO_RULE
 */
export function segmentedGrad(graph: Graph, loss: string, wrt: readonly Value[]): SegmentedGradient {
  const lossValue = graph.outputs[loss];
  if (!lossValue || !isFloat(lossValue.dtype) || sizeOf(lossValue.shape) !== 1)
    throw new AppError("AUTODIFF_LOSS", `output ${loss} is not one float`);
  for (const v of wrt)
    if (!isFloat(v.dtype) || v.def.kind === "node")
      throw new AppError("AUTODIFF_WRT", `gradients by segment are taken by float inputs and weights`);
  const segmented = segmentGraph(graph);
  const active = new Set(wrt.map((v) => v.id));
  const activity = segmented.segments.map((segment) => activeInside(segment, active));
  const wanted = new Set([lossValue.id]);
  const backward: BackwardSegment[] = [];
  const shared = new Map<Graph, Map<string, Graph>>();
  for (let s = segmented.segments.length - 1; s >= 0; s--) {
    const segment = segmented.segments[s];
    if (!segment || !activity[s]) continue;
    const outputs = segment.outputs.filter((v) => wanted.has(v.id) && active.has(v.id));
    if (outputs.length === 0) continue;
    const inputs = segment.inputs.filter((v) => active.has(v.id));
    const weights = segment.weights.filter((v) => active.has(v.id));
    const recipe: Recipe = {
      outputs: outputs.map((v) => segment.outputs.indexOf(v)),
      inputs: inputs.map((v) => segment.inputs.indexOf(v)),
      weights: weights.map((v) => segment.weights.indexOf(v)),
      withOutputs: s === segmented.segments.length - 1,
    };
    const variants = shared.get(segment.graph) ?? new Map<string, Graph>();
    shared.set(segment.graph, variants);
    const key = JSON.stringify(recipe);
    const backwardGraph = variants.get(key) ?? backwardOf(segment.graph, recipe);
    variants.set(key, backwardGraph);
    backward.push({
      segment,
      graph: backwardGraph,
      cotangents: outputs.map((value) => ({ name: `c${segment.outputs.indexOf(value)}`, value })),
      gradients: [
        ...inputs.map((value) => ({ name: `di${segment.inputs.indexOf(value)}`, value })),
        ...weights.map((value) => ({ name: `dw${segment.weights.indexOf(value)}`, value })),
      ],
    });
    for (const v of inputs) wanted.add(v.id);
  }
  return {
    ...segmented,
    backward,
    lastIsFused: backward[0]?.segment === segmented.segments.at(-1) && backward.length > 0,
    loss: lossValue,
    wrt,
  };
}

/** Positions of the values that are fed and asked for: equal recipes on equal segments share a graph. */
interface Recipe {
  readonly outputs: readonly number[];
  readonly inputs: readonly number[];
  readonly weights: readonly number[];
  readonly withOutputs: boolean;
}

/** Marks the segment's outputs that depend on active values. @returns whether there are any. */
function activeInside(segment: Segment, active: Set<number>): boolean {
  const stand = new Set<string>();
  segment.inputs.forEach((v, k) => {
    if (active.has(v.id)) stand.add(`i${k}`);
  });
  segment.weights.forEach((v, k) => {
    if (active.has(v.id)) stand.add(`w${k}`);
  });
  if (stand.size === 0) return false;
  const { inputs, nodes } = reach(segment.graph);
  const inside = new Set(inputs.flatMap((v) => (v.def.kind === "input" && stand.has(v.def.name) ? [v.id] : [])));
  for (const node of nodes)
    if (node.inputs.some((v) => v && inside.has(v.id))) for (const v of node.outputs) if (isFloat(v.dtype)) inside.add(v.id);
  segment.outputs.forEach((v, k) => {
    const own = segment.graph.outputs[`o${k}`];
    if (own && inside.has(own.id)) active.add(v.id);
  });
  return true;
}

function backwardOf(forward: Graph, recipe: Recipe): Graph {
  const b = newBuilder();
  const map = new Map<number, Value>();
  const { inputs, nodes } = reach(forward);
  const byName = new Map<string, Value>();
  for (const v of inputs)
    if (v.def.kind === "input") {
      const copy = b.input(v.def.name, v.dtype, v.shape);
      map.set(v.id, copy);
      byName.set(v.def.name, copy);
    }
  copyNodes(b, nodes, map);
  const output = (k: number): Value => {
    const v = forward.outputs[`o${k}`];
    if (!v) throw new RangeError(`no output o${k}`);
    return standIn(map, v);
  };
  const outputs = recipe.outputs.map(output);
  const cotangents = recipe.outputs.map((k) => b.input(`c${k}`, output(k).dtype, output(k).shape));
  const names = [...recipe.inputs.map((k) => `i${k}`), ...recipe.weights.map((k) => `w${k}`)];
  const wrt = names.map((name) => byName.get(name) ?? output(0));
  const named: Record<string, Value> = {};
  vjp(b, outputs, cotangents, wrt).forEach((g, j) => {
    named[`d${names[j]}`] = g;
  });
  if (recipe.withOutputs) for (let k = 0; forward.outputs[`o${k}`]; k++) named[`o${k}`] = output(k);
  return b.graph(named);
}
