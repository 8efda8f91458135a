// Where BlazeFace looks in a picture, and how its detections are merged.

import type { Point } from "../shared/contracts/data.ts";
import { type Affine, applyAffine } from "../shared/pictures/affine.ts";
import type { ImagePyramid } from "../shared/pictures/warp-image.ts";
import { decodeBlazeFace } from "./blazeface-decode.ts";
import { type Box, iou, longSide, suppress } from "./box.ts";
import { type Square, squareAround, squareToSource } from "./face-square.ts";
import type { Look } from "./square-net.ts";

/** Width and height of BlazeFace's input. */
export const BLAZEFACE_SIZE = 256;
/** Boxes that share more than this part of their union are one face. */
const NMS_IOU = 0.3;
/** A box that lies in another by more than this part of the smaller one is the same face, or a feature of it. */
const NMS_INSIDE = 0.7;

/** A second look must agree: score of the second sighting times its overlap with the first. Faces stay above it. */
const AGREEMENT = 0.35;
/** Part of that agreement from which a third look is worth it. */
const BESIDE = 0.5;
/** The least score that is worth comparing with another sighting. */
const FAINT = 0.05;
/** Part of the least score that is enough for a box that leaves the picture. */
const CUT = 0.7;
/** What surrounds the picture where a face leaves it: against black, half a face is overlooked. Used elsewhere, it makes more things look like faces. */
const GREY = 0.5;

/** A face that BlazeFace has found, in picture coordinates. */
export interface Sighting {
  readonly box: Box;
  /** The higher one of both looks. */
  readonly score: number;
  readonly eyes: readonly [Point, Point];
  readonly mouth: Point;
  /** Score of the first look, and how well the second one agreed with it: both 0..1. */
  readonly first: number;
  readonly agreement: number;
  /** The box as the second look saw it. */
  readonly close: Box;
}

type Seen = Omit<Sighting, "first" | "agreement" | "close">;

export interface Search {
  readonly minScore: number;
  /** Longer side of the smallest face to look for, in pixels. */
  readonly minSize: number;
  /** How far the people in the picture are turned, clockwise in radians: a multiple of a right angle. */
  readonly turn: number;
}

/** How BlazeFace looks at a square: at its mirror image; with a grey of 0..1 instead of black round the picture. */
interface Way {
  readonly isMirrored?: boolean;
  readonly outside?: number;
}

/** What BlazeFace sees in one square of the picture, upright or turned by right angles. */
export async function lookAt(look: Look, picture: ImagePyramid, square: Square, minScore: number, way: Way = {}): Promise<Seen[]> {
  const { isMirrored = false, outside = 0 } = way;
  const straight = squareToSource(square, BLAZEFACE_SIZE);
  const [a, b, tx, c, d, ty] = straight;
  const toSource: Affine = isMirrored ? [-a, b, tx + a * BLAZEFACE_SIZE, -c, d, ty + c * BLAZEFACE_SIZE] : straight;
  const outputs = await look(picture.warp(toSource, BLAZEFACE_SIZE, BLAZEFACE_SIZE, outside));
  const place = ([x, y]: Point): Point => applyAffine(toSource, [x * BLAZEFACE_SIZE, y * BLAZEFACE_SIZE]);
  const sightings = decodeBlazeFace(outputs("scores"), outputs("boxes"), minScore).map(({ score, box, keypoints }): Seen => {
    const point = (i: number): Point => place(keypoints[i] ?? [Number.NaN, Number.NaN]);
    const [[x0, y0], [x1, y1]] = [place([box[0], box[1]]), place([box[2], box[3]])];
    return {
      score,
      box: [Math.min(x0, x1), Math.min(y0, y1), Math.max(x0, x1), Math.max(y0, y1)],
      eyes: isMirrored ? [point(1), point(0)] : [point(0), point(1)],
      mouth: point(3),
    };
  });
  return suppress(sightings, NMS_IOU);
}

/**
 * Every face of a picture. BlazeFace knows faces of about 1/12 to 1/2 of its view, so it looks several times: at the whole; from
 * further away when a face is large or none was found (tight crops are misplaced otherwise); at overlapping tiles, until a
 * face of `minSize` pixels is large enough in the view; and once more, close up, at each face, to confirm it and for exact eyes.
 */
export async function searchFaces(look: Look, picture: ImagePyramid, { minScore, minSize, turn }: Search): Promise<Sighting[]> {
  const { width, height } = picture.levels[0];
  const side = Math.max(width, height);
  const whole: Square = { centre: [width / 2, height / 2], side, angle: turn };
  // Those whom the border cuts look less like a face at first.
  const see = async (view: Square, least: number, outside = 0): Promise<Seen[]> =>
    (await lookAt(look, picture, view, CUT * least, { outside })).filter((f) => f.score >= least || leaves(f.box, picture));
  let found = await see(whole, minScore);
  if (found.length === 0 || found.some((f) => longSide(f.box) > 0.25 * side)) {
    const view = { ...whole, side: 1.6 * side };
    let further = await see(view, minScore);
    if (found.length + further.length === 0) further = await see(view, minScore, GREY);
    found = [...further, ...found.filter((f) => further.every((g) => iou(f.box, g.box) <= NMS_IOU))];
  }
  // Tiles show things without their surroundings, so their scores must be higher.
  const tileScore = minScore + 0.2 * (1 - minScore);
  for (const tile of tilesOf(width, height, minSize))
    for (const f of await see({ ...tile, angle: turn }, tileScore)) if (!isCut(f.box, tile, width, height)) found.push(f);
  const seen: Sighting[] = [];
  for (const far of suppressFaces(found)) {
    const near = await lookCloser(look, picture, far, minScore, turn);
    // A large face was seen well enough the first time.
    if (near)
      seen.push(longSide(far.box) < side / 5 ? near : { ...near, box: far.box, score: far.score, eyes: far.eyes, mouth: far.mouth });
  }
  return suppressFaces(seen);
}

/** Of several boxes round one face, or round one and a feature of it, that of the highest score. */
export function suppressFaces<T extends { readonly box: Box; readonly score: number }>(found: readonly T[]): T[] {
  return suppress(found, NMS_IOU, NMS_INSIDE);
}

function leaves(box: Box, { levels: [{ width, height }] }: ImagePyramid): boolean {
  return box[0] < 0 || box[1] < 0 || box[2] > width || box[3] > height;
}

function around(box: Box, picture: ImagePyramid): Way {
  return leaves(box, picture) ? { outside: GREY } : {};
}

/** The same face close up, where it fills a third of the view; undefined when the two detections do not agree. */
export async function lookCloser(
  look: Look,
  picture: ImagePyramid,
  far: Seen,
  minScore: number,
  turn: number,
): Promise<Sighting | undefined> {
  const least = Math.min(AGREEMENT, 0.7 * minScore);
  const near = async (box: Box) => agreeing(await lookAt(look, picture, squareAround(box, 3, turn), least, around(box, picture)), box);
  let { best, agreement } = await near(far.box);
  // The first box lay beside the face: from where the second look saw it, it is seen well or not at all.
  if (best && agreement < least && agreement >= BESIDE * least) ({ best, agreement } = await near(best.box));
  if (!best || agreement < least) return undefined;
  return { ...best, score: Math.max(best.score, far.score), first: far.score, agreement, close: best.box };
}

/** How well the mirror image of a face, seen close up, agrees with it: 0..1. */
export async function mirrorAgreement(look: Look, picture: ImagePyramid, { close }: Sighting, turn: number): Promise<number> {
  return agreeing(await lookAt(look, picture, squareAround(close, 3, turn), FAINT, { isMirrored: true, ...around(close, picture) }), close)
    .agreement;
}

/** The same face with its head down, when it looks more like a face that way. */
export async function lookTurned(
  look: Look,
  picture: ImagePyramid,
  { close, score }: Sighting,
  minScore: number,
  turn: number,
): Promise<Sighting | undefined> {
  const turned = await lookAt(look, picture, squareAround(close, 3, turn + Math.PI), Math.max(score, minScore), around(close, picture));
  const best = turned.find((f) => iou(f.box, close) > NMS_IOU);
  return best && lookCloser(look, picture, best, minScore, turn + Math.PI);
}

/** The sighting that agrees best with a box: score times overlap. */
function agreeing(sightings: readonly Seen[], box: Box): { readonly best: Seen | undefined; readonly agreement: number } {
  let best: Seen | undefined;
  let agreement = 0;
  for (const s of sightings) {
    const agreed = s.score * iou(s.box, box);
    if (agreed < agreement) continue;
    agreement = agreed;
    best = s;
  }
  return { best, agreement };
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

/** True when a box reaches an edge of the tile that is not an edge of the picture: the face continues there, and another tile shows all of it. */
function isCut(box: Box, { centre: [x, y], side }: Square, width: number, height: number): boolean {
  const [left, top, right, bottom] = [x - side / 2, y - side / 2, x + side / 2, y + side / 2];
  return (
    (left > 0 && box[0] <= left) ||
    (top > 0 && box[1] <= top) ||
    (right < width && box[2] >= right) ||
    (bottom < height && box[3] >= bottom)
  );
}
