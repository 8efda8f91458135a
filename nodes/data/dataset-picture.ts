// One picture of a dataset: read, put on a colour where it is transparent, and brought to the size that is trained on.

import { sha256 } from "../../engine/base/hash.ts";
import { roundHalfEven } from "../../engine/base/round-half-even.ts";
import type { NodeContext } from "../../engine/node/context.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import type { Face, Image } from "../shared/contracts/data.ts";
import { decodePicture } from "../shared/pictures/codec.ts";
import { imageOfBytes } from "../shared/pictures/picture-bytes.ts";
import type { PictureSize } from "../shared/pictures/resize/size.ts";
import { upscale } from "../shared/pictures/resize/upscale.ts";

/** Sizes are multiples of this: a token of every model here. */
const STEP = 16;
/** Most elongated bucket, as width / height or the inverse. */
const MAX_ASPECT = 2.5;
/** Side of the square round a face, in sides of its box: head and shoulders. */
const FACE_MARGIN = 2.5;

export interface WholePicture {
  /** [1, height, width, 3], as large as the file. */
  readonly image: Image;
  /** sha256 of the file. */
  readonly content: string;
  readonly isTransparent: boolean;
  /** What a person should know of the file. */
  readonly notes: readonly string[];
}

/** @param background `#rrggbb`, behind what is transparent @throws AppError IMAGE_*, INPUT_* */
export async function readWhole(readInput: NodeContext["readInput"], name: string, background: string): Promise<WholePicture> {
  const bytes = await readInput(name);
  const { width, height, rgb, alpha, notes } = await decodePicture(bytes, name);
  const isTransparent = alpha?.some((a) => a < 255) ?? false;
  const colour = [1, 3, 5].map((at) => Number.parseInt(background.slice(at, at + 2), 16));
  const flat = alpha && isTransparent ? rgb.map((x, i) => onto(x, colour[i % 3] ?? 0, alpha[Math.floor(i / 3)] ?? 255)) : rgb;
  return { image: imageOfBytes(flat, width, height), content: sha256(bytes), isTransparent, notes };
}

function onto(x: number, behind: number, alpha: number): number {
  return Math.round((x * alpha + behind * (255 - alpha)) / 255);
}

export function sizeOfImage({ shape: [, height = 0, width = 0] }: Image): PictureSize {
  return { width, height };
}

/** The bucket of a picture: of all sizes in steps of 16 with about as many pixels as `wanted`, the one nearest to its aspect. */
export function bucketOf(picture: PictureSize, wanted: PictureSize): PictureSize {
  const area = wanted.width * wanted.height;
  const aspect = Math.min(MAX_ASPECT, Math.max(1 / MAX_ASPECT, picture.width / picture.height));
  const snap = (side: number) => Math.max(STEP, Math.round(side / STEP) * STEP);
  let best = { width: snap(wanted.width), height: snap(wanted.height) };
  let error = Number.POSITIVE_INFINITY;
  const middle = snap(Math.sqrt(area * aspect));
  for (let width = Math.max(STEP, middle - 4 * STEP); width <= middle + 4 * STEP; width += STEP) {
    const height = Math.max(STEP, Math.floor(area / width / STEP) * STEP);
    const off = Math.abs(Math.log(width / height / aspect)) + Math.abs(Math.log((width * height) / area));
    if (off < error) [error, best] = [off, { width, height }];
  }
  return best;
}

/** A part of a picture at another size: a point (x, y) of the picture is at ((x − left)·scaleX, (y − top)·scaleY) of it. */
export interface Placed {
  readonly image: Image;
  readonly left: number;
  readonly top: number;
  readonly scaleX: number;
  readonly scaleY: number;
}

/** Fills a size; what does not fit its aspect is cut at both ends alike. */
export function cutTo(image: Image, size: PictureSize): Placed {
  const { width, height } = sizeOfImage(image);
  const aspect = size.width / size.height;
  // As the resize cuts.
  const left = width / height > aspect ? roundHalfEven((width - height * aspect) / 2) : 0;
  const top = width / height < aspect ? roundHalfEven((height - width / aspect) / 2) : 0;
  return {
    image: upscale(image, size, "lanczos", "center"),
    left,
    top,
    scaleX: size.width / (width - 2 * left),
    scaleY: size.height / (height - 2 * top),
  };
}

/** The whole picture at about side² pixels, both sides multiples of 16. */
export function keptWhole(image: Image, side: number): Image {
  const { width, height } = sizeOfImage(image);
  const scale = side / Math.sqrt(width * height);
  const snap = (x: number) => Math.max(STEP, Math.round((x * scale) / STEP) * STEP);
  return upscale(image, { width: snap(width), height: snap(height) }, "lanczos", "disabled");
}

/** The square round a face: head and shoulders, inside the picture. */
export function cutRoundFace(image: Image, { box: [x0, y0, x1, y1] }: Pick<Face, "box">, side: number): Placed {
  const { width, height } = sizeOfImage(image);
  const square = Math.min(width, height, Math.ceil(FACE_MARGIN * Math.max(x1 - x0, y1 - y0)));
  const left = Math.round(Math.min(width - square, Math.max(0, (x0 + x1 - square) / 2)));
  const top = Math.round(Math.min(height - square, Math.max(0, (y0 + y1 - square) / 2)));
  const out = new Float32Array(square * square * 3);
  for (let y = 0; y < square; y++) {
    const from = ((top + y) * width + left) * 3;
    out.set(image.data.subarray(from, from + square * 3), y * square * 3);
  }
  const scale = side / square;
  return {
    image: upscale(f32([1, square, square, 3], out), { width: side, height: side }, "lanczos", "disabled"),
    left,
    top,
    scaleX: scale,
    scaleY: scale,
  };
}
