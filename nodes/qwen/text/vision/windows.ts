// The patches of one picture: order, rotary angles, attention windows. Everything here is data fed to the graph.

/** Patches on each side, before merging. */
export interface PatchGrid {
  readonly h: number;
  readonly w: number;
}

export interface VisionGeometry {
  readonly patch: number;
  /** Patches per side of a merged token. */
  readonly merge: number;
  /** Side of an attention window in pixels. */
  readonly window: number;
}

/** Row and column of each patch in "merge order": merged tokens in raster order, the patches of one token in raster order. */
export function patchPositions(grid: PatchGrid, merge: number): { readonly rows: Int32Array; readonly columns: Int32Array } {
  const rows = new Int32Array(grid.h * grid.w);
  const columns = new Int32Array(grid.h * grid.w);
  let i = 0;
  for (let by = 0; by < grid.h / merge; by++)
    for (let bx = 0; bx < grid.w / merge; bx++)
      for (let y = 0; y < merge; y++)
        for (let x = 0; x < merge; x++) {
          rows[i] = by * merge + y;
          columns[i++] = bx * merge + x;
        }
  return { rows, columns };
}

/** cos and sin [patches, headDim] in fp32: the first quarter of the head turns with the row, the second with the column, then again. */
export function visionRotary(grid: PatchGrid, merge: number, headDim: number): { readonly cos: Float32Array; readonly sin: Float32Array } {
  const { rows, columns } = patchPositions(grid, merge);
  const quarter = headDim / 4;
  const cos = new Float32Array(rows.length * headDim);
  const sin = new Float32Array(rows.length * headDim);
  for (let i = 0; i < rows.length; i++)
    for (let d = 0; d < headDim; d++) {
      const pair = d % (headDim / 2);
      const position = (pair < quarter ? rows[i] : columns[i]) ?? 0;
      const angle = position * 10000 ** (-(pair % quarter) / quarter);
      cos[i * headDim + d] = Math.cos(angle);
      sin[i * headDim + d] = Math.sin(angle);
    }
  return { cos, sin };
}

/** Merged tokens (raster indices) of each window, windows in raster order; those at the right and bottom may be smaller. */
export function windows(grid: PatchGrid, { patch, merge, window }: VisionGeometry): number[][] {
  const side = Math.floor(window / merge / patch);
  const [gh, gw] = [grid.h / merge, grid.w / merge];
  const result: number[][] = [];
  for (let top = 0; top < gh; top += side)
    for (let left = 0; left < gw; left += side) {
      const members: number[] = [];
      for (let y = top; y < Math.min(gh, top + side); y++) for (let x = left; x < Math.min(gw, left + side); x++) members.push(y * gw + x);
      result.push(members);
    }
  return result;
}

/** Attention windows as rows of equal length, for batched attention. */
export interface WindowBatch {
  readonly count: number;
  /** Patches of the largest window. */
  readonly length: number;
  /** Patch at each place, [count · length]; 0 where a smaller window is padded. */
  readonly gather: BigInt64Array;
  /** Place of each patch, [patches]. */
  readonly scatter: BigInt64Array;
  /** Added to the scores of each key, [count · length]: 0, or {@link MASKED} where padded. */
  readonly mask: Float32Array;
}

/** Added to a score to hide a key: exp underflows to exactly 0 in fp32. */
export const MASKED = -1e30;

/** Batches the windows of one picture. Patches stay in merge order outside the attention. */
export function windowBatch(grid: PatchGrid, geometry: VisionGeometry): WindowBatch {
  const all = windows(grid, geometry);
  const perToken = geometry.merge ** 2;
  const length = Math.max(...all.map((w) => w.length)) * perToken;
  const gather = new BigInt64Array(all.length * length);
  const scatter = new BigInt64Array(grid.h * grid.w);
  const mask = new Float32Array(all.length * length).fill(MASKED);
  all.forEach((members, i) => {
    members.forEach((token, j) => {
      for (let k = 0; k < perToken; k++) {
        const place = i * length + j * perToken + k;
        gather[place] = BigInt(token * perToken + k);
        scatter[token * perToken + k] = BigInt(place);
        mask[place] = 0;
      }
    });
  });
  return { count: all.length, length, gather, scatter, mask };
}
