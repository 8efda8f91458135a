// Where BlazeFace looks in a picture, and how what it saw is put together.

import type { Point } from "../shared/contracts/data.ts";
import { applyAffine } from "../shared/pictures/affine.ts";
import type { ImagePyramid } from "../shared/pictures/warp-image.ts";
import { decodeBlazeFace } from "./blazeface-decode.ts";
import { type Box, iou, longSide, suppress } from "./box.ts";
import { type Square, squareAround, squareToSource } from "./face-square.ts";
import type { Look } from "./square-net.ts";

/** Width and height of what BlazeFace sees. */
export const BLAZEFACE_SIZE = 256;
/** Boxes that share more than this part of their union are one face. */
const NMS_IOU = 0.3;
/** A box that lies in another by more than this part of the smaller one is the same face, or a feature of it. */
const NMS_INSIDE = 0.7;

/** A second look must agree: score of the second sighting times its overlap with the first. Faces stay above it, things that look like faces below. */
const AGREEMENT = 0.35;

/** A face as BlazeFace sees it, in picture coordinates. */
export interface Sighting {
  readonly box: Box;
  readonly score: number;
  readonly eyes: readonly [Point, Point];
  readonly mouth: Point;
}

/** What BlazeFace sees in one upright square of the picture. */
export async function lookAt(look: Look, picture: ImagePyramid, square: Square, minScore: number): Promise<Sighting[]> {
  const toSource = squareToSource(square, BLAZEFACE_SIZE);
  const outputs = await look(picture.warp(toSource, BLAZEFACE_SIZE, BLAZEFACE_SIZE));
  const place = ([x, y]: Point): Point => applyAffine(toSource, [x * BLAZEFACE_SIZE, y * BLAZEFACE_SIZE]);
  const sightings = decodeBlazeFace(outputs("scores"), outputs("boxes"), minScore).map(({ score, box, keypoints }): Sighting => {
    const point = (i: number): Point => place(keypoints[i] ?? [Number.NaN, Number.NaN]);
    return { score, box: [...place([box[0], box[1]]), ...place([box[2], box[3]])], eyes: [point(0), point(1)], mouth: point(3) };
  });
  return suppress(sightings, NMS_IOU);
}

/**
 * Every face of a picture. BlazeFace knows faces of about 1/12 to 1/2 of its view, so it looks several times: at the whole; from
 * further away when a face is large or none was found (tight crops are misplaced otherwise); at overlapping tiles, until a
 * face of `minSize` pixels is large enough in the view; and once more, close up, at each face, to confirm it and for exact eyes.
 */
export async function searchFaces(look: Look, picture: ImagePyramid, minScore: number, minSize: number): Promise<Sighting[]> {
  const { width, height } = picture.levels[0];
  const side = Math.max(width, height);
  const whole: Square = { centre: [width / 2, height / 2], side, angle: 0 };
  let found = await lookAt(look, picture, whole, minScore);
  if (found.length === 0 || found.some((f) => longSide(f.box) > 0.25 * side)) {
    const further = await lookAt(look, picture, { ...whole, side: 1.6 * side }, minScore);
    found = [...further, ...found.filter((f) => further.every((g) => iou(f.box, g.box) <= NMS_IOU))];
  }
  // Tiles see things without their surroundings: they must be surer.
  const tileScore = minScore + 0.2 * (1 - minScore);
  for (const tile of tilesOf(width, height, minSize))
    for (const f of await lookAt(look, picture, tile, tileScore)) if (!isCut(f.box, tile, width, height)) found.push(f);
  const seen: Sighting[] = [];
  for (const far of suppress(found, NMS_IOU, NMS_INSIDE)) {
    const near = await lookCloser(look, picture, far, Math.min(AGREEMENT, 0.7 * minScore));
    // A large face was seen well the first time.
    if (near) seen.push(longSide(far.box) < side / 5 ? near : far);
  }
  return suppress(seen, NMS_IOU, NMS_INSIDE);
}

/**
 * The overlapping tiles, level by level: in the last one a face of `minSize` pixels fills 1/13 of the view, and no level is
 * less than a fifth as wide as the one before.
 */
export function tilesOf(width: number, height: number, minSize: number): Square[] {
  const tiles: Square[] = [];
  const side = Math.max(width, height);
  const last = 13 * minSize;
  const levels = Math.ceil(Math.log(side / last) / Math.log(5));
  for (let level = 1; level <= levels; level++) {
    const view = side * (last / side) ** (level / levels);
    const xs = centres(width, view);
    for (const y of centres(height, view)) for (const x of xs) tiles.push({ centre: [x, y], side: view, angle: 0 });
  }
  return tiles;
}

/** Evenly spread views over a length, each sharing at least a quarter with the next. */
function centres(length: number, view: number): number[] {
  const n = Math.max(1, Math.ceil((length - view) / (0.75 * view) - 1e-9) + 1);
  return Array.from({ length: n }, (_, i) => (n === 1 ? length / 2 : view / 2 + (i * (length - view)) / (n - 1)));
}

/** True when a box reaches an edge of the tile that is not an edge of the picture: the face goes on, and another tile has the whole of it. */
function isCut(box: Box, { centre: [x, y], side }: Square, width: number, height: number): boolean {
  const [left, top, right, bottom] = [x - side / 2, y - side / 2, x + side / 2, y + side / 2];
  return (
    (left > 0 && box[0] <= left) ||
    (top > 0 && box[1] <= top) ||
    (right < width && box[2] >= right) ||
    (bottom < height && box[3] >= bottom)
  );
}

/** The same face from close by, where it fills a third of the view; undefined when the two sightings do not agree. */
async function lookCloser(look: Look, picture: ImagePyramid, far: Sighting, agreement: number): Promise<Sighting | undefined> {
  let best: Sighting | undefined;
  let highest = agreement;
  for (const near of await lookAt(look, picture, squareAround(far.box, 3), agreement)) {
    const agreed = near.score * iou(near.box, far.box);
    if (agreed < highest) continue;
    highest = agreed;
    best = { ...near, score: Math.max(near.score, far.score) };
  }
  return best;
}
