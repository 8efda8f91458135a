// Colours that a prompt can name.
import type { RandomSource } from "../../../engine/base/random.ts";

export type Rgb = readonly [number, number, number];

/** Clothes and walls, by the word a prompt uses. */
export const COLOURS = {
  red: [0.75, 0.13, 0.13],
  orange: [0.9, 0.48, 0.1],
  yellow: [0.92, 0.8, 0.2],
  green: [0.16, 0.52, 0.24],
  teal: [0.1, 0.55, 0.55],
  blue: [0.16, 0.3, 0.72],
  purple: [0.46, 0.2, 0.6],
  pink: [0.9, 0.5, 0.65],
  white: [0.93, 0.93, 0.92],
  gray: [0.5, 0.51, 0.53],
  black: [0.1, 0.1, 0.12],
} as const satisfies Readonly<Record<string, Rgb>>;

export type ColourName = keyof typeof COLOURS;

export const COLOUR_NAMES: readonly ColourName[] = Object.keys(COLOURS).filter((name): name is ColourName => name in COLOURS);

/** One of a list. @throws RangeError when it is empty */
export function pick<T>(rng: RandomSource, from: readonly T[]): T {
  const chosen = from[rng.below(from.length)];
  if (chosen === undefined) throw new RangeError("nothing to pick from");
  return chosen;
}

/** Each channel shifted by up to ±by, kept within 0..1. */
export function vary(c: Rgb, rng: RandomSource, by: number): Rgb {
  const shift = (x: number) => Math.min(1, Math.max(0, x + by * (2 * rng.uniform() - 1)));
  return [shift(c[0]), shift(c[1]), shift(c[2])];
}

/** Brightness multiplied, clipped at 1. */
export function shade(c: Rgb, by: number): Rgb {
  return [Math.min(1, c[0] * by), Math.min(1, c[1] * by), Math.min(1, c[2] * by)];
}

/** Linear mixture, t = 0 gives a. */
export function mix(a: Rgb, b: Rgb, t: number): Rgb {
  return [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t];
}
