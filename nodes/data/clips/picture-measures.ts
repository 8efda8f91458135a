import { f32 } from "../../../engine/tensor/tensor.ts";
import type { Face, Image } from "../../shared/contracts/data.ts";
import { areaResize } from "../../shared/pictures/resize/area.ts";

/** Side at which sharpness is measured: a large blurred face must not pass for a small sharp one. */
const SIDE = 112;

function grey(image: Image): Float64Array {
  const n = image.data.length / 3;
  return Float64Array.from(
    { length: n },
    (_, i) => 0.299 * (image.data[3 * i] ?? 0) + 0.587 * (image.data[3 * i + 1] ?? 0) + 0.114 * (image.data[3 * i + 2] ?? 0),
  );
}

/** A part of a picture, cut at its edges; empty outside of it. */
function part(image: Image, [x0, y0, x1, y1]: Face["box"]): Image | undefined {
  const [, h = 0, w = 0] = image.shape;
  const [left, top, right, bottom] = [
    Math.max(0, Math.floor(x0)),
    Math.max(0, Math.floor(y0)),
    Math.min(w, Math.ceil(x1)),
    Math.min(h, Math.ceil(y1)),
  ];
  if (right <= left || bottom <= top) return undefined;
  const [width, height] = [right - left, bottom - top];
  const out = new Float32Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    const from = ((top + y) * w + left) * 3;
    out.set(image.data.subarray(from, from + width * 3), y * width * 3);
  }
  return f32([1, height, width, 3], out);
}

/** Variance of the Laplacian of a face's grey values (0..255) at 112²: about 500 for sharp photographs, below 50 for blurred ones. */
export function sharpness(image: Image, box: Face["box"]): number {
  const face = part(image, box);
  if (!face) return 0;
  const g = grey(areaResize(face, { width: SIDE, height: SIDE }));
  const at = (x: number, y: number) => 255 * (g[y * SIDE + x] ?? 0);
  let [sum, squares, n] = [0, 0, 0];
  for (let y = 1; y < SIDE - 1; y++)
    for (let x = 1; x < SIDE - 1; x++) {
      const v = at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1) - 4 * at(x, y);
      sum += v;
      squares += v * v;
      n++;
    }
  return squares / n - (sum / n) ** 2;
}

/** 64 bits, in hexadecimal: of 9 × 8 grey cells, whether each is darker than its right neighbour. Near duplicates differ in a few. */
export function differenceHash(image: Image): string {
  const g = grey(areaResize(image, { width: 9, height: 8 }));
  let bits = 0n;
  for (let y = 0; y < 8; y++) for (let x = 0; x < 8; x++) bits = (bits << 1n) | ((g[y * 9 + x] ?? 0) < (g[y * 9 + x + 1] ?? 0) ? 1n : 0n);
  return bits.toString(16).padStart(16, "0");
}

/** 8 × 8 cells of mean red, green and blue, a byte each, in hexadecimal. */
export function thumbnail(image: Image): string {
  return Buffer.from(areaResize(image, { width: 8, height: 8 }).data.map((x) => Math.round(255 * x))).toString("hex");
}

/** Bits in which two hashes differ, 0..64. */
export function hashDistance(a: string, b: string): number {
  let different = BigInt(`0x${a}`) ^ BigInt(`0x${b}`);
  let count = 0;
  for (; different > 0n; different >>= 1n) count += Number(different & 1n);
  return count;
}
