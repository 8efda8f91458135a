// 3-D rotary positions of Qwen2.5-VL (mrope) and the causal mask: data fed to the graph.
import type { PatchGrid } from "./vision/windows.ts";
import { MASKED } from "./vision/windows.ts";

/** The sequence as runs: some text tokens, or the merged tokens of one picture. */
export type Run = { readonly kind: "text"; readonly length: number } | { readonly kind: "image"; readonly grid: PatchGrid };

/**
 * [3][tokens]: frame, row, column. Text counts up on all three; a picture's tokens stay at one frame s with (s + y, s + x) in
 * raster order; the text after it continues at s + max(height, width) (transformers, `Qwen2_5_VLModel.get_rope_index`).
 */
export function mropePositions(runs: readonly Run[], merge = 2): readonly [number[], number[], number[]] {
  const t: number[] = [];
  const h: number[] = [];
  const w: number[] = [];
  let next = 0;
  for (const run of runs) {
    if (run.kind === "text") {
      for (let i = 0; i < run.length; i++, next++) {
        t.push(next);
        h.push(next);
        w.push(next);
      }
      continue;
    }
    const [rows, columns] = [run.grid.h / merge, run.grid.w / merge];
    for (let y = 0; y < rows; y++)
      for (let x = 0; x < columns; x++) {
        t.push(next);
        h.push(next + y);
        w.push(next + x);
      }
    next += Math.max(rows, columns);
  }
  return [t, h, w];
}

/**
 * cos and sin [tokens, headDim] in fp32. Pair j of the headDim/2 turns with the axis its section says, by theta^(−2j/headDim);
 * both halves of the head hold the same angles (rotate_half).
 * @param sections pairs per axis, e.g. [16, 24, 24]
 */
export function mropeRotary(
  positions: readonly (readonly number[])[],
  headDim: number,
  sections: readonly number[],
  theta: number,
): { readonly cos: Float32Array; readonly sin: Float32Array } {
  const half = headDim / 2;
  const axes = sections.flatMap((pairs, axis) => new Array<number>(pairs).fill(axis));
  const tokens = positions[0]?.length ?? 0;
  const cos = new Float32Array(tokens * headDim);
  const sin = new Float32Array(tokens * headDim);
  for (let i = 0; i < tokens; i++)
    for (let j = 0; j < half; j++) {
      const angle = (positions[axes[j] ?? 0]?.[i] ?? 0) * theta ** (-j / half);
      for (const at of [i * headDim + j, i * headDim + half + j]) {
        cos[at] = Math.cos(angle);
        sin[at] = Math.sin(angle);
      }
    }
  return { cos, sin };
}

/** [n, n], 0 on and below the diagonal, a number that hides the key above it. */
export function causalMask(n: number): Float32Array {
  const mask = new Float32Array(n * n);
  for (let i = 0; i < n; i++) mask.fill(MASKED, i * n + i + 1, (i + 1) * n);
  return mask;
}
