import type { Tensor } from "../../engine/tensor/tensor.ts";
import type { Point } from "../shared/contracts/data.ts";
import type { DetectorAnswer } from "./detector-levels.ts";

/** Anchors of each level: its stride, and the sides of the squares at each cell (Pytorch_Retinaface's cfg_mnet and cfg_re50). */
const LEVELS: readonly { readonly stride: number; readonly sides: readonly number[] }[] = [
  { stride: 8, sides: [16, 32] },
  { stride: 16, sides: [64, 128] },
  { stride: 32, sides: [256, 512] },
];
/** How offsets and logarithms of sizes were scaled for training. */
const [OFFSET, SCALE] = [0.1, 0.2];

/** The number of anchors for an input of `size` × `size`. */
export function retinaFaceAnchors(size: number): number {
  return LEVELS.reduce((n, { stride, sides }) => n + sides.length * Math.ceil(size / stride) ** 2, 0);
}

/**
 * Answers above `minScore` before suppression: offsets from anchors, in parts of the input (SSD's coding with variances 0.1 and 0.2).
 * @param boxes [n, 4] @param scores [n, 2]: not a face, a face; probabilities, or logits @param points [n, 10]
 */
export function decodeRetinaFace(
  boxes: Tensor<"float32">,
  scores: Tensor<"float32">,
  points: Tensor<"float32">,
  size: number,
  minScore: number,
): DetectorAnswer[] {
  const p = scores.data;
  const isProbability = p.every((x, i) => i % 2 === 1 || Math.abs(x + (p[i + 1] ?? Number.NaN) - 1) < 1e-3);
  const answers: DetectorAnswer[] = [];
  let i = 0;
  for (const { stride, sides } of LEVELS) {
    const columns = Math.ceil(size / stride);
    for (let cell = 0; cell < columns * columns; cell++)
      for (const side of sides) {
        const n = i++;
        const face = p[2 * n + 1] ?? Number.NaN;
        const score = isProbability ? face : 1 / (1 + Math.exp((p[2 * n] ?? Number.NaN) - face));
        if (!(score >= minScore)) continue;
        const x = ((cell % columns) + 0.5) * stride;
        const y = (Math.floor(cell / columns) + 0.5) * stride;
        const at = (k: number): number => boxes.data[4 * n + k] ?? Number.NaN;
        const place = (dx: number, dy: number): Point => [x + dx * OFFSET * side, y + dy * OFFSET * side];
        const [cx, cy] = place(at(0), at(1));
        const w = side * Math.exp(at(2) * SCALE);
        const h = side * Math.exp(at(3) * SCALE);
        answers.push({
          score,
          box: [cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2],
          points: [0, 1, 2, 3, 4].map((k) =>
            place(points.data[10 * n + 2 * k] ?? Number.NaN, points.data[10 * n + 2 * k + 1] ?? Number.NaN),
          ),
        });
      }
  }
  return answers;
}
