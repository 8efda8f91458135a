import { implementNode } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import declaration from "./grow-mask.node.ts";

export default implementNode(declaration, {
  run({ mask, expand, tapered_corners }) {
    const [h = 0, w = 0] = mask.shape.slice(-2);
    const count = mask.data.length / (h * w);
    const pick = expand < 0 ? Math.min : Math.max;
    const near = tapered_corners
      ? [
          [0, 0],
          [0, 1],
          [0, -1],
          [1, 0],
          [-1, 0],
        ]
      : [-1, 0, 1].flatMap((dy) => [-1, 0, 1].map((dx) => [dy, dx]));
    let data = mask.data;
    // More rounds than the mask has pixels would change nothing.
    for (let round = 0; round < Math.min(Math.abs(expand), h + w); round++) {
      const from = data;
      data = new Float32Array(from.length);
      for (let m = 0; m < count; m++)
        for (let y = 0; y < h; y++)
          for (let x = 0; x < w; x++) {
            let value = from[(m * h + y) * w + x] ?? 0;
            for (const [dy = 0, dx = 0] of near) {
              const [i, j] = [y + dy, x + dx];
              if (i >= 0 && i < h && j >= 0 && j < w) value = pick(value, from[(m * h + i) * w + j] ?? 0);
            }
            data[(m * h + y) * w + x] = value;
          }
    }
    return { MASK: f32([count, h, w], data) };
  },
});
