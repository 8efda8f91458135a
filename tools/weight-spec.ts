// What a network's weights are, before any number exists: the tools' checkpoints are filled from such lists, small ones at once and
// large ones piece by piece.
import type { RandomSource } from "../engine/base/random.ts";
import { sizeOf } from "../engine/tensor/shape.ts";
import { f32, type Tensor } from "../engine/tensor/tensor.ts";

export interface WeightSpec {
  readonly name: string;
  readonly shape: readonly number[];
  /** Standard deviation of normal numbers, or the one number everywhere. */
  readonly fill: { readonly std: number } | { readonly value: number };
  /** Only the last of this many temporal slices (axis 2 of a kernel) is random, the others are zero: what a still picture meets. */
  readonly slices?: number;
}

/** A Linear of variance gain²/fan-in, with a bias of zeros where there is one. */
export function linearSpecs(path: string, out: number, width: number, { bias = true, gain = 1 } = {}): WeightSpec[] {
  const weight = { name: `${path}.weight`, shape: [out, width], fill: { std: gain / Math.sqrt(width) } };
  return bias ? [weight, { name: `${path}.bias`, shape: [out], fill: { value: 0 } }] : [weight];
}

/** A scale of ones. */
export function normSpec(name: string, shape: readonly number[]): WeightSpec {
  return { name, shape, fill: { value: 1 } };
}

/** All the tensors of a small network, in float32. */
export function filledWeights(specs: readonly WeightSpec[], rng: RandomSource): Map<string, Tensor<"float32">> {
  return new Map(
    specs.map(({ name, shape, fill, slices }) => {
      const data = new Float32Array(sizeOf(shape));
      if ("value" in fill) return [name, f32(shape, data.fill(fill.value))];
      if (slices === undefined)
        return [
          name,
          f32(
            shape,
            rng.normals(data).map((x) => x * fill.std),
          ),
        ];
      const area = (shape[3] ?? 1) * (shape[4] ?? 1);
      for (let row = slices - 1; row * area < data.length; row += slices)
        for (let p = 0; p < area; p++) data[row * area + p] = fill.std * rng.normal();
      return [name, f32(shape, data)];
    }),
  );
}
