import { f32, type Tensor } from "../../engine/tensor/tensor.ts";
import { type PatchGrid, patchPositions } from "./vision-layout.ts";

/** Frames a still picture is repeated to: the tower's temporal patch. */
const FRAMES = 2;

/**
 * Normalised planes [3,H,W] → patches [gh·gw, 3·2·patch²] in merge order, values in (channel, frame, row, column) order
 * (transformers, `Qwen2VLImageProcessor._preprocess`). H and W are multiples of patch · merge.
 */
export function patchify(planes: Float32Array, grid: PatchGrid, patch: number, merge: number): Tensor<"float32"> {
  const { rows, columns } = patchPositions(grid, merge);
  const [h, w, area] = [grid.h * patch, grid.w * patch, patch * patch];
  const size = 3 * FRAMES * area;
  const out = new Float32Array(rows.length * size);
  for (let i = 0; i < rows.length; i++) {
    const top = (rows[i] ?? 0) * patch;
    const left = (columns[i] ?? 0) * patch;
    for (let c = 0; c < 3; c++)
      for (let y = 0; y < patch; y++) {
        const from = (c * h + top + y) * w + left;
        const line = planes.subarray(from, from + patch);
        for (let t = 0; t < FRAMES; t++) out.set(line, i * size + (c * FRAMES + t) * area + y * patch);
      }
  }
  return f32([rows.length, size], out);
}
