/** [x0, y0, x1, y1] in pixels. */
export type Box = readonly [x0: number, y0: number, x1: number, y1: number];

/** Width times height; 0 for a box that is turned inside out. */
export function area([x0, y0, x1, y1]: Box): number {
  return Math.max(0, x1 - x0) * Math.max(0, y1 - y0);
}

/** Area two boxes share. */
export function overlap(a: Box, b: Box): number {
  return area([Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])]);
}

/** Intersection over union, 0..1. */
export function iou(a: Box, b: Box): number {
  const shared = overlap(a, b);
  const union = area(a) + area(b) - shared;
  return union > 0 ? shared / union : 0;
}

/** The longer side. */
export function longSide([x0, y0, x1, y1]: Box): number {
  return Math.max(x1 - x0, y1 - y0);
}

/**
 * Greedy non-maximum suppression: by falling score (ties by index), a box is dropped when it overlaps a kept one by more
 * than `limit` of their union, or lies inside it by more than `inside` of its own or the other's area.
 */
export function suppress<T extends { readonly box: Box; readonly score: number }>(found: readonly T[], limit: number, inside = 1): T[] {
  const kept: T[] = [];
  // Array.sort is stable: equal scores keep their order.
  for (const candidate of [...found].sort((p, q) => q.score - p.score)) {
    const clash = kept.some(({ box }) => {
      const smaller = Math.min(area(box), area(candidate.box));
      return iou(box, candidate.box) > limit || overlap(box, candidate.box) > inside * smaller;
    });
    if (!clash) kept.push(candidate);
  }
  return kept;
}
