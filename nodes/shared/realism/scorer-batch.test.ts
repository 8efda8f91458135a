import { expect, test } from "vitest";
import { randomSource } from "../../../engine/base/random.ts";
import type { Planes } from "./degrade.ts";
import { batchOfPairs, type FacePair } from "./scorer-batch.ts";

const [FROM, SIDE] = [26, 24];
const AREA = 3 * SIDE * SIDE;

/** Numbers that tell place, colour and picture apart: none of them is a whole number of 255ths. */
function planesOf(picture: number): Planes {
  const data = Float32Array.from({ length: 3 * FROM * FROM }, (_, i) => {
    const [x, y, c] = [i % FROM, Math.floor(i / FROM) % FROM, Math.floor(i / FROM ** 2)];
    return (x + 30 * y + 900 * c + 3000 * picture + 0.25) / 10_000;
  });
  return { side: FROM, data };
}
const pair = (changes: Partial<FacePair>): FacePair => ({ win: planesOf(0), lose: planesOf(1), weight: 1, labelled: false, ...changes });
const windowOf = (windows: Float32Array, at: number) => windows.slice(at * AREA, (at + 1) * AREA);

/** Where in a picture a window of it lies, and whether it is turned; undefined when it is no window of the picture. */
function found(window: Float32Array, { data }: Planes, error: number): string | undefined {
  for (const turned of [false, true])
    for (let y0 = 0; y0 <= FROM - SIDE; y0++)
      for (let x0 = 0; x0 <= FROM - SIDE; x0++) {
        const isHere = window.every((v, i) => {
          const [x, y, c] = [i % SIDE, Math.floor(i / SIDE) % SIDE, Math.floor(i / SIDE ** 2)];
          return Math.abs(v - (data[(c * FROM + y0 + y) * FROM + x0 + (turned ? SIDE - 1 - x : x)] ?? Number.NaN)) <= error;
        });
        if (isHere) return `${x0},${y0}${turned ? " turned" : ""}`;
      }
  return undefined;
}

test("windows lie anywhere in the picture, turned half the time, all colours alike; half of them are rounded to 8 bits", async () => {
  const places = new Map<string, number>();
  let [turned, rounded, count] = [0, 0, 0];
  const rng = randomSource(1);
  for (let n = 0; n < 40; n++) {
    const { windows } = await batchOfPairs([pair({}), pair({})], [], SIDE, rng);
    for (let at = 0; at < 8; at++) {
      // In order: the better ones, the worse ones, and where nothing is worsened the better ones again.
      const window = windowOf(windows.data, at);
      const place = found(window, planesOf(at === 2 || at === 3 ? 1 : 0), 0.5 / 255 + 1e-6);
      expect(place, `${at}`).toBeDefined();
      const [where = "", turn] = place?.split(" ") ?? [];
      places.set(where, (places.get(where) ?? 0) + 1);
      if (turn) turned++;
      if (window.every((v) => Math.abs(255 * v - Math.round(255 * v)) < 1e-4)) rounded++;
      else expect(found(window, planesOf(at === 2 || at === 3 ? 1 : 0), 1e-7), `${at}`).toBeDefined();
      count++;
    }
  }
  expect([...places.keys()].sort()).toEqual(["0,0", "0,1", "0,2", "1,0", "1,1", "1,2", "2,0", "2,1", "2,2"]);
  for (const part of [turned, rounded]) expect(Math.abs(part / count - 0.5)).toBeLessThan((4 * 0.5) / Math.sqrt(count));
});

test("what counts in which comparison: by label, by whether there is a worse one, by the pair's weight", async () => {
  const pairs = [
    pair({ weight: 2, labelled: true }),
    pair({ weight: 4, labelled: false }),
    pair({ weight: 6, labelled: false, lose: null }),
    pair({ weight: 8, labelled: true, lose: null }),
  ];
  const { preference, real, fake, windows } = await batchOfPairs(pairs, ["blur"], SIDE, randomSource(2));
  expect([windows.shape, preference.shape, real.shape, fake.shape]).toEqual([
    [16, 3, SIDE, SIDE],
    [3, 4],
    [1, 4],
    [3, 4],
  ]);
  // Only known to be real where it is labelled, or where nothing else is known than that it is to be worsened.
  expect([...real.data]).toEqual([2, 0, 6, 8]);
  expect([...preference.data]).toEqual([2, 4, 0, 0, 1, 2, 3, 4, 1, 2, 3, 4]);
  expect([...fake.data]).toEqual([2, 0, 0, 0, 1, 0, 3, 4, 1, 0, 3, 4]);
});

test("without hard negatives the worsened ones count for nothing", async () => {
  const { preference, real, fake } = await batchOfPairs([pair({ labelled: true, weight: 3 })], [], SIDE, randomSource(2));
  expect([[...preference.data], [...real.data], [...fake.data]]).toEqual([[3, 0, 0], [3], [3, 0, 0]]);
});

test("the better picture is worsened, by each kind in turn of chance", async () => {
  const flat: Planes = { side: FROM, data: new Float32Array(3 * FROM * FROM).fill(0.5) };
  const rng = randomSource(3);
  let [noisy, checked] = [0, 0];
  for (let n = 0; n < 30; n++) {
    const { windows } = await batchOfPairs([pair({ win: flat })], ["rgb_noise", "checkerboard"], SIDE, rng);
    for (const at of [2, 3]) {
      // A checkerboard has two levels, which rounding keeps; noise has many.
      const levels = new Set(windowOf(windows.data, at)).size;
      if (levels === 2) checked++;
      else if (levels > 2) noisy++;
    }
    expect(new Set(windowOf(windows.data, 0)).size).toBe(1);
  }
  expect(noisy + checked).toBe(60);
  for (const n of [noisy, checked]) expect(n).toBeGreaterThan(12);
});

test("the strength is drawn between a half and one and a half", async () => {
  const flat: Planes = { side: FROM, data: new Float32Array(3 * FROM * FROM).fill(0.5) };
  const strengths: number[] = [];
  const rng = randomSource(4);
  for (let n = 0; n < 60; n++) {
    const { windows } = await batchOfPairs([pair({ win: flat })], ["checkerboard"], SIDE, rng);
    for (const at of [2, 3]) {
      const window = windowOf(windows.data, at);
      // Rounded windows are off by up to half a level.
      if (window.some((v) => Math.abs(255 * v - Math.round(255 * v)) > 1e-3)) strengths.push((255 * (Math.max(...window) - 0.5)) / 4);
    }
  }
  expect(Math.min(...strengths)).toBeGreaterThanOrEqual(0.5 - 1e-3);
  expect(Math.min(...strengths)).toBeLessThan(0.65);
  expect(Math.max(...strengths)).toBeLessThanOrEqual(1.5 + 1e-3);
  expect(Math.max(...strengths)).toBeGreaterThan(1.35);
});
