// A drawn person: everything that makes the person recognisable, as numbers drawn from a seed.
import { type RandomSource, randomSource } from "../../engine/base/random.ts";

export type Rgb = readonly [number, number, number];

/** Lengths are in units of half the head's height; angles in radians. */
export interface Person {
  readonly skin: Rgb;
  readonly hair: Rgb;
  readonly iris: Rgb;
  readonly lips: Rgb;
  /** Half width of the face at the cheekbones. */
  readonly width: number;
  /** 0 = oval chin, 1 = square jaw. */
  readonly jaw: number;
  readonly eyeDistance: number;
  readonly eyeSize: number;
  readonly eyeSlant: number;
  readonly browThickness: number;
  readonly browTilt: number;
  readonly browHeight: number;
  readonly noseWidth: number;
  readonly noseLength: number;
  readonly mouthWidth: number;
  readonly lipFullness: number;
  /** Height of the hairline above the eyes. */
  readonly hairline: number;
  /** 0 bald, 1 short, 2 to the chin, 3 long. */
  readonly hairLength: 0 | 1 | 2 | 3;
  /** Parting: where the fringe is lowest, -1 left … 1 right. */
  readonly parting: number;
  readonly beard: number;
  readonly glasses: boolean;
  readonly freckles: number;
}

const SKINS: readonly Rgb[] = [
  [0.96, 0.83, 0.74],
  [0.91, 0.74, 0.62],
  [0.82, 0.63, 0.49],
  [0.68, 0.48, 0.35],
  [0.5, 0.34, 0.25],
  [0.36, 0.24, 0.18],
];
const HAIRS: readonly Rgb[] = [
  [0.08, 0.07, 0.07],
  [0.22, 0.14, 0.09],
  [0.42, 0.27, 0.15],
  [0.68, 0.5, 0.26],
  [0.85, 0.73, 0.5],
  [0.55, 0.22, 0.1],
  [0.66, 0.66, 0.66],
];
const IRISES: readonly Rgb[] = [
  [0.25, 0.15, 0.08],
  [0.38, 0.27, 0.12],
  [0.25, 0.42, 0.28],
  [0.28, 0.45, 0.66],
  [0.42, 0.46, 0.5],
];

/** The person of a seed: the same on every machine. */
export function personOf(seed: number): Person {
  const rng = randomSource(BigInt(seed) * 2654435761n + 97n);
  const between = (a: number, b: number) => a + (b - a) * rng.uniform();
  const skin = vary(pick(rng, SKINS), rng, 0.04);
  const bald = rng.uniform();
  const length = bald < 0.12 ? 0 : bald < 0.5 ? 1 : bald < 0.75 ? 2 : 3;
  return {
    skin,
    hair: vary(pick(rng, HAIRS), rng, 0.05),
    iris: vary(pick(rng, IRISES), rng, 0.05),
    lips: [Math.min(1, skin[0] * between(0.85, 1)), skin[1] * between(0.5, 0.75), skin[2] * between(0.55, 0.8)],
    width: between(0.66, 0.86),
    jaw: rng.uniform(),
    eyeDistance: between(0.3, 0.4),
    eyeSize: between(0.1, 0.15),
    eyeSlant: between(-0.18, 0.18),
    browThickness: between(0.025, 0.07),
    browTilt: between(-0.25, 0.25),
    browHeight: between(0.2, 0.3),
    noseWidth: between(0.1, 0.19),
    noseLength: between(0.32, 0.45),
    mouthWidth: between(0.22, 0.36),
    lipFullness: between(0.04, 0.1),
    hairline: between(0.42, 0.68),
    hairLength: length,
    parting: between(-1, 1),
    beard: rng.uniform() < 0.25 ? between(0.5, 1) : 0,
    glasses: rng.uniform() < 0.22,
    freckles: rng.uniform() < 0.2 ? between(0.3, 0.8) : 0,
  };
}

function pick<T>(rng: RandomSource, from: readonly [T, ...T[]] | readonly T[]): T {
  const chosen = from[rng.below(from.length)] ?? from[0];
  if (chosen === undefined) throw new RangeError("nothing to pick from");
  return chosen;
}

function vary(c: Rgb, rng: RandomSource, by: number): Rgb {
  const shift = (x: number) => Math.min(1, Math.max(0, x + by * (2 * rng.uniform() - 1)));
  return [shift(c[0]), shift(c[1]), shift(c[2])];
}
