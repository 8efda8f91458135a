import { implementNode } from "../../engine/node/define-node.ts";
import type { PictureSize } from "../shared/pictures/resize/size.ts";
import { upscale } from "../shared/pictures/resize/upscale.ts";
import declaration from "./flux-kontext-image-scale.node.ts";

/** Width and height, from tall to wide. */
const SIZES: readonly (readonly [width: number, height: number])[] = [
  [672, 1568],
  [688, 1504],
  [720, 1456],
  [752, 1392],
  [800, 1328],
  [832, 1248],
  [880, 1184],
  [944, 1104],
  [1024, 1024],
  [1104, 944],
  [1184, 880],
  [1248, 832],
  [1328, 800],
  [1392, 752],
  [1456, 720],
  [1504, 688],
  [1568, 672],
];

/** The size with the nearest aspect; of two equally near, the narrower. */
export function kontextSize(width: number, height: number): PictureSize {
  let best: PictureSize = { width: 1024, height: 1024 };
  let distance = Number.POSITIVE_INFINITY;
  for (const [w, h] of SIZES) {
    const d = Math.abs(width / height - w / h);
    if (d >= distance) continue;
    distance = d;
    best = { width: w, height: h };
  }
  return best;
}

export default implementNode(declaration, {
  run({ image }) {
    const [, h = 1, w = 1] = image.shape;
    return { IMAGE: upscale(image, kontextSize(w, h), "lanczos", "center") };
  },
});
