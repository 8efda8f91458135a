// Where everything of the picture with its references goes, in CSS pixels. Pure, so that nothing has to be measured twice.
import type { MatchShown } from "../../../engine/api/shown.ts";

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface MatchLayout {
  readonly width: number;
  readonly height: number;
  /** By reference. */
  readonly tiles: readonly Rect[];
  /** What a tile shows of its picture, in pixels of the picture: the face with some hair and shoulders. */
  readonly crops: readonly Rect[];
  /** By generated picture. */
  readonly pictures: readonly Rect[];
  /** By face, over its picture. */
  readonly faces: readonly Rect[];
}

const GAP = 8;
const TILE = { min: 40, max: 96 };
/** Room for the lines. */
const BETWEEN = 56;

/** @param width CSS pixels there are @param maxHeight of the pictures together; a tall picture is made smaller */
export function matchLayout({ references, generated }: MatchShown, width: number, maxHeight: number): MatchLayout {
  const people = references.faces.length;
  const perRow = Math.max(1, Math.min(people, Math.floor((width + GAP) / (TILE.min + GAP))));
  const tile = Math.min(TILE.max, Math.floor((width - GAP * (perRow - 1)) / perRow));
  const rows = Math.ceil(people / perRow);
  const tiles = references.faces.map((_, k) => {
    const row = Math.floor(k / perRow);
    const inRow = Math.min(perRow, people - row * perRow);
    // Spread over the picture's width, so that lines cross as little as the people do.
    const slot = width / inRow;
    return { x: slot * ((k % perRow) + 0.5) - tile / 2, y: row * (tile + GAP), width: tile, height: tile };
  });
  const crops = references.faces.map(({ box: [x0, y0, x1, y1] }) => {
    const side = 1.7 * Math.max(x1 - x0, y1 - y0, 1);
    return { x: (x0 + x1 - side) / 2, y: (y0 + y1 - side) / 2, width: side, height: side };
  });
  const sizes = generated.sizes;
  const top = people === 0 ? 0 : rows * tile + (rows - 1) * GAP + BETWEEN;
  const ratio = sizes.reduce((sum, s) => sum + s.width / Math.max(1, s.height), 0);
  const height = Math.max(1, Math.min(maxHeight, (width - GAP * Math.max(0, sizes.length - 1)) / Math.max(ratio, 1e-6)));
  const whole = height * ratio + GAP * Math.max(0, sizes.length - 1);
  let x = (width - whole) / 2;
  const pictures = sizes.map((s) => {
    const w = (height * s.width) / Math.max(1, s.height);
    const rect = { x, y: top, width: w, height };
    x += w + GAP;
    return rect;
  });
  const faces = generated.faces.map(({ image, box: [x0, y0, x1, y1] }) => {
    const frame = pictures[image] ?? { x: 0, y: top, width: 0, height: 0 };
    const scale = frame.width / Math.max(1, sizes[image]?.width ?? 1);
    return { x: frame.x + x0 * scale, y: frame.y + y0 * scale, width: (x1 - x0) * scale, height: (y1 - y0) * scale };
  });
  return { width, height: sizes.length === 0 ? Math.max(0, top - BETWEEN) : top + height, tiles, crops, pictures, faces };
}

/** SVG path from the foot of a tile to the head of a face, upright at both ends. */
export function lineBetween(tile: Rect, face: Rect): string {
  const [x0, y0] = [tile.x + tile.width / 2, tile.y + tile.height];
  const [x1, y1] = [face.x + face.width / 2, face.y];
  const bend = 0.5 * (y1 - y0);
  return `M${round(x0)} ${round(y0)}C${round(x0)} ${round(y0 + bend)} ${round(x1)} ${round(y1 - bend)} ${round(x1)} ${round(y1)}`;
}

function round(x: number): number {
  return Math.round(x * 10) / 10;
}
