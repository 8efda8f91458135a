import type { Attrs } from "../ir/value.ts";
import { choice, floatType, num, oneDType, ref, typeError } from "./check.ts";
import { defineOp, type OpRow } from "./define-op.ts";
import { uniform } from "./draw.ts";
import { gridSampleRule } from "./grid-sample-gradient.ts";
import { at, build } from "./reference.ts";

/** Pixel coordinate of a normalised one. */
export function unnormalise(g: number, size: number, attrs: Attrs): number {
  return num(attrs, "align_corners", 0) ? ((g + 1) / 2) * (size - 1) : ((g + 1) * size - 1) / 2;
}

const GridSample = defineOp({
  name: "GridSample",
  infer: (inputs, attrs) => {
    const [x, grid] = [floatType("GridSample", inputs, 0), floatType("GridSample", inputs, 1)];
    if (x.shape.length !== 4 || grid.shape.length !== 4 || grid.shape[3] !== 2 || grid.shape[0] !== x.shape[0])
      throw typeError("GridSample", inputs, "needs x [N,C,H,W] and a grid [N,H',W',2]");
    choice(attrs, "mode", ["linear"]);
    choice(attrs, "padding_mode", ["zeros", "border"]);
    return [{ dtype: oneDType("GridSample", inputs), shape: [x.shape[0] ?? 1, x.shape[1] ?? 1, grid.shape[1] ?? 1, grid.shape[2] ?? 1] }];
  },
  reference: (inputs, attrs) => {
    const [x, grid] = [ref(inputs, 0), ref(inputs, 1)];
    const [, , h = 1, w = 1] = x.shape;
    const border = choice(attrs, "padding_mode", ["zeros", "border"]) === "border";
    return [
      build([x.shape[0] ?? 1, x.shape[1] ?? 1, grid.shape[1] ?? 1, grid.shape[2] ?? 1], (c) => {
        const [n = 0, ch = 0, i = 0, j = 0] = c;
        let px = unnormalise(at(grid, [n, i, j, 0]), w, attrs);
        let py = unnormalise(at(grid, [n, i, j, 1]), h, attrs);
        if (border) [px, py] = [Math.min(w - 1, Math.max(0, px)), Math.min(h - 1, Math.max(0, py))];
        const [x0, y0] = [Math.floor(px), Math.floor(py)];
        let sum = 0;
        for (const dy of [0, 1])
          for (const dx of [0, 1]) {
            const weight = (dx ? px - x0 : 1 - (px - x0)) * (dy ? py - y0 : 1 - (py - y0));
            const [sy, sx] = [y0 + dy, x0 + dx];
            if (sy >= 0 && sy < h && sx >= 0 && sx < w) sum += weight * at(x, [n, ch, sy, sx]);
          }
        return sum;
      }),
    ];
  },
  vjp: gridSampleRule,
  samples: (rng) => [
    {
      inputs: [uniform(rng, [2, 3, 4, 5]), uniform(rng, [2, 3, 2, 2], -1.3, 1.3)],
      attrs: { mode: "linear", padding_mode: "zeros", align_corners: 0 },
    },
    {
      inputs: [uniform(rng, [1, 2, 5, 3]), uniform(rng, [1, 4, 4, 2], -1.3, 1.3)],
      attrs: { mode: "linear", padding_mode: "zeros", align_corners: 1 },
    },
    {
      inputs: [uniform(rng, [1, 2, 3, 3]), uniform(rng, [1, 3, 3, 2], -1.3, 1.3)],
      attrs: { mode: "linear", padding_mode: "border", align_corners: 0 },
    },
    {
      inputs: [uniform(rng, [1, 1, 1, 1]), uniform(rng, [1, 1, 1, 2], -0.9, 0.9)],
      attrs: { mode: "linear", padding_mode: "zeros", align_corners: 0 },
    },
  ],
});

export const gridSamples: readonly OpRow[] = [GridSample];
