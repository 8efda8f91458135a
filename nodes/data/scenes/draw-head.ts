// Paints one person, head and shoulders, from looks (who it is) and a pose (how they are shown).
import type { Face, Point } from "../../shared/contracts/data.ts";
import { mix, type Rgb, shade } from "./colours.ts";
import type { Looks } from "./looks.ts";
import { blend, box, type Canvas, cover, ellipse, gauss, ramp } from "./paint.ts";

/** Where and how a person is shown: nuisance, not identity. */
export interface Pose {
  /** Centre of the head in pixels. */
  readonly x: number;
  readonly y: number;
  /** Half the head's height in pixels. */
  readonly scale: number;
  /** In-plane rotation, radians. */
  readonly roll: number;
  /** -1 looks to the picture's left, 1 to its right. */
  readonly yaw: number;
  /** -1 looks down, 1 up. */
  readonly pitch: number;
  /** 0 neutral … 1 broad smile. */
  readonly smile: number;
  /** 0 closed … 1 open. */
  readonly mouthOpen: number;
  /** Direction the light comes from, -1 left … 1 right. */
  readonly light: number;
  /** How much light and shade differ, 0..1. */
  readonly contrast: number;
  /** Tint of the light, about 1 per channel. */
  readonly tint: Rgb;
  readonly clothes: Rgb;
  readonly pattern: "plain" | "stripes" | "collar";
}

const EYE_Y = -0.06;
const INK: Rgb = [0.07, 0.05, 0.05];
const WHITE: Rgb = [0.95, 0.94, 0.92];

/** How far the features move from the head's centre as it turns and nods, in head units. */
const turnOf = (pose: Pose): readonly [number, number] => [pose.yaw * 0.15, pose.pitch * -0.07];

/** Paints onto the canvas, and gives the face's box and five points (eyes, nose, mouth corners; left to right in the picture). */
export function drawHead({ data, width, height }: Canvas, looks: Looks, pose: Pose): Face {
  const cos = Math.cos(pose.roll);
  const sin = Math.sin(pose.roll);
  const soft = Math.max(0.75 / pose.scale, 0.01);
  const reach = pose.scale * 2.5;
  const x0 = Math.max(0, Math.floor(pose.x - reach));
  const x1 = Math.min(width, Math.ceil(pose.x + reach));
  const y0 = Math.max(0, Math.floor(pose.y - pose.scale * 1.9));
  for (let py = y0; py < height; py++)
    for (let px = x0; px < x1; px++) {
      const dx = (px + 0.5 - pose.x) / pose.scale;
      const dy = (py + 0.5 - pose.y) / pose.scale;
      paint(data, (py * width + px) * 3, dx * cos + dy * sin, -dx * sin + dy * cos, dx, dy, soft, looks, pose);
    }
  const at = (u: number, v: number): Point => [pose.x + (u * cos - v * sin) * pose.scale, pose.y + (u * sin + v * cos) * pose.scale];
  const [tu, tv] = turnOf(pose);
  const corner = looks.mouthWidth * (1 + 0.25 * pose.smile);
  const mouth = looks.mouthHeight - 0.08 * pose.smile + tv;
  const half = looks.width * pose.scale;
  return {
    box: [pose.x - half, pose.y - 0.72 * pose.scale, pose.x + half, pose.y + 0.98 * pose.scale],
    score: 1,
    points5: [
      at(-looks.eyeDistance + tu, EYE_Y + tv),
      at(looks.eyeDistance + tu, EYE_Y + tv),
      at(tu * 1.5, EYE_Y + looks.noseLength + tv * 1.3),
      at(-corner + tu, mouth),
      at(corner + tu, mouth),
    ],
  };
}

function paint(data: Float32Array, i: number, u: number, v: number, dx: number, dy: number, soft: number, p: Looks, pose: Pose): void {
  const side = pose.light;
  const tinted = (c: Rgb, by: number): Rgb => shade([c[0] * pose.tint[0], c[1] * pose.tint[1], c[2] * pose.tint[2]], by);
  // The body hangs straight, whatever the head's tilt.
  if (dy > 0.6) body(data, i, dx, dy, soft, p, pose, tinted);
  if (Math.abs(u) > 1.7 || v < -1.75 || v > 2.3) return;

  const [tu, tv] = turnOf(pose);
  const face = u - tu * 0.35;
  const lit = 1 + pose.contrast * (0.5 * side * face - 0.12 * v);
  backHair(data, i, face, v, soft, p, tinted, lit);
  for (const s of [-1, 1])
    blend(
      data,
      i,
      tinted(p.skin, 0.84 * lit),
      cover(ellipse(face - s * (p.width - 0.01) * (1 - 0.3 * s * pose.yaw * 0.5), v - 0.02, 0.09, p.earSize), soft),
    );

  const d = faceDistance(face, v, p);
  const inside = cover(d, soft);
  if (inside > 0) {
    const nz = Math.sqrt(Math.max(0, 1 - (face / (p.width * 1.06)) ** 2 - (v / 1.12) ** 2));
    blend(data, i, tinted(p.skin, (0.7 + 0.32 * nz) * lit), inside);
    const cheek = gauss(Math.abs(face - tu) - 0.4, 0.15) * gauss(v - 0.26, 0.15);
    blend(data, i, tinted([Math.min(1, p.skin[0] * 1.03), p.skin[1] * 0.8, p.skin[2] * 0.8], lit), inside * 0.4 * cheek);
    if (p.freckles > 0) {
      const spots = Math.sin(face * 47 + 2) * Math.sin(v * 43 + 1) + 0.5 * Math.sin(face * 83 + v * 31);
      blend(data, i, tinted(p.skin, 0.66 * lit), inside * p.freckles * Math.max(0, Math.min(1, (spots - 0.7) * 3)) * gauss(v - 0.15, 0.2));
    }
    if (p.age > 0.45) folds(data, i, face - tu, v - tv, inside * (p.age - 0.45), p, tinted(p.skin, 0.62 * lit));
    beard(data, i, face, v - tv * 0.6, d, inside, soft, p, tinted, lit);
    features(data, i, u - tu, v - tv, soft, p, pose, inside, tinted, lit);
  }
  frontHair(data, i, face, v, d, soft, p, tinted, lit);
  if (p.glasses !== "none") glasses(data, i, u - tu, v - tv, soft, p, tinted);
}

type Tinted = (c: Rgb, by: number) => Rgb;

/** Negative inside the face: an egg that narrows with jaw and forehead. */
function faceDistance(x: number, y: number, p: Looks): number {
  const narrow = y > 0 ? 1 - (0.52 - 0.34 * p.jaw) * y * y : 1 - 0.22 * p.forehead * y * y;
  const rx = p.width * Math.max(0.2, narrow);
  const power = 2 + (y > 0 ? 0.9 * p.jaw : 0);
  const q = (Math.abs(x) / rx) ** power + (Math.abs(y) / (y > 0 ? 1 : 0.98)) ** power;
  return (q ** (1 / power) - 1) * Math.min(rx, 1) * 0.9;
}

function body(data: Float32Array, i: number, dx: number, dy: number, soft: number, p: Looks, pose: Pose, tinted: Tinted): void {
  const shoulders = Math.min(ellipse(dx, dy - 2.5, 1.72, 1.25), box(dx, dy - 4, 1.6, 1.4));
  const neck = box(dx, dy - 1.05, 0.33 + 0.06 * p.jaw, 0.55);
  const cloth = cover(shoulders, soft);
  const light = 0.88 + 0.22 * pose.contrast * pose.light * dx - 0.08 * Math.abs(dx);
  const lines = pose.pattern === "stripes" ? (Math.sin(dy * 17) > 0.2 ? 0.55 : 1.05) : 1;
  blend(data, i, tinted(pose.clothes, light * lines), cloth);
  blend(
    data,
    i,
    tinted(p.skin, 0.72 * (1 + 0.3 * pose.contrast * pose.light * dx)),
    cover(Math.max(neck, dy - 1.55 + dx * dx * 1.2), soft * 1.5),
  );
  if (pose.pattern === "collar") {
    const lapel = Math.abs(Math.abs(dx) - (dy - 1.25) * 0.55) - 0.09;
    blend(data, i, tinted([0.94, 0.94, 0.93], light), cloth * cover(lapel, soft) * ramp(dy, 1.28, 1.36));
  }
}

function backHair(data: Float32Array, i: number, x: number, v: number, soft: number, p: Looks, tinted: Tinted, lit: number): void {
  const dark = tinted(p.hair, 0.74 * lit);
  if (p.hairStyle === "long") {
    const strands = 0.05 * Math.sin(x * 19);
    blend(
      data,
      i,
      dark,
      cover(Math.min(ellipse(x, v + 0.05, p.width + 0.24, 1.12), box(x, v - 0.75, p.width + 0.2 - 0.05 * v, 1.0 + strands)), soft),
    );
  } else if (p.hairStyle === "bob")
    blend(data, i, dark, cover(Math.min(ellipse(x, v + 0.06, p.width + 0.22, 1.1), box(x, v - 0.3, p.width + 0.17, 0.5)), soft * 1.5));
  else if (p.hairStyle === "afro") {
    const curl = 0.035 * Math.sin(x * 23 + v * 9) + 0.035 * Math.sin(v * 27 - x * 11);
    blend(data, i, dark, cover(ellipse(x, v + 0.32, p.width + 0.5, 1.12) + curl, soft * 2));
  } else if (p.hairStyle === "bun") blend(data, i, dark, cover(ellipse(x - p.parting * 0.15, v + 1.2, 0.34, 0.32), soft));
}

function frontHair(
  data: Float32Array,
  i: number,
  x: number,
  v: number,
  d: number,
  soft: number,
  p: Looks,
  tinted: Tinted,
  lit: number,
): void {
  if (p.hairStyle === "bald") return;
  const thickness = { cropped: 0.045, short: 0.11, parted: 0.16, afro: 0.2, bob: 0.17, long: 0.17, bun: 0.1 }[p.hairStyle];
  const cap = d - thickness;
  const s = x / p.width;
  const sweep = p.hairStyle === "parted" || p.hairStyle === "long" ? 0.3 * (s - p.parting * 0.6) ** 2 - 0.05 : 0.1 * s * s;
  const fringe = p.hairStyle === "bob" ? -0.2 : 0;
  // Below the hairline the face is free; at the sides hair comes down to the ears.
  const line = -p.hairline - fringe - sweep * 0.6 + 0.95 * Math.max(0, Math.abs(s) - 0.72) * (p.hairStyle === "cropped" ? 0.8 : 1.5);
  const sides = p.hairStyle === "bob" || p.hairStyle === "long" ? 0.5 : 0.05;
  const on = cover(cap, soft * 1.4) * cover(v - Math.min(line, sides), soft * (p.hairStyle === "cropped" ? 4 : 2));
  const strands = p.hairStyle === "afro" ? 0.08 * Math.sin(x * 31) * Math.sin(v * 29) : 0.06 * Math.sin(x * 24 + v * 5 * p.parting);
  const shine = 0.18 * gauss(v + 0.75 + 0.15 * s, 0.1) * (p.hairStyle === "afro" ? 0.3 : 1);
  const opacity = p.hairStyle === "cropped" ? 0.8 : 1;
  blend(data, i, tinted(p.hair, (0.92 + strands + shine) * lit), on * opacity);
}

function folds(data: Float32Array, i: number, x: number, v: number, strength: number, p: Looks, dark: Rgb): void {
  const a = Math.abs(x);
  const nasolabial = gauss(a - (p.noseWidth + 0.07 + 0.4 * (v - 0.3)), 0.02) * ramp(v, 0.28, 0.34) * (1 - ramp(v, 0.5, 0.58));
  const forehead = gauss(Math.sin((v + 0.5) * 34), 0.25) * gauss(v + 0.52, 0.09) * (1 - ramp(a, 0.25, 0.45));
  blend(data, i, dark, strength * (1.1 * nasolabial + 0.6 * forehead));
}

function beard(
  data: Float32Array,
  i: number,
  x: number,
  v: number,
  d: number,
  inside: number,
  soft: number,
  p: Looks,
  tinted: Tinted,
  lit: number,
): void {
  if (p.beard === "none") return;
  const a = Math.abs(x);
  const my = p.mouthHeight;
  const lip = box(x, v - (my - 0.11), p.mouthWidth * 0.95, 0.045) + 0.35 * a * a;
  let on = cover(lip, soft * 2);
  if (p.beard === "goatee") on = Math.max(on, cover(ellipse(x, v - my - 0.28, 0.27, 0.24), soft * 2));
  if (p.beard === "full") {
    const edge = 0.62 - 0.62 * Math.min(1, (a / p.width) ** 1.5);
    on = Math.max(on, ramp(v, edge + 0.02, edge + 0.16));
  }
  const mouth = cover(ellipse(x, v - my, p.mouthWidth * 0.9, 0.075), soft * 2);
  blend(
    data,
    i,
    tinted(p.hair, (0.86 + 0.08 * Math.sin(x * 37 + v * 23)) * lit),
    Math.max(inside, cover(d - 0.05, soft) * (p.beard === "full" && v > 0.3 ? 1 : 0)) * 0.93 * on * (1 - mouth),
  );
}

function features(
  data: Float32Array,
  i: number,
  u: number,
  v: number,
  soft: number,
  p: Looks,
  pose: Pose,
  inside: number,
  tinted: Tinted,
  lit: number,
): void {
  if (v < -0.6 || v > 0.85) return;
  const dark = tinted(p.skin, 0.5 * lit);
  if (v < 0.35)
    for (const side of [-1, 1]) {
      const ex = u - side * p.eyeDistance;
      if (Math.abs(ex) > 0.36) continue;
      const ey = v - EYE_Y - side * ex * p.eyeSlant;
      blend(data, i, tinted(p.skin, 0.72 * lit), inside * 0.65 * gauss(ex, 0.16) * gauss(ey + 0.02, 0.1));
      const lid = ellipse(ex, ey, p.eyeSize * 1.25, p.eyeSize * (0.68 - 0.18 * pose.smile));
      const open = inside * cover(lid, soft);
      blend(data, i, tinted(WHITE, 1), open);
      const look = ex - pose.yaw * 0.03;
      blend(data, i, tinted(p.iris, 1), open * cover(ellipse(look, ey, p.eyeSize * 0.62, p.eyeSize * 0.62), soft));
      blend(data, i, INK, open * cover(ellipse(look, ey, p.eyeSize * 0.3, p.eyeSize * 0.3), soft));
      blend(data, i, [1, 1, 1], open * 0.9 * cover(ellipse(look - 0.03, ey + 0.035, 0.022, 0.022), soft));
      const lash = gauss(lid, 0.012 + soft * 0.5) * (ey < 0.01 ? 1 : 0.25) * cover(Math.abs(ex) - p.eyeSize * 1.35, soft);
      blend(data, i, INK, inside * 0.9 * lash);
      const by = v - EYE_Y + p.browHeight - side * ex * p.browTilt + 1.4 * ex * ex - 0.03 * pose.smile;
      blend(data, i, tinted(p.hair, 0.75), inside * 0.92 * cover(box(ex, by, p.eyeSize * 1.5, p.browThickness), soft * 1.3));
    }
  // Nose: a lit ridge, a side away from the light, wings and nostrils.
  const tip = EYE_Y + p.noseLength;
  const ridge = u - pose.yaw * 0.07;
  if (Math.abs(ridge) < 0.4 && v < tip + 0.2) {
    const along = ramp(v, EYE_Y - 0.05, EYE_Y + 0.12) * (1 - ramp(v, tip - 0.04, tip + 0.04));
    blend(data, i, dark, inside * 0.4 * along * gauss(ridge + Math.sign(pose.light || 1) * p.noseWidth * 0.6, 0.05));
    blend(data, i, tinted(p.skin, 1.12 * lit), inside * 0.5 * along * gauss(ridge, 0.04));
    const wing = Math.hypot(ridge / p.noseWidth, (v - tip) / 0.09) - 1;
    blend(data, i, dark, inside * 0.45 * gauss(wing, 0.22) * ramp(v, tip - 0.06, tip));
    blend(data, i, tinted(p.skin, 1.05 * lit), inside * 0.5 * gauss(ridge, p.noseWidth * 0.5) * gauss(v - tip + 0.03, 0.06));
    for (const side of [-1, 1])
      blend(
        data,
        i,
        tinted(p.skin, 0.3),
        inside * 0.85 * cover(ellipse(ridge - side * p.noseWidth * 0.5, v - tip - 0.04, 0.038, 0.024), soft),
      );
  }
  // Mouth: lips around a dark line that curves with the smile.
  const half = p.mouthWidth * (1 + 0.25 * pose.smile);
  if (Math.abs(u) < half && v > p.mouthHeight - 0.3) {
    const my = v - p.mouthHeight + (pose.smile * 0.22 * (u * u)) / half - 0.02;
    const taper = Math.sqrt(1 - (u / half) ** 2);
    const open = pose.mouthOpen * 0.09;
    const around = Math.abs(my - open * 0.4);
    blend(data, i, tinted(p.lips, lit), inside * 0.95 * cover(around - (p.lipFullness + open) * taper, soft));
    blend(
      data,
      i,
      pose.mouthOpen > 0.4 ? [0.93, 0.91, 0.88] : [0.25, 0.08, 0.08],
      inside * cover(around - (0.012 + open * 0.8) * taper, soft),
    );
  }
  blend(data, i, dark, inside * 0.3 * gauss(u, 0.12) * gauss(v - p.mouthHeight - 0.2, 0.04));
}

function glasses(data: Float32Array, i: number, u: number, v: number, soft: number, p: Looks, tinted: Tinted): void {
  const y = v - EYE_Y - 0.02;
  if (Math.abs(y) > 0.4) return;
  const r = p.eyeDistance * 0.78;
  const colour = mix(p.frame, tinted(p.frame, 1), 0.5);
  for (const side of [-1, 1]) {
    const x = u - side * p.eyeDistance;
    const rim = p.glasses === "round" ? ellipse(x, y, r, r * 0.92) : box(x, y, r, r * 0.66) - 0.02;
    blend(data, i, [0.85, 0.9, 0.95], 0.12 * cover(rim, soft));
    blend(data, i, colour, 0.95 * cover(Math.abs(rim) - 0.026, soft));
    blend(
      data,
      i,
      colour,
      0.95 *
        cover(
          box(
            u - side * (p.eyeDistance + r + (p.width - p.eyeDistance - r) / 2),
            y + 0.03,
            Math.max(0.01, (p.width - p.eyeDistance - r) / 2),
            0.02,
          ),
          soft,
        ),
    );
  }
  blend(data, i, colour, 0.95 * cover(box(u, y + 0.03, Math.max(0.02, p.eyeDistance - r), 0.022), soft));
}
