import type { Compute } from "../../../engine/ir/compute.ts";
import { f32, type Tensor } from "../../../engine/tensor/tensor.ts";
import type { Vae } from "../../shared/contracts/modules.ts";
import { type Decode, decoderFor } from "./decode-latents.ts";

/** Sizes in latent cells. Neighbouring tiles share `size − stride` cells, blended linearly. */
export interface Tiling {
  readonly size: number;
  readonly stride: number;
}

/**
 * Decodes [1,z,h,w] tile by tile (diffusers, `AutoencoderKLQwenImage.tiled_decode`): tiles start at multiples of the stride,
 * each is blended linearly with the one above and then with the one on its left, and gives its first `stride` rows and
 * columns to the picture. Pixels near seams differ slightly from an undivided decode.
 */
export function tiledDecode(compute: Compute, vae: Vae, shape: readonly number[], { size, stride }: Tiling): Decode {
  const [z = 1, h = 1, w = 1] = shape;
  return async (latent) => {
    const decoders = new Map<string, Decode>();
    let out: Tensor<"float32"> | undefined;
    let above: Tile[] = [];
    for (let top = 0; top < h; top += stride) {
      const row: Tile[] = [];
      for (let left = 0; left < w; left += stride) {
        const th = Math.min(size, h - top);
        const tw = Math.min(size, w - left);
        const key = `${th}x${tw}`;
        const decode = decoders.get(key) ?? (await decoderFor(compute, vae, [z, th, tw]));
        decoders.set(key, decode);
        const planes = await decode(cut(latent, shape, top, left, th, tw));
        const tile: Tile = { data: Float32Array.from(planes.data), h: planes.shape[2] ?? 0, w: planes.shape[3] ?? 0 };
        const ratio = tile.h / th;
        const overlap = (size - stride) * ratio;
        const up = above[row.length];
        if (up) blend(up, tile, overlap, "vertical");
        const before = row.at(-1);
        if (before) blend(before, tile, overlap, "horizontal");
        row.push(tile);
        out ??= f32([1, 3, h * ratio, w * ratio], new Float32Array(3 * h * w * ratio * ratio));
        paste(tile, out, top * ratio, left * ratio, stride * ratio);
      }
      above = row;
    }
    return out ?? f32([1, 3, 0, 0], []);
  };
}

interface Tile {
  readonly data: Float32Array;
  readonly h: number;
  readonly w: number;
}

function cut(latent: Float32Array, shape: readonly number[], top: number, left: number, th: number, tw: number): Float32Array {
  const [z = 1, h = 1, w = 1] = shape;
  const out = new Float32Array(z * th * tw);
  for (let c = 0; c < z; c++)
    for (let y = 0; y < th; y++) {
      const from = (c * h + top + y) * w + left;
      out.set(latent.subarray(from, from + tw), (c * th + y) * tw);
    }
  return out;
}

/** Fades from the end of `a` into the beginning of `tile` over `overlap` pixels. */
function blend(a: Tile, tile: Tile, overlap: number, axis: "vertical" | "horizontal"): void {
  const vertical = axis === "vertical";
  const extent = Math.min(overlap, vertical ? a.h : a.w, vertical ? tile.h : tile.w);
  for (let c = 0; c < 3; c++)
    for (let y = 0; y < (vertical ? extent : Math.min(a.h, tile.h)); y++)
      for (let x = 0; x < (vertical ? Math.min(a.w, tile.w) : extent); x++) {
        const t = (vertical ? y : x) / extent;
        const from = vertical ? (c * a.h + a.h - extent + y) * a.w + x : (c * a.h + y) * a.w + a.w - extent + x;
        const to = (c * tile.h + y) * tile.w + x;
        tile.data[to] = (a.data[from] ?? 0) * (1 - t) + (tile.data[to] ?? 0) * t;
      }
}

function paste(tile: Tile, out: Tensor<"float32">, top: number, left: number, stride: number): void {
  const [, , height = 0, width = 0] = out.shape;
  const h = Math.min(stride, tile.h, height - top);
  const w = Math.min(stride, tile.w, width - left);
  for (let c = 0; c < 3; c++)
    for (let y = 0; y < h; y++) {
      const from = (c * tile.h + y) * tile.w;
      out.data.set(tile.data.subarray(from, from + w), (c * height + top + y) * width + left);
    }
}
