import { sizeOf } from "../../engine/tensor/shape.ts";
import type { Tensor } from "../../engine/tensor/tensor.ts";
import type { Point } from "../shared/contracts/data.ts";
import type { Box } from "./box.ts";

/** One answer of a detector, in pixels of its input. */
export interface DetectorAnswer {
  readonly score: number;
  readonly box: Box;
  /** Five points, when the model has them. */
  readonly points: readonly Point[] | undefined;
}

/** One stride of a pyramid. Tensors are flat: [n], [n, 4], [n, 10]. */
export interface DetectorLevel {
  readonly stride: number;
  readonly anchors: number;
  readonly scores: Float32Array;
  /** The second score of each anchor, where a model has two. */
  readonly second: Float32Array | undefined;
  readonly boxes: Float32Array;
  readonly points: Float32Array | undefined;
}

/**
 * Outputs put together by their shapes ([…, 1] scores, one or two of a size, […, 4] boxes, […, 10] points or none; the largest belong to
 * stride 8, then 16, 32 …), so that their names and order do not matter. Undefined when they are no such pyramid.
 * @param size side of the square input
 */
export function detectorLevels(outputs: readonly Tensor<"float32">[], size: number): DetectorLevel[] | undefined {
  const ofWidth = (width: number): Tensor<"float32">[] =>
    outputs.filter((t) => t.shape.at(-1) === width).sort((p, q) => sizeOf(q.shape) - sizeOf(p.shape));
  const [scores, boxes, points] = [ofWidth(1), ofWidth(4), ofWidth(10)];
  const each = scores.length / boxes.length;
  if (scores.length + boxes.length + points.length !== outputs.length || (each !== 1 && each !== 2)) return undefined;
  if (points.length !== 0 && points.length !== boxes.length) return undefined;
  const levels = boxes.map((box, i): DetectorLevel | undefined => {
    const stride = 8 * 2 ** i;
    const score = scores[each * i]?.data ?? new Float32Array();
    const second = each === 2 ? scores[2 * i + 1]?.data : undefined;
    const point = points[i]?.data;
    const anchors = score.length / Math.ceil(size / stride) ** 2;
    const fits =
      box.data.length === 4 * score.length &&
      (second === undefined || second.length === score.length) &&
      (point === undefined || point.length === 10 * score.length);
    if (!Number.isInteger(anchors) || anchors < 1 || !fits) return undefined;
    return { stride, anchors, scores: score, second, boxes: box.data, points: point };
  });
  const found = levels.filter((level) => level !== undefined);
  return found.length === levels.length ? found : undefined;
}
