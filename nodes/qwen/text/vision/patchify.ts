import { f32, type Tensor } from "../../../../engine/tensor/tensor.ts";
import { type PatchGrid, patchPositions } from "./windows.ts";

/** CLIP's normalisation, per channel of 0..1. */
const MEAN = [0.48145466, 0.4578275, 0.40821073];
const STD = [0.26862954, 0.26130258, 0.27577711];

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

/** Pixels [H,W,3] in 0..1 → normalised planes [3,H,W]. */
export function normalisePlanes(pixels: Float32Array): Float32Array {
  const area = pixels.length / 3;
  const planes = new Float32Array(pixels.length);
  for (let c = 0; c < 3; c++)
    for (let p = 0; p < area; p++) planes[c * area + p] = ((pixels[p * 3 + c] ?? 0) - (MEAN[c] ?? 0)) / (STD[c] ?? 1);
  return planes;
}
