// Runs segments on any machine. A tensor is dropped as soon as no later segment reads it.
import type { Graph, Value } from "../ir/value.ts";
import type { SegmentedGradient } from "./segmented-grad.ts";
import type { Segment, SegmentedGraph } from "./segments.ts";

/** What computes: the runtime's sessions, or the reference interpreter. */
export interface SegmentMachine<T> {
  run(graph: Graph, feeds: Readonly<Record<string, T>>): Promise<Readonly<Record<string, T>>>;
  /** The tensor of a weight, for graphs that take it as an input. */
  weight(v: Value): T;
  /** A constant's tensor, filled with one number (cotangent 1, or a zero gradient). */
  filled(v: Value, x: number): T;
  add(a: T, b: T): T;
}

/** Runs a graph segment by segment. @param feeds the graph's inputs by name. @returns its outputs by name */
export async function runSegments<T>(
  segmented: SegmentedGraph,
  feeds: Readonly<Record<string, T>>,
  machine: SegmentMachine<T>,
): Promise<Record<string, T>> {
  const values = new LiveTensors(feeds, machine);
  const kept = new Set(Object.values(segmented.outputs).map((v) => v.id));
  await forward(segmented.segments, values, machine, kept);
  return values.named(segmented.outputs);
}

/**
 * Runs loss and gradients segment by segment.
 * @returns the graph's outputs by name, and one gradient per `segmented.wrt`
 */
export async function runTraining<T>(
  segmented: SegmentedGradient,
  feeds: Readonly<Record<string, T>>,
  machine: SegmentMachine<T>,
): Promise<{ readonly outputs: Record<string, T>; readonly gradients: readonly T[] }> {
  const values = new LiveTensors(feeds, machine);
  const kept = new Set(Object.values(segmented.outputs).map((v) => v.id));
  const needed = new Map<number, number>();
  segmented.backward.forEach(({ segment }, at) => {
    for (const v of segment.inputs) needed.set(v.id, at);
  });
  await forward(
    segmented.lastIsFused ? segmented.segments.slice(0, -1) : segmented.segments,
    values,
    machine,
    new Set([...kept, ...needed.keys()]),
  );
  const gradients = new Map<number, T>([[segmented.loss.id, machine.filled(segmented.loss, 1)]]);
  for (const [at, step] of segmented.backward.entries()) {
    const own = values.feedsOf(step.segment);
    for (const { name, value } of step.cotangents) own[name] = gradients.get(value.id) ?? machine.filled(value, 0);
    const results = await machine.run(step.graph, own);
    for (const { value } of step.cotangents) gradients.delete(value.id);
    for (const { name, value } of step.gradients) {
      const [g, before] = [results[name], gradients.get(value.id)];
      if (g !== undefined) gradients.set(value.id, before === undefined ? g : machine.add(before, g));
    }
    if (segmented.lastIsFused && at === 0) values.take(step.segment, results);
    for (const v of step.segment.inputs) if (needed.get(v.id) === at && !kept.has(v.id)) values.drop(v);
  }
  return { outputs: values.named(segmented.outputs), gradients: segmented.wrt.map((v) => gradients.get(v.id) ?? machine.filled(v, 0)) };
}

async function forward<T>(
  segments: readonly Segment[],
  values: LiveTensors<T>,
  machine: SegmentMachine<T>,
  kept: ReadonlySet<number>,
): Promise<void> {
  const last = new Map<number, number>();
  segments.forEach((segment, at) => {
    for (const v of segment.inputs) last.set(v.id, at);
  });
  for (const [at, segment] of segments.entries()) {
    values.take(segment, await machine.run(segment.graph, values.feedsOf(segment)));
    for (const v of segment.inputs) if (last.get(v.id) === at && !kept.has(v.id)) values.drop(v);
  }
}

/** Tensors at hand, by value. */
class LiveTensors<T> {
  readonly #feeds: Readonly<Record<string, T>>;
  readonly #machine: SegmentMachine<T>;
  readonly #known = new Map<number, T>();

  constructor(feeds: Readonly<Record<string, T>>, machine: SegmentMachine<T>) {
    this.#feeds = feeds;
    this.#machine = machine;
  }

  get(v: Value): T {
    const { def } = v;
    const known = this.#known.get(v.id) ?? (def.kind === "input" ? this.#feeds[def.name] : undefined);
    if (known !== undefined) return known;
    if (def.kind === "weight") return this.#machine.weight(v);
    throw new RangeError(`value ${v.id} is not at hand${def.kind === "input" ? `: feed ${def.name}` : ""}`);
  }

  feedsOf(segment: Segment): Record<string, T> {
    const feeds: Record<string, T> = {};
    segment.inputs.forEach((v, k) => {
      feeds[`i${k}`] = this.get(v);
    });
    segment.weights.forEach((v, k) => {
      feeds[`w${k}`] = this.#machine.weight(v);
    });
    return feeds;
  }

  take(segment: Segment, results: Readonly<Record<string, T>>): void {
    segment.outputs.forEach((v, k) => {
      const t = results[`o${k}`];
      if (t !== undefined) this.#known.set(v.id, t);
    });
  }

  drop(v: Value): void {
    this.#known.delete(v.id);
  }

  named(outputs: Readonly<Record<string, Value>>): Record<string, T> {
    return Object.fromEntries(Object.entries(outputs).map(([name, v]) => [name, this.get(v)]));
  }
}
