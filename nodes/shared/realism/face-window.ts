// The square of native pixels that a face is judged by. Nothing is resized: resampling would change what is measured.
import type { Builder } from "../../../engine/ir/builder.ts";
import type { Value } from "../../../engine/ir/value.ts";
import { type Tensor, tensor } from "../../../engine/tensor/tensor.ts";
import type { Face } from "../contracts/data.ts";

/** Sides of windows in pixels. Few, because each side is a graph of its own, and statistics are compared at equal sides. */
export const WINDOW_SIDES: readonly number[] = [24, 32, 48, 64, 96, 128, 192, 256, 384, 512];

export interface FaceWindow {
  /** Left and top edge in whole pixels. */
  readonly x: number;
  readonly y: number;
  /** One of {@link WINDOW_SIDES}. */
  readonly side: number;
}

/**
 * The largest window inside the face's box (its longer side), centred on it and moved into the picture.
 * Undefined for a face, or a picture, smaller than the smallest window.
 */
export function faceWindow(face: Face, [height, width]: readonly [height: number, width: number]): FaceWindow | undefined {
  const [x0, y0, x1, y1] = face.box;
  const room = Math.min(Math.max(x1 - x0, y1 - y0), height, width);
  const side = WINDOW_SIDES.findLast((s) => s <= room);
  if (side === undefined) return undefined;
  const start = (from: number, to: number, size: number) => Math.min(size - side, Math.max(0, Math.round((from + to - side) / 2)));
  return { x: start(x0, x1, width), y: start(y0, y1, height), side };
}

/** Rows and columns of a window, [side] int64 each: constants of a graph, so that one graph serves every place. */
export function windowIndices({ x, y, side }: FaceWindow): { readonly rows: Tensor<"int64">; readonly columns: Tensor<"int64"> } {
  const from = (start: number) =>
    tensor(
      "int64",
      [side],
      BigInt64Array.from({ length: side }, (_, i) => BigInt(start + i)),
    );
  return { rows: from(y), columns: from(x) };
}

/** [1, 3, side, side] of a picture [1, 3, H, W]; differentiable in it. */
export function buildWindow(b: Builder, image: Value, rows: Value, columns: Value): Value {
  return b.gather(b.gather(image, rows, 2), columns, 3);
}
