import { f32, type Tensor } from "../../../engine/tensor/tensor.ts";
import type { Face, Image } from "../contracts/data.ts";
import { type FaceWindow, faceWindow } from "./face-window.ts";
import { skinMask } from "./skin-mask.ts";

/** A face with the pixels it is judged by. */
export interface FacePixels {
  readonly face: Face;
  readonly window: FaceWindow;
  readonly mask: Tensor<"float32">;
}

/** The window and skin of every face; a face that is too small, or none of whose skin lies in the window, is left out. */
export function facePixels(image: Image, faces: readonly Face[], minSize: number): FacePixels[] {
  const [, height = 0, width = 0] = image.shape;
  return faces.flatMap((face) => {
    const [x0, y0, x1, y1] = face.box;
    const window = Math.max(x1 - x0, y1 - y0) < minSize ? undefined : faceWindow(face, [height, width]);
    const mask = window && skinMask(face, window);
    return window && mask ? [{ face, window, mask }] : [];
  });
}

/** The window of a picture [1, H, W, 3] as planes [1, 3, side, side]. */
export function windowPixels(image: Image, { x, y, side }: FaceWindow): Tensor<"float32"> {
  const [, , width = 0] = image.shape;
  const out = new Float32Array(3 * side * side);
  for (let i = 0; i < side * side; i++)
    for (let c = 0; c < 3; c++) out[c * side * side + i] = image.data[3 * ((y + Math.floor(i / side)) * width + x + (i % side)) + c] ?? 0;
  return f32([1, 3, side, side], out);
}
