// Linear filters on one plane or on three. Edges are mirrored (without repeating the edge pixel), so a filter's result has the size of its input.
import type { Builder } from "../../../engine/ir/builder.ts";
import type { Value } from "../../../engine/ir/value.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";

/** A square kernel, row-major, odd side. Filters correlate: the kernel is not turned. */
export type Kernel = readonly number[];

/** [N, 1, H, W] filtered with each kernel: [N, kernels, H, W]. */
export function filter(b: Builder, planes: Value, kernels: readonly Kernel[]): Value {
  const side = Math.sqrt(kernels[0]?.length ?? 1);
  const radius = (side - 1) / 2;
  const weights = b.constant(f32([kernels.length, 1, side, side], kernels.flat()));
  return b.conv(mirrored(b, planes, radius), weights, null);
}

/** Rows, then columns: for kernels that are products. */
export function filterSeparable(b: Builder, planes: Value, taps: readonly number[]): Value {
  const radius = (taps.length - 1) / 2;
  const padded = mirrored(b, planes, radius);
  const across = b.conv(padded, b.constant(f32([1, 1, 1, taps.length], taps)), null);
  return b.conv(across, b.constant(f32([1, 1, taps.length, 1], taps)), null);
}

/** Mean over a square of `side`² pixels. */
export function box(b: Builder, planes: Value, side: number): Value {
  return filterSeparable(
    b,
    planes,
    Array.from({ length: side }, () => 1 / side),
  );
}

/** Sum 1, radius ⌈3σ⌉. */
export function gaussianTaps(sigma: number): number[] {
  const radius = Math.ceil(3 * sigma);
  const taps = Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-0.5 * ((i - radius) / sigma) ** 2));
  const sum = taps.reduce((a, t) => a + t, 0);
  return taps.map((t) => t / sum);
}

function mirrored(b: Builder, planes: Value, radius: number): Value {
  return radius === 0 ? planes : b.one("Pad", [planes], { mode: "reflect", pads: [0, 0, radius, radius, 0, 0, radius, radius], value: 0 });
}
