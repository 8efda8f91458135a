import { expect, test } from "vitest";
import { randomSource } from "../../../engine/base/random.ts";
import { jpegRoundTrip } from "../pictures/codec.ts";
import { DEGRADATIONS, type Degradation } from "./degradations.ts";
import { degrade, type Planes } from "./degrade.ts";

const SIDE = 12;
const AREA = SIDE * SIDE;

/** Colours that differ at every place and between the planes, away from black and white. */
function planesOf(seed = 1): Planes {
  const rng = randomSource(seed);
  return { side: SIDE, data: Float32Array.from({ length: 3 * AREA }, (_, i) => 0.25 + 0.15 * Math.floor(i / AREA) + 0.2 * rng.uniform()) };
}
const grey = (side: number, value = 0.5): Planes => ({ side, data: new Float32Array(3 * side * side).fill(value) });
const run = (kind: Degradation, planes: Planes, strength = 1, seed = 1) => degrade(kind, planes, strength, randomSource(seed));
const differences = (a: Planes, b: Planes) => a.data.map((x, i) => x - (b.data[i] ?? Number.NaN));
const deviation = (values: Float32Array) => {
  const mean = values.reduce((s, x) => s + x, 0) / values.length;
  return Math.sqrt(values.reduce((s, x) => s + (x - mean) ** 2, 0) / values.length);
};

/** A place outside is the one as far inside: … 2 1 | 0 1 2 … */
const inside = (i: number) => (i < 0 ? -i : i >= SIDE ? 2 * SIDE - 2 - i : i);
/** Every pixel as the mean of those round it, by weights that may look at both. */
function filtered(planes: Planes, radius: number, weight: (dy: number, dx: number, colours: readonly number[][]) => number): Planes {
  const at = (c: number, y: number, x: number) => planes.data[c * AREA + inside(y) * SIDE + inside(x)] ?? Number.NaN;
  const out = new Float32Array(3 * AREA);
  for (let y = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++) {
      const own = [0, 1, 2].map((c) => at(c, y, x));
      let sum = 0;
      const mean = [0, 0, 0];
      for (let dy = -radius; dy <= radius; dy++)
        for (let dx = -radius; dx <= radius; dx++) {
          const other = [0, 1, 2].map((c) => at(c, y + dy, x + dx));
          const w = weight(dy, dx, [own, other]);
          sum += w;
          for (const c of [0, 1, 2]) mean[c] = (mean[c] ?? 0) + w * (other[c] ?? Number.NaN);
        }
      for (const c of [0, 1, 2]) out[c * AREA + y * SIDE + x] = (mean[c] ?? Number.NaN) / sum;
    }
  return { side: SIDE, data: out };
}
const gaussian = (planes: Planes, sigma: number) =>
  filtered(planes, Math.ceil(3 * sigma), (dy, dx) => Math.exp(-(dy * dy + dx * dx) / (2 * sigma ** 2)));
const bilateral = (planes: Planes, colour: number) =>
  filtered(planes, 3, (dy, dx, [own = [], other = []]) => {
    const apart = own.reduce((s, v, c) => s + (v - (other[c] ?? Number.NaN)) ** 2, 0);
    return Math.exp(-(dy * dy + dx * dx) / (2 * 2 ** 2)) * Math.exp(-apart / (2 * colour ** 2));
  });
function expectClose(actual: Planes, expected: Planes): void {
  expect(actual.side).toBe(expected.side);
  expect(Math.max(...differences(actual, expected).map(Math.abs))).toBeLessThan(1e-5);
}

test("blur is a Gaussian of the strength's σ, at least 0.3, with mirrored edges", async () => {
  const planes = planesOf();
  expectClose(await run("blur", planes, 1.4), gaussian(planes, 1.4));
  expectClose(await run("blur", planes, 0.1), gaussian(planes, 0.3));
});

test("plastic is a bilateral filter of σ 2 in space and 0.06·strength in colour, twice", async () => {
  const planes = planesOf();
  for (const strength of [0.5, 1.5])
    expectClose(await run("plastic", planes, strength), bilateral(bilateral(planes, 0.06 * strength), 0.06 * strength));
});

test("sharpening goes as far beyond the picture as a blur of σ 1 falls short of it, one and a half times", async () => {
  const planes = planesOf();
  const soft = gaussian(planes, 1);
  expectClose(await run("sharpen", planes, 0.6), {
    side: SIDE,
    data: planes.data.map((x, i) => x + 0.9 * (x - (soft.data[i] ?? Number.NaN))),
  });
});

test("noise: of each colour its own, of 5 levels; grain: the same in all colours", async () => {
  const [side, area] = [64, 64 * 64];
  const coloured = await run("rgb_noise", grey(side), 2);
  const noise = coloured.data.map((x) => x - 0.5);
  expect(deviation(noise)).toBeCloseTo(10 / 255, 3);
  // Sums of independent numbers: √3 as wide as one.
  expect(deviation(noise.slice(0, area).map((x, i) => x + (noise[area + i] ?? 0) + (noise[2 * area + i] ?? 0)))).toBeCloseTo(
    (Math.sqrt(3) * 10) / 255,
    2,
  );
  const grain = (await run("grey_grain", grey(side), 2)).data.map((x) => x - 0.5);
  expect(deviation(grain.slice(0, area))).toBeCloseTo(10 / 255, 2);
  for (const c of [1, 2]) expect(grain.slice(c * area, (c + 1) * area)).toEqual(grain.slice(0, area));
  // White noise: neighbours have nothing in common.
  expect(deviation(grain.slice(0, area - 1).map((x, i) => x - (grain[i + 1] ?? 0)))).toBeCloseTo((Math.sqrt(2) * 10) / 255, 2);
});

test("plastic grain is smooth skin under soft grain: 10 levels of noise through a Gaussian of σ 1", async () => {
  const [side, area] = [96, 96 * 96];
  const grain = (await run("plastic_grain", grey(side), 2)).data.map((x) => x - 0.5);
  const [own, next] = [grain.slice(0, area - 1), grain.slice(1, area)];
  // A Gaussian of σ leaves 1/(2√π·σ) of white noise, and neighbours alike by e^−1/4.
  const sigma = (20 / 255) * (1 / (2 * Math.sqrt(Math.PI)));
  expect(deviation(own) / sigma).toBeCloseTo(1, 1);
  expect(own.reduce((s, x, i) => s + x * (next[i] ?? 0), 0) / own.length / sigma ** 2).toBeCloseTo(Math.exp(-1 / 4), 1);
  expect(grain.slice(area, 2 * area)).toEqual(grain.slice(0, area));
  const planes = planesOf();
  const under = differences(await run("plastic_grain", planes, 0.5), await run("plastic", planes, 0.5));
  expect(
    Math.max(...differences({ side: SIDE, data: under }, { side: SIDE, data: repeated(under.slice(0, AREA)) }).map(Math.abs)),
  ).toBeLessThan(1e-6);
});
const repeated = (plane: Float32Array) => Float32Array.from({ length: 3 * plane.length }, (_, i) => plane[i % plane.length] ?? Number.NaN);

test("JPEG of quality 25/strength, between 5 and 90", async () => {
  const planes = planesOf();
  const rgb = Uint8Array.from({ length: 3 * AREA }, (_, i) => Math.round(255 * (planes.data[(i % 3) * AREA + Math.floor(i / 3)] ?? 0)));
  for (const [strength, quality] of [
    [0.5, 50],
    [1.25, 20],
    [0.1, 90],
    [50, 5],
  ] as const) {
    const back = await jpegRoundTrip(rgb, SIDE, SIDE, quality);
    const expected = Float32Array.from({ length: 3 * AREA }, (_, i) => (back[3 * (i % AREA) + Math.floor(i / AREA)] ?? Number.NaN) / 255);
    expectClose(await run("jpeg", planes, strength), { side: SIDE, data: expected });
  }
});

test("a checkerboard of ±4 levels, the same in all colours, whose first field comes from the seed", async () => {
  const first = new Set<number>();
  for (let seed = 1; seed <= 8; seed++) {
    const board = (await run("checkerboard", grey(SIDE), 0.5, seed)).data.map((x) => x - 0.5);
    const corner = Math.sign(board[0] ?? 0);
    first.add(corner);
    board.forEach((x, i) => {
      const place = i % AREA;
      expect(x).toBeCloseTo((corner * (((place % SIDE) + Math.floor(place / SIDE)) % 2 === 0 ? 2 : -2)) / 255, 6);
    });
  }
  expect(first).toEqual(new Set([1, -1]));
});

test("nothing leaves 0 … 1, black and white neither, in any way", async () => {
  const data = Float32Array.from({ length: 3 * AREA }, (_, i) => (i % 5 === 0 ? 1 : 0));
  for (const kind of DEGRADATIONS) {
    const { data: out } = await run(kind, { side: SIDE, data }, 1.5);
    expect(Math.min(...out), kind).toBeGreaterThanOrEqual(0);
    expect(Math.max(...out), kind).toBeLessThanOrEqual(1);
  }
});

test("a window smaller than the filter is filtered too", async () => {
  for (const side of [1, 2]) for (const x of (await run("blur", grey(side, 0.3), 1.5)).data) expect(x).toBeCloseTo(0.3, 6);
});
