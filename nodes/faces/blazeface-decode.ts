import type { Point } from "../shared/contracts/data.ts";
import type { Box } from "./box.ts";

/** One detection of BlazeFace, in units of the square it looked at (0..1). */
export interface BlazeFaceAnswer {
  readonly score: number;
  readonly box: Box;
  /** Eye on the image's left, eye on its right, nose tip, mouth centre, ear, ear. */
  readonly keypoints: readonly Point[];
}

const GRIDS: readonly { readonly size: number; readonly anchors: number }[] = [
  { size: 16, anchors: 2 },
  { size: 8, anchors: 6 },
];

/**
 * Detections above `minScore`, before suppression, in anchor order. A cell's anchors share its centre and have unit size:
 * centre = anchor + q/256, size = q/256 (MediaPipe's SsdAnchors with fixed_anchor_size).
 * @param scores 896 logits. @param boxes 896×16 offsets.
 */
export function decodeBlazeFace(scores: Float32Array, boxes: Float32Array, minScore: number): BlazeFaceAnswer[] {
  const answers: BlazeFaceAnswer[] = [];
  let i = 0;
  for (const { size, anchors } of GRIDS)
    for (let cell = 0; cell < size * size; cell++)
      for (let k = 0; k < anchors; k++, i++) {
        const score = 1 / (1 + Math.exp(-(scores[i] ?? Number.NaN)));
        if (!(score > minScore)) continue;
        const ax = ((cell % size) + 0.5) / size;
        const ay = (Math.floor(cell / size) + 0.5) / size;
        const q = (j: number): number => (boxes[i * 16 + j] ?? Number.NaN) / 256;
        const cx = ax + q(0);
        const cy = ay + q(1);
        const w = q(2) / 2;
        const h = q(3) / 2;
        const keypoints = Array.from({ length: 6 }, (_, p): Point => [ax + q(4 + 2 * p), ay + q(5 + 2 * p)]);
        answers.push({ score, box: [cx - w, cy - h, cx + w, cy + h], keypoints });
      }
  return answers;
}
