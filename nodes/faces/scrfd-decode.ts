import type { Point } from "../shared/contracts/data.ts";
import type { DetectorAnswer, DetectorLevel } from "./detector-levels.ts";

/**
 * Detections above `minScore` before suppression (insightface's scrfd.py): anchor centres at (column, row)·stride, distances to
 * the four sides and offsets of the points in strides.
 * @param size side of the square input
 */
export function decodeScrfd(levels: readonly DetectorLevel[], size: number, minScore: number): DetectorAnswer[] {
  const answers: DetectorAnswer[] = [];
  for (const { stride, anchors, scores, boxes, points } of levels) {
    const columns = Math.ceil(size / stride);
    scores.forEach((score, i) => {
      if (!(score >= minScore)) return;
      const cell = Math.floor(i / anchors);
      const x = (cell % columns) * stride;
      const y = Math.floor(cell / columns) * stride;
      const side = (k: number): number => (boxes[4 * i + k] ?? Number.NaN) * stride;
      const point = (k: number): Point => [
        x + (points?.[10 * i + 2 * k] ?? Number.NaN) * stride,
        y + (points?.[10 * i + 2 * k + 1] ?? Number.NaN) * stride,
      ];
      answers.push({
        score,
        box: [x - side(0), y - side(1), x + side(2), y + side(3)],
        points: points && [0, 1, 2, 3, 4].map(point),
      });
    });
  }
  return answers;
}
