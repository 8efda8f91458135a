import type { Point } from "../shared/contracts/data.ts";
import type { DetectorAnswer, DetectorLevel } from "./detector-levels.ts";

/**
 * Answers above `minScore` before suppression (OpenCV's FaceDetectorYN): one anchor a cell, the score is the geometric mean of class and
 * objectness, centres and points are offsets from the cell in strides, sizes are exponents.
 * @param size side of the square input
 */
export function decodeYuNet(levels: readonly DetectorLevel[], size: number, minScore: number): DetectorAnswer[] {
  const answers: DetectorAnswer[] = [];
  const part = (x: number | undefined): number => Math.min(1, Math.max(0, x ?? Number.NaN));
  for (const { stride, scores, second, boxes, points } of levels) {
    const columns = Math.ceil(size / stride);
    scores.forEach((first, i) => {
      const score = Math.sqrt(part(first) * part(second?.[i]));
      if (!(score >= minScore)) return;
      const place = (dx: number | undefined, dy: number | undefined): Point => [
        ((i % columns) + (dx ?? Number.NaN)) * stride,
        (Math.floor(i / columns) + (dy ?? Number.NaN)) * stride,
      ];
      const [cx, cy] = place(boxes[4 * i], boxes[4 * i + 1]);
      const w = (Math.exp(boxes[4 * i + 2] ?? Number.NaN) * stride) / 2;
      const h = (Math.exp(boxes[4 * i + 3] ?? Number.NaN) * stride) / 2;
      answers.push({
        score,
        box: [cx - w, cy - h, cx + w, cy + h],
        points: points && [0, 1, 2, 3, 4].map((k) => place(points[10 * i + 2 * k], points[10 * i + 2 * k + 1])),
      });
    });
  }
  return answers;
}
