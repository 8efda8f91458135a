import { roundHalfEven } from "../../engine/base/round-half-even.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { batchOf, pictureOf } from "../shared/pictures/picture.ts";
import declaration from "./canny.node.ts";

/** Neighbours in steps of 45°, from the right by the bottom round to the top right. */
const ROUND = [
  [1, 0],
  [1, 1],
  [0, 1],
  [-1, 1],
  [-1, 0],
  [-1, -1],
  [0, -1],
  [1, -1],
] as const;
/** exp(−x²/2) over its sum, five wide. */
const BELL = [-2, -1, 0, 1, 2].map((x) => Math.exp(-(x * x) / 2)).map((v, _, all) => v / all.reduce((a, b) => a + b, 0));

export default implementNode(declaration, {
  run({ image, low_threshold, high_threshold }) {
    const out = new Float32Array(image.data.length);
    for (let i = 0, at = 0; i < batchOf(image); i++) {
      const { data, height, width } = pictureOf(image, i);
      for (const edge of edges(data, width, height, low_threshold, high_threshold)) for (let c = 0; c < 3; c++) out[at++] = edge;
    }
    return { IMAGE: f32(image.shape, out) };
  },
});

/** 0 or 1 for each pixel: Canny 1986, with kornia's filters, borders and rounding, which ComfyUI's node uses. */
function edges(rgb: Float32Array, width: number, height: number, low: number, high: number): Uint8Array {
  const grey = Float32Array.from({ length: width * height }, (_, i) => {
    const [r = 0, g = 0, b = 0] = rgb.subarray(3 * i, 3 * i + 3);
    return 0.299 * r + 0.587 * g + 0.114 * b;
  });
  const smooth = blurred(blurred(grey, width, height, 1, 0), width, height, 0, 1);
  const at = (values: Float32Array, x: number, y: number): number =>
    values[Math.min(height - 1, Math.max(0, y)) * width + Math.min(width - 1, Math.max(0, x))] ?? 0;
  const strength = new Float32Array(grey.length);
  const direction = new Uint8Array(grey.length);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) {
      const s = (dx: number, dy: number): number => at(smooth, x + dx, y + dy);
      const gx = s(1, -1) + 2 * s(1, 0) + s(1, 1) - s(-1, -1) - 2 * s(-1, 0) - s(-1, 1);
      const gy = s(-1, 1) + 2 * s(0, 1) + s(1, 1) - s(-1, -1) - 2 * s(0, -1) - s(1, -1);
      strength[i] = Math.sqrt(gx * gx + gy * gy + 1e-6);
      direction[i] = (roundHalfEven((Math.atan2(gy, gx) * 4) / Math.PI) + 8) % 8;
    }
  const isRidge = (x: number, y: number, i: number): boolean =>
    [direction[i] ?? 0, ((direction[i] ?? 0) + 4) % 8].every((d) => {
      const [dx, dy] = ROUND[d] ?? [0, 0];
      const inside = x + dx >= 0 && x + dx < width && y + dy >= 0 && y + dy < height;
      return (strength[i] ?? 0) > (inside ? (strength[i + dy * width + dx] ?? 0) : 0);
    });
  const weak = new Uint8Array(grey.length);
  const edge = new Uint8Array(grey.length);
  const open: number[] = [];
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) {
      if (!((strength[i] ?? 0) > low) || !isRidge(x, y, i)) continue;
      weak[i] = 1;
      if (!((strength[i] ?? 0) > high)) continue;
      edge[i] = 1;
      open.push(i);
    }
  for (let i = open.pop(); i !== undefined; i = open.pop())
    for (const [dx, dy] of ROUND) {
      const [x, y] = [(i % width) + dx, Math.floor(i / width) + dy];
      const j = y * width + x;
      if (x < 0 || y < 0 || x >= width || y >= height || !weak[j] || edge[j]) continue;
      edge[j] = 1;
      open.push(j);
    }
  return edge;
}

/** One pass of the bell along x or y, mirrored at the border. */
function blurred(values: Float32Array, width: number, height: number, dx: 0 | 1, dy: 0 | 1): Float32Array {
  const mirror = (i: number, size: number): number => {
    const turned = i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i;
    return Math.min(size - 1, Math.max(0, turned));
  };
  const out = new Float32Array(values.length);
  for (let y = 0, i = 0; y < height; y++)
    for (let x = 0; x < width; x++, i++) {
      let sum = 0;
      BELL.forEach((weight, k) => {
        sum += weight * (values[mirror(y + dy * (k - 2), height) * width + mirror(x + dx * (k - 2), width)] ?? 0);
      });
      out[i] = sum;
    }
  return out;
}
