// Everything that makes a drawn person recognisable, as numbers drawn from a seed.
import { type RandomSource, randomSource } from "../../../engine/base/random.ts";
import { mix, pick, type Rgb, vary } from "./colours.ts";

export type HairStyle = "bald" | "cropped" | "short" | "parted" | "afro" | "bob" | "long" | "bun";
export type BeardStyle = "none" | "moustache" | "goatee" | "full";
export type GlassesStyle = "none" | "round" | "square";

/** Lengths are in units of half the head's height; angles in radians. */
export interface Looks {
  readonly skin: Rgb;
  readonly hair: Rgb;
  readonly iris: Rgb;
  readonly lips: Rgb;
  /** Half width of the face at the cheekbones. */
  readonly width: number;
  /** 0 = pointed chin, 1 = square jaw. */
  readonly jaw: number;
  /** How much the forehead narrows, 0..1. */
  readonly forehead: number;
  readonly eyeDistance: number;
  readonly eyeSize: number;
  readonly eyeSlant: number;
  readonly browThickness: number;
  readonly browTilt: number;
  readonly browHeight: number;
  readonly noseWidth: number;
  readonly noseLength: number;
  readonly mouthWidth: number;
  readonly mouthHeight: number;
  readonly lipFullness: number;
  readonly earSize: number;
  /** Height of the hairline above the face's centre. */
  readonly hairline: number;
  readonly hairStyle: HairStyle;
  /** Where the fringe is lowest, -1 left … 1 right. */
  readonly parting: number;
  readonly beard: BeardStyle;
  readonly glasses: GlassesStyle;
  readonly frame: Rgb;
  readonly freckles: number;
  /** 0 young … 1 old: folds, and hair that greys. */
  readonly age: number;
  readonly lipstick: number;
}

const SKINS: readonly Rgb[] = [
  [0.97, 0.84, 0.76],
  [0.93, 0.76, 0.64],
  [0.85, 0.65, 0.5],
  [0.72, 0.51, 0.37],
  [0.55, 0.37, 0.26],
  [0.38, 0.25, 0.18],
];
const HAIRS: readonly Rgb[] = [
  [0.07, 0.06, 0.06],
  [0.2, 0.12, 0.08],
  [0.42, 0.26, 0.14],
  [0.7, 0.5, 0.24],
  [0.9, 0.77, 0.5],
  [0.62, 0.22, 0.08],
];
const GRAY: Rgb = [0.74, 0.74, 0.75];
const IRISES: readonly Rgb[] = [
  [0.22, 0.13, 0.07],
  [0.4, 0.27, 0.1],
  [0.2, 0.42, 0.24],
  [0.22, 0.44, 0.7],
  [0.42, 0.47, 0.52],
];
const FRAMES: readonly Rgb[] = [
  [0.06, 0.06, 0.07],
  [0.4, 0.2, 0.08],
  [0.62, 0.1, 0.1],
  [0.6, 0.55, 0.4],
];
const OPEN_HAIR: readonly HairStyle[] = ["bald", "cropped", "short", "parted", "afro", "bob", "long", "bun"];

/** The person of a seed: the same on every machine. */
export function looksOf(seed: number): Looks {
  const rng = randomSource(BigInt(seed) * 2654435761n + 1_000_003n);
  const between = (a: number, b: number) => a + (b - a) * rng.uniform();
  const skin = vary(pick(rng, SKINS), rng, 0.035);
  const age = rng.uniform() ** 1.5;
  const hair = mix(vary(pick(rng, HAIRS), rng, 0.04), GRAY, age > 0.6 ? (age - 0.6) * 2.4 : 0);
  const lipstick = rng.uniform() < 0.3 ? between(0.5, 1) : 0;
  const natural: Rgb = [Math.min(1, skin[0] * between(0.86, 0.98)), skin[1] * between(0.58, 0.72), skin[2] * between(0.6, 0.76)];
  return {
    skin,
    hair,
    iris: vary(pick(rng, IRISES), rng, 0.05),
    lips: mix(natural, [0.75, 0.1, 0.18], lipstick * 0.8),
    width: between(0.62, 0.86),
    jaw: rng.uniform(),
    forehead: rng.uniform(),
    eyeDistance: between(0.27, 0.38),
    eyeSize: between(0.1, 0.165),
    eyeSlant: between(-0.22, 0.22),
    browThickness: between(0.022, 0.075),
    browTilt: between(-0.28, 0.28),
    browHeight: between(0.19, 0.31),
    noseWidth: between(0.09, 0.21),
    noseLength: between(0.3, 0.48),
    mouthWidth: between(0.2, 0.38),
    mouthHeight: between(0.46, 0.56),
    lipFullness: between(0.035, 0.105),
    earSize: between(0.15, 0.27),
    hairline: between(0.4, 0.7),
    hairStyle: pick(rng, OPEN_HAIR),
    parting: between(-1, 1),
    beard: beardOf(rng, lipstick),
    glasses: rng.uniform() < 0.7 ? "none" : rng.uniform() < 0.5 ? "round" : "square",
    frame: pick(rng, FRAMES),
    freckles: rng.uniform() < 0.18 ? between(0.3, 0.8) : 0,
    age,
    lipstick,
  };
}

function beardOf(rng: RandomSource, lipstick: number): BeardStyle {
  const u = rng.uniform();
  if (lipstick > 0 || u < 0.62) return "none";
  return u < 0.74 ? "moustache" : u < 0.84 ? "goatee" : "full";
}
