// MSRoPE: the position of each token on the axes (frame, height, width), and the rotation tables for those positions.
import { f32, type Tensor } from "../../../engine/tensor/tensor.ts";
import type { ReferenceMethod } from "../../shared/contracts/data.ts";
import type { DenoiseShape, GridSize } from "../../shared/contracts/diffusion.ts";

export type Position = readonly [frame: number, y: number, x: number];

/**
 * Image positions, target first, then references in order; text token i stands at textStart + i on all three axes.
 * diffusers centres a grid at h − ⌊h/2⌋ and starts the text beyond the largest picture; ComfyUI centres at ⌊h/2⌋ and looks at
 * the target only (they differ at odd sizes and at references larger than the target).
 * Offsets of the methods `offset` and `uxo` are in whole patches: exact for latents of even size.
 */
export function msropePositions(
  target: GridSize,
  references: readonly GridSize[],
  convention: DenoiseShape["convention"],
  method: ReferenceMethod = "index",
): { readonly image: readonly Position[]; readonly textStart: number } {
  const image: Position[] = [];
  const place = (grid: GridSize, frame: number, top: number, left: number) => {
    const centre = (n: number) => (convention === "diffusers" ? n - Math.floor(n / 2) : Math.floor(n / 2));
    for (let y = 0; y < grid.h; y++)
      for (let x = 0; x < grid.w; x++) image.push([frame, y - centre(grid.h) + top, x - centre(grid.w) + left]);
  };
  place(target, 0, 0, 0);
  let h = 0;
  let w = 0;
  for (const [i, grid] of references.entries()) {
    if (method !== "offset" && method !== "uxo") {
      place(grid, method === "negative_index" ? -(i + 1) : i + 1, 0, 0);
      continue;
    }
    // offset, uxo: all references share frame 1 and are laid beside or below one another.
    const beside = grid.h + h > grid.w + w;
    const [top, left] = beside ? [0, w] : [h, 0];
    h = Math.max(h, grid.h + top);
    w = Math.max(w, grid.w + left);
    place(grid, 1, top, left);
  }
  const reach = (grid: GridSize) => Math.max(Math.floor(grid.h / 2), Math.floor(grid.w / 2));
  const textStart = Math.max(...(convention === "diffusers" ? [target, ...references] : [target]).map(reach));
  return { image, textStart };
}

/** cos and sin [tokens, headDim/2], computed in fp64. Pair p of an axis of d channels turns by position · theta^(−2p/d). */
export function rotationTables(
  positions: readonly Position[],
  axesDims: readonly number[],
  theta = 10000,
): { readonly cos: Tensor<"float32">; readonly sin: Tensor<"float32"> } {
  const rates = axesDims.flatMap((d, axis) => Array.from({ length: d / 2 }, (_, p) => [axis, theta ** ((-2 * p) / d)] as const));
  const cos = new Float32Array(positions.length * rates.length);
  const sin = new Float32Array(cos.length);
  let i = 0;
  for (const position of positions)
    for (const [axis, rate] of rates) {
      const angle = (position[axis] ?? 0) * rate;
      cos[i] = Math.cos(angle);
      sin[i++] = Math.sin(angle);
    }
  const shape = [positions.length, rates.length];
  return { cos: f32(shape, cos), sin: f32(shape, sin) };
}
