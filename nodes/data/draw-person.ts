// Paints one head into a picture by evaluating soft shapes at every pixel: no font, no vector library, any resolution.
import type { Face, Point } from "../shared/contracts/data.ts";
import type { Person, Rgb } from "./person.ts";

/** Where and how a head is shown: nuisance, not identity. */
export interface Pose {
  /** Centre of the head in pixels. */
  readonly x: number;
  readonly y: number;
  /** Half the head's height in pixels. */
  readonly scale: number;
  /** In-plane rotation, radians. */
  readonly roll: number;
  /** -1 looks to the image's left, 1 to its right. */
  readonly yaw: number;
  /** 0 neutral … 1 broad smile. */
  readonly smile: number;
  /** 0 closed … 1 open. */
  readonly mouthOpen: number;
  /** Direction the light comes from, -1 left … 1 right, and its strength 0..1. */
  readonly light: number;
  readonly contrast: number;
  readonly clothes: Rgb;
}

const EYE_Y = -0.08;
const MOUTH_Y = 0.5;

/** Draws onto `data` (row-major RGB, 0..1, width × height) and returns the face's box and five points. */
export function drawPerson(data: Float32Array, width: number, height: number, person: Person, pose: Pose): Face {
  const cos = Math.cos(pose.roll);
  const sin = Math.sin(pose.roll);
  const pixel = 1 / pose.scale;
  const reach = pose.scale * 2.4;
  const x0 = Math.max(0, Math.floor(pose.x - reach));
  const x1 = Math.min(width, Math.ceil(pose.x + reach));
  const y0 = Math.max(0, Math.floor(pose.y - reach));
  for (let py = y0; py < height; py++)
    for (let px = x0; px < x1; px++) {
      const dx = (px + 0.5 - pose.x) / pose.scale;
      const dy = (py + 0.5 - pose.y) / pose.scale;
      paint(data, (py * width + px) * 3, dx * cos + dy * sin, -dx * sin + dy * cos, dx, dy, pixel, person, pose);
    }
  const at = (u: number, v: number): Point => [pose.x + (u * cos - v * sin) * pose.scale, pose.y + (u * sin + v * cos) * pose.scale];
  const turn = pose.yaw * 0.12;
  const corner = person.mouthWidth * (1 + 0.25 * pose.smile);
  const points = [
    at(-person.eyeDistance + turn, EYE_Y),
    at(person.eyeDistance + turn, EYE_Y),
    at(turn * 1.5, EYE_Y + person.noseLength),
    at(-corner + turn, MOUTH_Y - 0.08 * pose.smile),
    at(corner + turn, MOUTH_Y - 0.08 * pose.smile),
  ] as const;
  const half = person.width * pose.scale;
  return {
    box: [pose.x - half, pose.y - 0.75 * pose.scale, pose.x + half, pose.y + 0.95 * pose.scale],
    score: 1,
    points5: points,
  };
}

function paint(data: Float32Array, at: number, u: number, v: number, dx: number, dy: number, pixel: number, p: Person, pose: Pose): void {
  const soft = Math.max(pixel, 0.012);
  const blend = (c: Rgb, alpha: number): void => {
    if (alpha <= 0) return;
    for (let k = 0; k < 3; k++) data[at + k] = (data[at + k] ?? 0) * (1 - alpha) + (c[k] ?? 0) * alpha;
  };
  const turn = pose.yaw * 0.12;
  const face = u - turn * 0.4;
  const feature = u - turn;
  const lit = 1 + pose.contrast * (0.55 * pose.light * u - 0.15 * v);

  // Shoulders and neck hang straight, whatever the head's tilt.
  blend(shade(pose.clothes, 0.85 + 0.2 * pose.light * dx), edge(ellipse(dx, dy - 2.35, 1.75, 1.15), 0.5, soft));
  if (p.hairLength === 3) blend(shade(p.hair, 0.75), edge(ellipse(face, v - 0.35, p.width + 0.22, 1.35), 0.3, soft));
  blend(shade(p.skin, 0.72 * lit), edge(box(dx, dy - 1.05, 0.34, 0.42), 1, soft * 2));
  if (p.hairLength >= 1) blend(shade(p.hair, 0.8 * lit), edge(ellipse(face, v + 0.16, p.width + 0.13, 0.98), 0.3, soft));
  if (p.hairLength === 2) blend(shade(p.hair, 0.78 * lit), edge(box(face, v - 0.15, p.width + 0.1, 0.75), 0.8, soft * 2));

  // Ears, then the face: an egg whose lower half narrows with the jaw.
  for (const side of [-1, 1]) blend(shade(p.skin, 0.82 * lit), edge(ellipse(face - side * p.width, v - 0.05, 0.1, 0.2), 0.2, soft));
  const narrow = v > 0 ? 1 - (0.5 - 0.3 * p.jaw) * v * v : 1;
  const half = p.width * narrow;
  const inside = edge(Math.hypot(face / half, v / 1) ** (2 + 0.8 * p.jaw) - 1, 0.5, soft * 1.5);
  if (inside > 0) {
    const nz = Math.sqrt(Math.max(0, 1 - (face / (half * 1.08)) ** 2 - (v / 1.15) ** 2));
    blend(shade(p.skin, (0.68 + 0.36 * nz) * lit), inside);
    const cheek = gauss(Math.abs(face) - 0.42, 0.16) * gauss(v - 0.25, 0.16);
    blend([p.skin[0], p.skin[1] * 0.8, p.skin[2] * 0.8], inside * 0.35 * cheek);
    if (p.freckles > 0) {
      const spots = Math.sin(face * 61.3 + 2) * Math.sin(v * 57.1 + 1);
      blend(shade(p.skin, 0.7), inside * p.freckles * 0.6 * Math.max(0, spots - 0.55) * 2 * gauss(v - 0.15, 0.2));
    }
    if (p.beard > 0) {
      const chin = edge(0.3 - v + 0.15 * Math.cos(face * 3), 1, 0.08) * (1 - gauss(feature, 0.16) * gauss(v - MOUTH_Y, 0.07));
      blend(shade(p.hair, 0.9 * lit), inside * 0.85 * p.beard * chin);
    }
    features(blend, feature, v, soft, p, pose, inside, lit);
  }
  if (p.hairLength >= 1) {
    const hairline = -p.hairline - 0.12 * Math.cos((face / p.width - p.parting) * 2.2) + 0.35 * (face / p.width) ** 4;
    blend(
      shade(p.hair, (0.85 + 0.12 * Math.sin(face * 40 + v * 12)) * lit),
      edge(ellipse(face, v + 0.12, p.width + 0.12, 0.97), 0.3, soft) * edge(v - hairline, 1, soft * 3),
    );
  }
}

function features(
  blend: (c: Rgb, alpha: number) => void,
  u: number,
  v: number,
  soft: number,
  p: Person,
  pose: Pose,
  inside: number,
  lit: number,
): void {
  const dark = shade(p.skin, 0.5);
  for (const side of [-1, 1]) {
    const ex = u - side * p.eyeDistance;
    const ey = v - EYE_Y - side * ex * p.eyeSlant;
    blend(shade(p.skin, 0.75 * lit), inside * 0.7 * gauss(ex, 0.17) * gauss(ey + 0.03, 0.11));
    const lid = ellipse(ex, ey, p.eyeSize * 1.25, p.eyeSize * (0.62 - 0.15 * pose.smile));
    const open = edge(lid, 0.2, soft);
    blend([0.95, 0.94, 0.92], inside * open);
    const look = ex - pose.yaw * 0.03;
    blend(p.iris, inside * open * edge(ellipse(look, ey, p.eyeSize * 0.6, p.eyeSize * 0.6), 0.2, soft));
    blend([0.04, 0.04, 0.05], inside * open * edge(ellipse(look, ey, p.eyeSize * 0.28, p.eyeSize * 0.28), 0.2, soft));
    blend([1, 1, 1], inside * open * 0.9 * edge(ellipse(look + 0.03, ey + 0.03, 0.022, 0.022), 0.2, soft));
    blend(
      [0.1, 0.07, 0.06],
      inside *
        0.9 *
        gauss(lid * 0.5, 0.09 + soft) *
        (ey < 0.01 ? 1 : 0.25) *
        edge(ellipse(ex, ey, p.eyeSize * 1.6, p.eyeSize * 1.1), 0.3, soft),
    );
    const by = v - EYE_Y + p.browHeight - side * ex * p.browTilt + 1.4 * ex * ex;
    blend(shade(p.hair, 0.75), inside * 0.92 * edge(box(ex, by, p.eyeSize * 1.45, p.browThickness), 1, soft * 1.5));
    if (p.glasses) {
      const ring = Math.abs(Math.hypot(ex / 0.24, ey / 0.19) - 1) * 0.2;
      blend([0.07, 0.07, 0.09], 0.95 * edge(ring - 0.022, 1, soft));
    }
  }
  if (p.glasses) blend([0.07, 0.07, 0.09], 0.95 * edge(box(u, v - EYE_Y + 0.02, Math.max(0.02, p.eyeDistance - 0.23), 0.02), 1, soft));
  // Nose: a lit ridge, a shaded side away from the light, wings and nostrils.
  const tip = EYE_Y + p.noseLength;
  const ridge = u - pose.yaw * 0.06;
  const along = edge(box(ridge, v - (EYE_Y + tip) / 2, 0.5, p.noseLength / 2), 1, 0.08);
  blend(dark, inside * 0.4 * along * gauss(ridge + Math.sign(pose.light || 1) * p.noseWidth * 0.6, 0.05));
  blend(shade(p.skin, 1.12 * lit), inside * 0.5 * along * gauss(ridge, 0.04));
  blend(dark, inside * 0.45 * gauss(Math.hypot(ridge / p.noseWidth, (v - tip) / 0.09) - 1, 0.22) * edge(tip - 0.03 - v, 1, 0.04));
  for (const side of [-1, 1])
    blend(shade(p.skin, 0.3), inside * 0.85 * edge(ellipse(ridge - side * p.noseWidth * 0.5, v - tip - 0.035, 0.035, 0.022), 0.3, soft));
  // Mouth: lips around a dark line that curves with the smile.
  const half = p.mouthWidth * (1 + 0.25 * pose.smile);
  const my = v - MOUTH_Y + (pose.smile * 0.22 * (u * u)) / half - 0.02;
  const taper = Math.sqrt(Math.max(0, 1 - (u / half) ** 2));
  const open = pose.mouthOpen * 0.09;
  blend(
    shade(p.lips, lit),
    inside * 0.95 * edge(Math.abs(my - open * 0.4) - (p.lipFullness + open) * taper, 1, soft * 1.3) * (taper > 0 ? 1 : 0),
  );
  blend(
    pose.mouthOpen > 0.4 ? [0.93, 0.91, 0.88] : [0.25, 0.08, 0.08],
    inside * edge(Math.abs(my - open * 0.4) - (0.012 + open * 0.8) * taper, 1, soft) * (taper > 0.1 ? 1 : 0),
  );
  blend(dark, inside * 0.3 * gauss(u, 0.12) * gauss(v - MOUTH_Y - 0.2, 0.04));
}

/** Negative inside, 0 on the rim of an axis-aligned ellipse, roughly in units of its smaller radius. */
function ellipse(x: number, y: number, rx: number, ry: number): number {
  return Math.hypot(x / rx, y / ry) - 1;
}

/** Signed distance of a box with half sides hx, hy. */
function box(x: number, y: number, hx: number, hy: number): number {
  return Math.max(Math.abs(x) - hx, Math.abs(y) - hy);
}

/** 1 well inside (d < 0), 0 outside, a smooth step of `softness` between; `unit` turns d into head units. */
function edge(d: number, unit: number, softness: number): number {
  const t = Math.min(1, Math.max(0, 0.5 - (d * unit) / (2 * softness)));
  return t * t * (3 - 2 * t);
}

function gauss(x: number, s: number): number {
  return Math.exp(-0.5 * (x / s) ** 2);
}

function shade(c: Rgb, by: number): Rgb {
  return [Math.min(1, c[0] * by), Math.min(1, c[1] * by), Math.min(1, c[2] * by)];
}
