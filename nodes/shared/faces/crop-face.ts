import { type Affine, invertAffine, scaleOfAffine } from "../pictures/affine.ts";
import { type Pixels, samplesFor, warpImage } from "../pictures/warp-image.ts";

/**
 * An aligned crop [size, size, 3], the same numbers as `alignCrops` gives in a graph.
 * @param alignment picture coordinates to crop coordinates.
 */
export function cropFace(picture: Pixels, alignment: Affine, size: number): Float32Array {
  return warpImage(picture, invertAffine(alignment), size, size, samplesFor(1 / scaleOfAffine(alignment)));
}

/** [height, width, 3] pixels as [3, height, width]. */
export function planes(pixels: Float32Array): Float32Array {
  const n = pixels.length / 3;
  const out = new Float32Array(pixels.length);
  for (let i = 0; i < n; i++) {
    out[i] = pixels[3 * i] ?? 0;
    out[n + i] = pixels[3 * i + 1] ?? 0;
    out[2 * n + i] = pixels[3 * i + 2] ?? 0;
  }
  return out;
}
