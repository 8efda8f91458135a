// A scene of one to five drawn people: who stands where, and everything about them that is not identity.
import type { RandomSource } from "../../../engine/base/random.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import type { Face, Image } from "../../shared/contracts/data.ts";
import { type Backdrop, backdropOf, drawBackdrop } from "./backdrop.ts";
import { COLOUR_NAMES, COLOURS, type ColourName, pick, type Rgb, vary } from "./colours.ts";
import { drawHead, type Pose } from "./draw-head.ts";
import type { Looks } from "./looks.ts";

export interface GroupScene {
  /** [1, height, width, 3]. */
  readonly image: Image;
  /** faces[k] is people[k], left to right. */
  readonly faces: readonly Face[];
  /** Colour of each one's clothes, left to right. */
  readonly clothes: readonly ColourName[];
  readonly backdrop: Backdrop;
}

const PATTERNS: readonly Pose["pattern"][] = ["plain", "plain", "stripes", "collar"];

/**
 * Draws `people` left to right, nearer ones (lower and larger) over the others. Nobody's face is covered: heads are at least their
 * own width apart. Portraits are scenes of one.
 */
export function drawGroup(people: readonly Looks[], width: number, height: number, rng: RandomSource): GroupScene {
  const between = (a: number, b: number) => a + (b - a) * rng.uniform();
  const canvas = { data: new Float32Array(width * height * 3), width, height };
  const backdrop = backdropOf(rng);
  drawBackdrop(canvas, backdrop, rng);
  const light = between(-1, 1);
  const contrast = between(0.15, 0.75);
  const warmth = between(-0.07, 0.07);
  const brightness = between(0.88, 1.06);
  const tint: Rgb = [brightness * (1 + warmth), brightness, brightness * (1 - warmth)];
  const slot = width / people.length;
  // 0.74: the widest hair is 0.74 wide at this size, so neighbours' faces stay free.
  const fit = Math.min((slot / 2) * (people.length > 1 ? 1.05 : 0.8), height * 0.34);
  const clothes = people.map(() => pick(rng, COLOUR_NAMES));
  const poses = people.map((_, k): Pose => {
    const scale = fit * between(0.8, 1);
    return {
      x: slot * (k + 0.5) + between(-1, 1) * slot * (people.length > 1 ? 0.07 : 0.1),
      y: height * between(0.36, 0.5) + (people.length > 3 && k % 2 === 1 ? -height * 0.05 : 0),
      scale,
      roll: between(-0.22, 0.22),
      yaw: between(-1, 1),
      pitch: between(-1, 1),
      smile: rng.uniform(),
      mouthOpen: rng.uniform() < 0.35 ? rng.uniform() : 0,
      light,
      contrast,
      tint,
      clothes: vary(COLOURS[clothes[k] ?? "gray"], rng, 0.05),
      pattern: pick(rng, PATTERNS),
    };
  });
  const faces = new Map<number, Face>();
  const farFirst = poses.map((_, k) => k).sort((a, b) => (poses[a]?.y ?? 0) - (poses[b]?.y ?? 0) || a - b);
  for (const k of farFirst) {
    const [looks, pose] = [people[k], poses[k]];
    if (looks && pose) faces.set(k, drawHead(canvas, looks, pose));
  }
  return {
    image: f32([1, height, width, 3], canvas.data),
    faces: people.flatMap((_, k) => faces.get(k) ?? []),
    clothes,
    backdrop,
  };
}
