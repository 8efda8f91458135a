// Predicted memory of running by segment: what is kept across segments, plus the segment that runs.
import type { Value } from "../ir/value.ts";
import { isNarrow } from "../tensor/dtype.ts";
import { sizeOf } from "../tensor/shape.ts";
import { bytesOfValue, type PeakMemory, predictPeak } from "./peak.ts";
import type { SegmentedGradient } from "./segmented-grad.ts";
import type { Segment, SegmentedGraph } from "./segments.ts";

const total = (values: Iterable<Value>): number => [...values].reduce((n, v) => n + bytesOfValue(v), 0);

/** Activations of a segment beyond what is fed to it: its graph counts weights and inputs as inputs. */
function inside(segment: Segment): number {
  return predictPeak(segment.graph).activations - total(segment.inputs) - total(segment.weights);
}

/**
 * Peak memory of a forward pass by segment.
 * @param keptWeightBytes what the runtime keeps of the weights between evaluations; the others are read for each segment
 */
export function predictForwardPeak(segmented: SegmentedGraph, keptWeightBytes: number): PeakMemory {
  const kept = new Set(Object.values(segmented.outputs).map((v) => v.id));
  const live = new Map<number, Value>();
  const activations = walk(segmented.segments, live, (v) => kept.has(v.id));
  return summed(segmented, activations, keptWeightBytes);
}

/** Peak memory of a training step by segment: the boundaries of all segments, then gradients and one segment computed again. @param keptWeightBytes as in {@link predictForwardPeak} */
export function predictTrainingPeak(segmented: SegmentedGradient, keptWeightBytes: number): PeakMemory {
  const outputs = new Set(Object.values(segmented.outputs).map((v) => v.id));
  const needed = new Map<number, number>();
  segmented.backward.forEach(({ segment }, at) => {
    for (const v of segment.inputs) needed.set(v.id, at);
  });
  const live = new Map<number, Value>();
  const segments = segmented.lastIsFused ? segmented.segments.slice(0, -1) : segmented.segments;
  let peak = walk(segments, live, (v) => outputs.has(v.id) || needed.has(v.id));
  // Gradients in flight are as large as the values they belong to.
  const gradients = new Map<number, Value>();
  segmented.backward.forEach((step, at) => {
    const fed = total(step.segment.inputs) + total(step.segment.weights) + total(step.cotangents.map((c) => c.value));
    const own = predictPeak(step.graph).activations - fed;
    peak = Math.max(peak, total(live.values()) + total(gradients.values()) + total(step.cotangents.map((c) => c.value)) + own);
    for (const { value } of step.cotangents) gradients.delete(value.id);
    for (const { value } of step.gradients) gradients.set(value.id, value);
    for (const v of step.segment.inputs) if (needed.get(v.id) === at && !outputs.has(v.id)) live.delete(v.id);
  });
  return summed(segmented, peak, keptWeightBytes);
}

function walk(segments: readonly Segment[], live: Map<number, Value>, keep: (v: Value) => boolean): number {
  const last = new Map<number, number>();
  segments.forEach((segment, at) => {
    for (const v of segment.inputs) last.set(v.id, at);
  });
  let peak = 0;
  segments.forEach((segment, at) => {
    for (const v of segment.inputs) live.set(v.id, v);
    peak = Math.max(peak, total(live.values()) + inside(segment));
    for (const v of segment.outputs) live.set(v.id, v);
    for (const v of segment.inputs) if (last.get(v.id) === at && !keep(v)) live.delete(v.id);
  });
  return peak;
}

function summed({ segments }: SegmentedGraph, activations: number, keptWeightBytes: number): PeakMemory {
  const fed = (values: Iterable<Value>) => [...values].reduce((n, v) => n + fedBytes(v), 0);
  const all = fed(new Map(segments.flatMap((s) => s.weights.map((v) => [v.id, v] as const))).values());
  const weights = Math.min(all, keptWeightBytes + Math.max(0, ...segments.map((s) => fed(s.weights))));
  return { weights, activations, peak: weights + activations };
}

/** What feeding a weight takes beside the file or the tensor it comes from. */
function fedBytes(v: Value): number {
  if (isNarrow(v.dtype)) return 4 * sizeOf(v.shape);
  return v.def.kind === "weight" && v.def.source.kind === "host" ? 0 : bytesOfValue(v);
}
