import { AppError } from "../../engine/base/errors.ts";
import { sizeOf } from "../../engine/tensor/shape.ts";
import type { Tensor } from "../../engine/tensor/tensor.ts";
import type { Point } from "../shared/contracts/data.ts";
import type { Box } from "./box.ts";

/** One answer of SCRFD, in pixels of its input. */
export interface ScrfdAnswer {
  readonly score: number;
  readonly box: Box;
  /** Five points, when the model has them. */
  readonly points: readonly Point[] | undefined;
}

/** One stride of the pyramid. Tensors are flat: [n], [n, 4], [n, 10]. */
interface Level {
  readonly stride: number;
  readonly anchors: number;
  readonly scores: Float32Array;
  readonly boxes: Float32Array;
  readonly points: Float32Array | undefined;
}

/**
 * Answers above `minScore` before suppression (insightface's scrfd.py): anchor centres at (column, row)·stride, distances to
 * the four sides and offsets of the points in strides. Outputs are told apart by their shapes ([…, 1] scores, […, 4] boxes,
 * […, 10] points; the largest belong to stride 8, then 16, 32 …), so their names and order do not matter.
 * @param size side of the square input.
 * @throws AppError FACE_SCRFD when the outputs are not SCRFD's.
 */
export function decodeScrfd(outputs: readonly Tensor<"float32">[], size: number, minScore: number): ScrfdAnswer[] {
  const answers: ScrfdAnswer[] = [];
  for (const { stride, anchors, scores, boxes, points } of levelsOf(outputs, size)) {
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

function levelsOf(outputs: readonly Tensor<"float32">[], size: number): Level[] {
  const ofWidth = (width: number): Tensor<"float32">[] =>
    outputs.filter((t) => t.shape.at(-1) === width).sort((p, q) => sizeOf(q.shape) - sizeOf(p.shape));
  const [scores, boxes, points] = [ofWidth(1), ofWidth(4), ofWidth(10)];
  const refuse = (): AppError =>
    new AppError("FACE_SCRFD", `these outputs are not SCRFD's: ${outputs.map((t) => `[${t.shape}]`).join(", ")} for an input of ${size}`, {
      hint: "an SCRFD file has scores […, 1], boxes […, 4] and perhaps points […, 10] for strides 8, 16 and 32",
    });
  const expected = scores.length + boxes.length + points.length;
  if (
    scores.length === 0 ||
    boxes.length !== scores.length ||
    (points.length !== 0 && points.length !== scores.length) ||
    expected !== outputs.length
  )
    throw refuse();
  return scores.map((s, i) => {
    const stride = 8 * 2 ** i;
    const cells = Math.ceil(size / stride) ** 2;
    const anchors = s.data.length / cells;
    const box = boxes[i]?.data ?? new Float32Array();
    const point = points[i]?.data;
    const fits = box.length === 4 * s.data.length && (point === undefined || point.length === 10 * s.data.length);
    if (!Number.isInteger(anchors) || anchors < 1 || !fits) throw refuse();
    return { stride, anchors, scores: s.data, boxes: box, points: point };
  });
}
