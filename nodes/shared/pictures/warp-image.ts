// Resampling of pictures on the host, in tight loops over flat arrays.
import { type Affine, scaleOfAffine } from "./affine.ts";

/** One picture, [height, width, 3] row-major. */
export interface Pixels {
  readonly data: Float32Array;
  readonly height: number;
  readonly width: number;
}

/**
 * The picture seen through a map: output pixel (x, y) is the mean of `samples`² bilinear readings at `toSource` of points
 * spread over the pixel. Returns [height, width, 3].
 * @param toSource from output to source coordinates; pixel centres at .5 in both.
 * @param outside what surrounds the picture: a grey of 0..1
 */
export function warpImage(source: Pixels, toSource: Affine, width: number, height: number, samples: number, outside = 0): Float32Array {
  const [a, b, tx, c, d, ty] = toSource;
  if (b === 0 && c === 0)
    return warpUpright(source, axisTaps(a, tx, width, source.width, samples), axisTaps(d, ty, height, source.height, samples), outside);
  const { data, width: w, height: h } = source;
  const out = new Float32Array(width * height * 3);
  const share = 1 / (samples * samples);
  const row = w * 3;
  let at = 0;
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++, at += 3) {
      let red = 0;
      let green = 0;
      let blue = 0;
      let covered = 0;
      for (let j = 0; j < samples; j++)
        for (let i = 0; i < samples; i++) {
          const u = x + (i + 0.5) / samples;
          const v = y + (j + 0.5) / samples;
          const sx = a * u + b * v + tx - 0.5;
          const sy = c * u + d * v + ty - 0.5;
          const x0 = Math.floor(sx);
          const y0 = Math.floor(sy);
          if (!(x0 >= -1 && y0 >= -1 && x0 < w && y0 < h)) continue;
          const fx = sx - x0;
          const fy = sy - y0;
          const left = x0 >= 0 ? 1 - fx : 0;
          const right = x0 + 1 < w ? fx : 0;
          const top = y0 >= 0 ? 1 - fy : 0;
          const bottom = y0 + 1 < h ? fy : 0;
          const p = Math.max(y0, 0) * row + Math.max(x0, 0) * 3;
          const dx = x0 >= 0 && x0 + 1 < w ? 3 : 0;
          const q = p + (y0 >= 0 && y0 + 1 < h ? row : 0);
          const w00 = top * left;
          const w01 = top * right;
          const w10 = bottom * left;
          const w11 = bottom * right;
          covered += w00 + w01 + w10 + w11;
          red += w00 * (data[p] ?? 0) + w01 * (data[p + dx] ?? 0) + w10 * (data[q] ?? 0) + w11 * (data[q + dx] ?? 0);
          green += w00 * (data[p + 1] ?? 0) + w01 * (data[p + dx + 1] ?? 0) + w10 * (data[q + 1] ?? 0) + w11 * (data[q + dx + 1] ?? 0);
          blue += w00 * (data[p + 2] ?? 0) + w01 * (data[p + dx + 2] ?? 0) + w10 * (data[q + 2] ?? 0) + w11 * (data[q + dx + 2] ?? 0);
        }
      const rest = outside * (1 - covered * share);
      out[at] = red * share + rest;
      out[at + 1] = green * share + rest;
      out[at + 2] = blue * share + rest;
    }
  return out;
}

/** What each of `length` output pixels reads along one axis: `count` neighbours from `first[i]` on. */
interface AxisTaps {
  readonly length: number;
  readonly count: number;
  readonly first: Int32Array;
  readonly weights: Float64Array;
  /** Sum of each output pixel's weights: which part of it lies in the picture. */
  readonly covered: Float64Array;
}

function axisTaps(scale: number, shift: number, length: number, limit: number, samples: number): AxisTaps {
  const count = Math.ceil((Math.abs(scale) * (samples - 1)) / samples) + 2;
  const first = new Int32Array(length);
  const weights = new Float64Array(length * count);
  const covered = new Float64Array(length);
  for (let i = 0; i < length; i++) {
    const least = Math.min(scale * (i + 0.5 / samples), scale * (i + (samples - 0.5) / samples)) + shift - 0.5;
    // Clamped so that every reading stays in the picture; what lies outside keeps weight 0.
    const start = Math.min(Math.max(Math.floor(least), 0), Math.max(limit - count, 0));
    first[i] = start;
    for (let s = 0; s < samples; s++) {
      const place = scale * (i + (s + 0.5) / samples) + shift - 0.5;
      const low = Math.floor(place);
      const k = i * count + low - start;
      if (low >= 0 && low < limit) weights[k] = (weights[k] ?? 0) + (1 - place + low) / samples;
      if (low + 1 >= 0 && low + 1 < limit) weights[k + 1] = (weights[k + 1] ?? 0) + (place - low) / samples;
    }
    for (let k = i * count; k < (i + 1) * count; k++) covered[i] = (covered[i] ?? 0) + (weights[k] ?? 0);
  }
  return { length, count, first, weights, covered };
}

/** A view without rotation, one axis after the other: about a third of the work. */
function warpUpright({ data, width, height }: Pixels, x: AxisTaps, y: AxisTaps, outside: number): Float32Array {
  const out = new Float32Array(x.length * y.length * 3);
  const row = new Float64Array(width * 3);
  const from = Math.min(...x.first) * 3;
  const to = Math.min((Math.max(...x.first) + x.count) * 3, row.length);
  let at = 0;
  for (let v = 0; v < y.length; v++) {
    row.fill(0, from, to);
    for (let k = 0; k < y.count; k++) {
      const weight = y.weights[v * y.count + k] ?? 0;
      const line = (y.first[v] ?? 0) + k;
      if (weight === 0 || line >= height) continue;
      for (let i = from, p = line * width * 3 + from; i < to; i++, p++) row[i] = (row[i] ?? 0) + weight * (data[p] ?? 0);
    }
    for (let u = 0; u < x.length; u++, at += 3) {
      let red = 0;
      let green = 0;
      let blue = 0;
      for (let k = 0, p = (x.first[u] ?? 0) * 3, w = u * x.count; k < x.count; k++, p += 3, w++) {
        const weight = x.weights[w] ?? 0;
        red += weight * (row[p] ?? 0);
        green += weight * (row[p + 1] ?? 0);
        blue += weight * (row[p + 2] ?? 0);
      }
      const rest = outside * (1 - (x.covered[u] ?? 0) * (y.covered[v] ?? 0));
      out[at] = red + rest;
      out[at + 1] = green + rest;
      out[at + 2] = blue + rest;
    }
  }
  return out;
}

/** Readings per side and output pixel that keep neighbouring readings within 1.5 source pixels, at most 8. */
export function samplesFor(sourcePixelsPerPixel: number): number {
  return Math.min(8, Math.max(1, Math.ceil(sourcePixelsPerPixel / 1.5 - 1e-6)));
}

/** Halves a picture; every output pixel is the mean of the pixels it covers. */
export function halveImage({ data, width: w, height: h }: Pixels): Pixels {
  const width = (w + 1) >> 1;
  const height = (h + 1) >> 1;
  const out = new Float32Array(width * height * 3);
  let at = 0;
  for (let y = 0; y < height; y++) {
    const top = 2 * y * w * 3;
    const bottom = Math.min(2 * y + 1, h - 1) * w * 3;
    for (let x = 0; x < width; x++) {
      const left = 6 * x;
      const right = Math.min(2 * x + 1, w - 1) * 3;
      for (let k = 0; k < 3; k++)
        out[at++] =
          0.25 *
          ((data[top + left + k] ?? 0) + (data[top + right + k] ?? 0) + (data[bottom + left + k] ?? 0) + (data[bottom + right + k] ?? 0));
    }
  }
  return { data: out, width, height };
}

/** Strong reductions of one picture at a cost that does not depend on their strength: halvings, made when first needed. */
export class ImagePyramid {
  readonly levels: [Pixels, ...Pixels[]];

  constructor(base: Pixels) {
    this.levels = [base];
  }

  /** The picture as {@link warpImage} sees it, prefiltered by the halvings that fit the reduction. */
  warp(toSource: Affine, width: number, height: number, outside = 0): Float32Array {
    const reduction = scaleOfAffine(toSource);
    let level = this.levels[0];
    let shift = 1;
    for (let i = 1; reduction >= 2 * shift && Math.min(level.width, level.height) > 1; i++, shift *= 2) {
      const known = this.levels[i] ?? halveImage(level);
      this.levels[i] = known;
      level = known;
    }
    const [a, b, tx, c, d, ty] = toSource;
    const scaled: Affine = [a / shift, b / shift, tx / shift, c / shift, d / shift, ty / shift];
    return warpImage(level, scaled, width, height, reduction / shift > 1.2 ? 2 : 1, outside);
  }
}
