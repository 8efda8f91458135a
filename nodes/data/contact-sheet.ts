import { f32 } from "../../engine/tensor/tensor.ts";
import type { Example, Face, Image } from "../shared/contracts/data.ts";
import { upscale } from "../shared/pictures/resize/upscale.ts";
import { sizeOfImage } from "./dataset-picture.ts";

const CELL = 128;
const GAP = 4;
/** Rows side by side. */
const COLUMNS = 3;
const GREEN = [0.1, 0.7, 0.2];
const RED = [0.9, 0.1, 0.1];
const BLUE = [0.1, 0.4, 0.9];

/** References and target of each example, faces framed; the frame of a target is red where something is wrong. [1, height, width, 3] */
export function contactSheet(rows: readonly { readonly example: Example; readonly isOk: boolean }[]): Image {
  const most = Math.max(1, ...rows.map(({ example }) => example.references.length));
  const rowWidth = (most + 1) * (CELL + GAP) + 2 * GAP;
  const width = Math.min(COLUMNS, rows.length) * rowWidth;
  const height = Math.ceil(rows.length / COLUMNS) * (CELL + GAP) + GAP;
  const data = new Float32Array(width * height * 3).fill(1);
  for (const [k, { example, isOk }] of rows.entries()) {
    const [left, top] = [(k % COLUMNS) * rowWidth + GAP, Math.floor(k / COLUMNS) * (CELL + GAP) + GAP];
    const put = (image: Image, at: number, faces: readonly Face[], frame?: readonly number[]) =>
      place(data, width, image, left + at * (CELL + GAP), top, faces, frame);
    for (const [r, reference] of example.references.entries()) {
      const face = example.referenceFaces[r];
      put(reference, r, face ? [face] : []);
    }
    put(example.target, most, example.targetFaces, isOk ? GREEN : RED);
  }
  return f32([1, height, width, 3], data);
}

/** A picture whole in a cell, its faces framed in blue. */
function place(
  data: Float32Array,
  width: number,
  image: Image,
  x: number,
  y: number,
  faces: readonly Face[],
  frame: readonly number[] | undefined,
): void {
  const size = sizeOfImage(image);
  const scale = CELL / Math.max(size.width, size.height);
  const [w, h] = [Math.max(1, Math.round(size.width * scale)), Math.max(1, Math.round(size.height * scale))];
  const small = upscale(image, { width: w, height: h }, "area", "disabled");
  for (let row = 0; row < h; row++) data.set(small.data.subarray(row * w * 3, (row + 1) * w * 3), ((y + row) * width + x) * 3);
  const line = (x0: number, y0: number, x1: number, y1: number, colour: readonly number[]): void => {
    const dot = (px: number, py: number) => {
      if (px >= 0 && py >= 0 && px < w && py < h) data.set(colour, ((y + py) * width + x + px) * 3);
    };
    for (let px = x0; px <= x1; px++) for (const py of [y0, y1]) dot(px, py);
    for (let py = y0; py <= y1; py++) for (const px of [x0, x1]) dot(px, py);
  };
  for (const { box } of faces) {
    const [a, b, c, d] = box.map((v) => Math.round(v * scale));
    line(a ?? 0, b ?? 0, c ?? 0, d ?? 0, BLUE);
  }
  if (frame) line(0, 0, w - 1, h - 1, frame);
}
