// What a realism scorer must not be deceived by, and must not reward: real faces, made worse in ways that models and reward hackers find.
import type { RandomSource } from "../../../engine/base/random.ts";
import { jpegRoundTrip } from "../pictures/codec.ts";
import type { Degradation } from "./degradations.ts";

/** Planes [3, side, side] in 0..1. */
export interface Planes {
  readonly data: Float32Array;
  readonly side: number;
}

/** Strength 1 is what the degradation table measures; training draws 0.5 to 1.5. */
export async function degrade(kind: Degradation, planes: Planes, strength: number, rng: RandomSource): Promise<Planes> {
  switch (kind) {
    case "blur":
      return blurred(planes, strength);
    case "plastic":
      return plastic(planes, strength);
    case "rgb_noise":
      return added(planes, () => (5 / 255) * strength * rng.normal());
    case "grey_grain":
      return grained(planes, 5 * strength, 0, rng);
    case "sharpen": {
      const soft = blurred(planes, 1);
      return { ...planes, data: planes.data.map((x, i) => clamped(x + 1.5 * strength * (x - (soft.data[i] ?? 0)))) };
    }
    case "jpeg":
      return throughJpeg(planes, Math.round(Math.min(90, Math.max(5, 25 / strength))));
    case "checkerboard": {
      const [dx, dy] = [rng.below(2), rng.below(2)];
      return added(
        planes,
        (i) => ((Math.floor((i % planes.side) + dx) + Math.floor(i / planes.side) + dy) % 2 === 0 ? 1 : -1) * (4 / 255) * strength,
      );
    }
    case "plastic_grain":
      return grained(await plastic(planes, strength), 10 * strength, 1, rng);
  }
}

/** The same number is added to the three colours where `of` does not draw. @param of by place, 0 … side² − 1 */
function added({ data, side }: Planes, of: (place: number) => number): Planes {
  return { side, data: data.map((x, i) => clamped(x + of(i % (side * side)))) };
}

/** Noise of brightness alone, standard deviation `levels` of 255 before it is blurred. */
function grained({ data, side }: Planes, levels: number, sigma: number, rng: RandomSource): Planes {
  const noise = rng.normals(new Float32Array(side * side)).map((x) => (x * levels) / 255);
  const grain = sigma === 0 ? noise : separable(noise, side, gaussian(sigma));
  return { side, data: data.map((x, i) => clamped(x + (grain[i % (side * side)] ?? 0))) };
}

function blurred({ data, side }: Planes, sigma: number): Planes {
  const taps = gaussian(Math.max(0.3, sigma));
  const out = new Float32Array(data.length);
  for (let c = 0; c < 3; c++) out.set(separable(data.subarray(c * side * side, (c + 1) * side * side), side, taps), c * side * side);
  return { side, data: out };
}

/** Plastic skin: a bilateral filter, twice. Smooths what differs little and keeps edges. */
function plastic(planes: Planes, strength: number): Planes {
  return bilateral(bilateral(planes, strength), strength);
}

/** Radius 3, σ 2 pixels in space and 0.06·strength in colour. */
function bilateral({ data, side }: Planes, strength: number): Planes {
  const area = side * side;
  const out = new Float32Array(data.length);
  const range = 2 * (0.06 * strength) ** 2;
  const near = Array.from({ length: 49 }, (_, k) => ((k % 7) - 3) ** 2 + (Math.floor(k / 7) - 3) ** 2);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const at = y * side + x;
      const [r0, g0, b0] = [data[at] ?? 0, data[area + at] ?? 0, data[2 * area + at] ?? 0];
      let [r, g, b, sum] = [0, 0, 0, 0];
      for (let k = 0; k < 49; k++) {
        const to = mirror(y + Math.floor(k / 7) - 3, side) * side + mirror(x + (k % 7) - 3, side);
        const r1 = data[to] ?? 0;
        const g1 = data[area + to] ?? 0;
        const b1 = data[2 * area + to] ?? 0;
        const w = Math.exp(-(near[k] ?? 0) / 8 - ((r1 - r0) ** 2 + (g1 - g0) ** 2 + (b1 - b0) ** 2) / range);
        r += w * r1;
        g += w * g1;
        b += w * b1;
        sum += w;
      }
      out[at] = r / sum;
      out[area + at] = g / sum;
      out[2 * area + at] = b / sum;
    }
  return { side, data: out };
}

async function throughJpeg({ data, side }: Planes, quality: number): Promise<Planes> {
  const area = side * side;
  const rgb = new Uint8Array(3 * area);
  for (let i = 0; i < area; i++) for (let c = 0; c < 3; c++) rgb[3 * i + c] = Math.round(255 * clamped(data[c * area + i] ?? 0));
  const back = await jpegRoundTrip(rgb, side, side, quality);
  return { side, data: data.map((_, i) => (back[3 * (i % area) + Math.floor(i / area)] ?? 0) / 255) };
}

function gaussian(sigma: number): number[] {
  const radius = Math.ceil(3 * sigma);
  const taps = Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-0.5 * ((i - radius) / sigma) ** 2));
  const sum = taps.reduce((a, t) => a + t, 0);
  return taps.map((t) => t / sum);
}

function separable(plane: Float32Array, side: number, taps: readonly number[]): Float32Array {
  const radius = (taps.length - 1) / 2;
  const across = new Float32Array(plane.length);
  const out = new Float32Array(plane.length);
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      let sum = 0;
      for (let k = -radius; k <= radius; k++) sum += (taps[k + radius] ?? 0) * (plane[y * side + mirror(x + k, side)] ?? 0);
      across[y * side + x] = sum;
    }
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      let sum = 0;
      for (let k = -radius; k <= radius; k++) sum += (taps[k + radius] ?? 0) * (across[mirror(y + k, side) * side + x] ?? 0);
      out[y * side + x] = sum;
    }
  return out;
}

function mirror(i: number, n: number): number {
  const j = i < 0 ? -i : i >= n ? 2 * (n - 1) - i : i;
  return Math.min(n - 1, Math.max(0, j));
}

function clamped(x: number): number {
  return Math.min(1, Math.max(0, x));
}
