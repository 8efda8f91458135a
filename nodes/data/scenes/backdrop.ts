// What stands behind the people: a few kinds of place that a prompt can name.
import type { RandomSource } from "../../../engine/base/random.ts";
import { COLOUR_NAMES, COLOURS, type ColourName, mix, pick, type Rgb, shade, vary } from "./colours.ts";
import { blend, box, type Canvas, cover, gauss, ramp } from "./paint.ts";

export type Place = "wall" | "sea" | "park" | "window" | "bricks" | "shelves" | "sunset";

export interface Backdrop {
  readonly place: Place;
  /** Colour of a plain wall. */
  readonly colour: ColourName;
}

const PLACES: readonly Place[] = ["wall", "sea", "park", "window", "bricks", "shelves", "sunset"];

export function backdropOf(rng: RandomSource): Backdrop {
  return { place: pick(rng, PLACES), colour: pick(rng, COLOUR_NAMES) };
}

/** The place in words, to follow a sentence about people. */
export function placeInWords({ place, colour }: Backdrop): string {
  return {
    wall: `in front of a ${colour} wall`,
    sea: "by the sea",
    park: "in a park",
    window: "beside a window",
    bricks: "in front of a brick wall",
    shelves: "in a library",
    sunset: "at sunset",
  }[place];
}

/** Paints the whole canvas. */
export function drawBackdrop({ data, width, height }: Canvas, { place, colour }: Backdrop, rng: RandomSource): void {
  const [bx, by, phase, low] = [rng.uniform(), rng.uniform(), rng.uniform() * 9, 0.5 + 0.2 * rng.uniform()];
  const base = vary(COLOURS[colour], rng, 0.06);
  const at = (x: number, y: number): Rgb => {
    switch (place) {
      case "wall":
        return shade(mix(base, [0.9, 0.9, 0.88], 0.25), 0.75 + 0.35 * gauss(Math.hypot(x - bx, y - by), 0.5));
      case "sea":
        return y < low
          ? mix([0.45, 0.68, 0.92], [0.85, 0.92, 0.97], y / low)
          : mix([0.1, 0.4, 0.6], [0.3, 0.6, 0.7], 0.5 + 0.5 * Math.sin(y * 70 + 3 * Math.sin(x * 9 + phase)) * (y - low));
      case "park": {
        const leaf = 0.5 + 0.25 * Math.sin(x * 23 + phase) * Math.sin(y * 31 + phase) + 0.25 * Math.sin(x * 57 - y * 41);
        return y < low ? mix([0.16, 0.34, 0.14], [0.4, 0.6, 0.28], leaf) : mix([0.4, 0.58, 0.25], [0.33, 0.5, 0.2], leaf);
      }
      case "window": {
        const room: Rgb = [0.78, 0.74, 0.68];
        const pane =
          cover(box(x - bx, y - 0.35, 0.17, 0.3), 0.01) * (1 - 0.9 * cover(Math.min(Math.abs(x - bx), Math.abs(y - 0.35)) - 0.012, 0.006));
        return mix(shade(room, 0.8 + 0.25 * gauss(x - bx, 0.4)), [0.86, 0.93, 0.99], pane);
      }
      case "bricks": {
        const row = Math.floor(y * 11);
        const column = (x * (width / height) * 5.5 + (row % 2) * 0.5) % 1;
        const joint = Math.max(gauss(column, 0.04), gauss((y * 11) % 1, 0.08));
        return mix(
          shade([0.6, 0.29, 0.22], 0.88 + 0.14 * Math.sin(row * 7 + Math.floor(x * (width / height) * 5.5 + (row % 2) * 0.5) * 3)),
          [0.72, 0.68, 0.62],
          joint,
        );
      }
      case "shelves": {
        const board = gauss((y * 3.2) % 1, 0.06);
        const book = Math.floor(x * (width / height) * 9 + Math.floor(y * 3.2) * 3.7);
        const spine = COLOURS[COLOUR_NAMES[Math.abs(book * 7 + Math.floor(phase)) % COLOUR_NAMES.length] ?? "red"];
        return mix(shade(spine, 0.62), [0.42, 0.27, 0.15], Math.min(1, board * 1.3));
      }
      case "sunset":
        return y < low + 0.1
          ? mix(mix([0.35, 0.25, 0.5], [0.98, 0.6, 0.3], ramp(y, 0, low)), [1, 0.9, 0.6], gauss(Math.hypot((x - bx) * 2, y - low), 0.13))
          : mix([0.3, 0.18, 0.25], [0.85, 0.5, 0.3], gauss(x - bx, 0.12));
    }
  };
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) blend(data, (y * width + x) * 3, at((x + 0.5) / width, (y + 0.5) / height), 1);
}
