import { toFloat32 } from "../engine/tensor/convert.ts";
import { sameShape } from "../engine/tensor/shape.ts";
import type { Tensor } from "../engine/tensor/tensor.ts";

/** max |a − b| / max |b|; Infinity where shapes differ, something is missing or a number is not finite. */
export function relativeError(actual: Tensor | undefined, expected: Tensor): number {
  if (!actual || !sameShape(actual.shape, expected.shape)) return Infinity;
  const [a, b] = [toFloat32(actual), toFloat32(expected)];
  let worst = 0;
  let scale = 0;
  for (let i = 0; i < b.length; i++) {
    const difference = Math.abs((a[i] ?? Number.NaN) - (b[i] ?? Number.NaN));
    if (!Number.isFinite(difference)) return Infinity;
    worst = Math.max(worst, difference);
    scale = Math.max(scale, Math.abs(b[i] ?? 0));
  }
  return worst === 0 ? 0 : worst / scale;
}
