import { AppError } from "../../../engine/base/errors.ts";
import type { Point } from "../contracts/data.ts";

/** [a, b, tx, c, d, ty]: x' = a·x + b·y + tx, y' = c·x + d·y + ty. */
export type Affine = readonly [a: number, b: number, tx: number, c: number, d: number, ty: number];

/** The image of a point. */
export function applyAffine([a, b, tx, c, d, ty]: Affine, [x, y]: Point): Point {
  return [a * x + b * y + tx, c * x + d * y + ty];
}

/** The inverse map. @throws AppError AFFINE_SINGULAR when it has none. */
export function invertAffine([a, b, tx, c, d, ty]: Affine): Affine {
  const det = a * d - b * c;
  if (!(Math.abs(det) > 1e-12)) throw new AppError("AFFINE_SINGULAR", `the map [${[a, b, tx, c, d, ty]}] has no inverse`);
  return [d / det, -b / det, (b * ty - d * tx) / det, -c / det, a / det, (c * tx - a * ty) / det];
}

/** √|det|: how many target units one source unit becomes. */
export function scaleOfAffine([a, b, , c, d]: Affine): number {
  return Math.sqrt(Math.abs(a * d - b * c));
}

/**
 * The rotation, uniform scale and shift that maps `from` onto `to` with least squared error (Umeyama 1991, in its 2-D
 * closed form: a = Σ f·t / Σ|f|², b = Σ f×t / Σ|f|² on centred points). Never a reflection.
 * @throws AppError ALIGN_POINTS when fewer than two distinct points are given, or one is not finite.
 */
export function similarityTransform(from: readonly Point[], to: readonly Point[]): Affine {
  if (from.length !== to.length || from.length < 2)
    throw new AppError("ALIGN_POINTS", `an alignment needs at least two pairs of points, got ${from.length} and ${to.length}`);
  const n = from.length;
  const mean = (points: readonly Point[]): Point => [points.reduce((s, p) => s + p[0], 0) / n, points.reduce((s, p) => s + p[1], 0) / n];
  const [fx, fy] = mean(from);
  const [tx, ty] = mean(to);
  let dot = 0;
  let cross = 0;
  let norm = 0;
  from.forEach(([x, y], i) => {
    const [u, v] = to[i] ?? [0, 0];
    dot += (x - fx) * (u - tx) + (y - fy) * (v - ty);
    cross += (x - fx) * (v - ty) - (y - fy) * (u - tx);
    norm += (x - fx) ** 2 + (y - fy) ** 2;
  });
  const a = dot / norm;
  const b = cross / norm;
  if (!(norm > 0) || !Number.isFinite(a + b) || (a === 0 && b === 0))
    throw new AppError("ALIGN_POINTS", "an alignment needs distinct, finite points", {
      hint: "the landmarks of this face collapse; remove it, or use another detector",
    });
  return [a, -b, tx - a * fx + b * fy, b, a, ty - b * fx - a * fy];
}
