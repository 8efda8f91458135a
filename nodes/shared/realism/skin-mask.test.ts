import { expect, test } from "vitest";
import type { Face, Point } from "../contracts/data.ts";
import { skinMask } from "./skin-mask.ts";

const SIDE = 64;
const WINDOW = { x: 100, y: 200, side: SIDE };
/** Upright, its box the window: eyes 24 pixels apart, mouth 16 wide. */
const FACE: Face = {
  box: [100, 200, 164, 264],
  score: 1,
  points5: [
    [120, 225],
    [144, 225],
    [132, 238],
    [124, 250],
    [140, 250],
  ],
};

/** Whether pixels with these centres belong to the skin. */
function skinOf(face: Face, window = WINDOW): (x: number, y: number) => boolean {
  const data = skinMask(face, window)?.data ?? [];
  return (x, y) => (data[Math.floor(y - window.y) * window.side + Math.floor(x - window.x)] ?? 0) > 0;
}
const has = (face: Face, x: number, y: number) => skinOf(face)(x, y);

test("the weights are equal and sum to 1", () => {
  const data = [...(skinMask(FACE, WINDOW)?.data ?? [])].filter((w) => w > 0);
  expect(new Set(data).size).toBe(1);
  expect(data.reduce((a, w) => a + w, 0)).toBeCloseTo(1, 5);
});

test("without landmarks the outline is an ellipse of 0.8 times the box", () => {
  // Half axes 0.4 · 64 = 25.6 round (132, 232).
  for (const [x, y, is] of [
    [157.5, 232.5, true],
    [158.5, 232.5, false],
    [106.5, 232.5, true],
    [105.5, 232.5, false],
    [132.5, 207.5, true],
    [132.5, 205.5, false],
    [132.5, 257.5, true],
    [132.5, 258.5, false],
    [151.5, 251.5, false],
    [149.5, 249.5, true],
  ] as const)
    expect(has(FACE, x, y), `${x} ${y}`).toBe(is);
  const narrow: Face = { ...FACE, box: [116, 200, 148, 264] };
  expect([has(narrow, 143.5, 232.5), has(narrow, 146.5, 232.5)]).toEqual([true, false]);
});

test("eyes and mouth are left out, as wide and high as their distance says", () => {
  // Eyes: 0.32 and 0.2 of 24 → 7.68 by 4.8. Mouth: 0.65 and 0.35 of 16 → 10.4 by 5.6 round (132, 250).
  for (const [x, y, is] of [
    [120.5, 225.5, false],
    [127.5, 225.5, false],
    [128.5, 225.5, true],
    [120.5, 229.5, false],
    [120.5, 230.5, true],
    [136.5, 225.5, false],
    [135.5, 225.5, true],
    [144.5, 220.5, false],
    [144.5, 219.5, true],
    [142.5, 250.5, true],
    [141.5, 250.5, false],
    [122.5, 249.5, false],
    [121.5, 249.5, true],
    [132.5, 244.5, false],
    [132.5, 243.5, true],
    [132.5, 255.5, false],
    [132.5, 256.5, true],
  ] as const)
    expect(has(FACE, x, y), `${x} ${y}`).toBe(is);
});

test("what is left out turns with the face", () => {
  const centre: Point = [132, 232];
  const turn = ([x, y]: Point): Point => [centre[0] - (y - centre[1]), centre[1] + (x - centre[0])];
  const [a, b, c, d, e] = FACE.points5;
  const turned: Face = { ...FACE, points5: [turn(a), turn(b), turn(c), turn(d), turn(e)] };
  const [before, after] = [skinOf(FACE), skinOf(turned)];
  for (let y = 200.5; y < 264; y++) for (let x = 100.5; x < 164; x++) expect(after(...turn([x, y])), `${x} ${y}`).toBe(before(x, y));
});

test("an eighth of a turn leaves out what lies along the line of the eyes", () => {
  const s = Math.SQRT1_2;
  const turn = ([x, y]: Point): Point => [132 + s * (x - 132) - s * (y - 232), 232 + s * (x - 132) + s * (y - 232)];
  const [a, b, c, d, e] = FACE.points5;
  const turned: Face = { ...FACE, points5: [turn(a), turn(b), turn(c), turn(d), turn(e)] };
  const eye = turn(a);
  // Along the line 6 pixels are still the eye; across it they are skin.
  expect(has(turned, eye[0] + 6 * s, eye[1] + 6 * s)).toBe(false);
  expect(has(turned, eye[0] - 6 * s, eye[1] + 6 * s)).toBe(true);
});

test("with 68 points the outline is the jaw and the brows above it, whatever the box says", () => {
  // A jaw of 17 points round the lower half, brows as a straight line above: left to right.
  const jaw = Array.from(
    { length: 17 },
    (_, i): Point => [132 - 20 * Math.cos((i * Math.PI) / 16), 226 + 30 * Math.sin((i * Math.PI) / 16)],
  );
  const brows = Array.from({ length: 10 }, (_, i): Point => [112 + (40 * (i + 0.5)) / 10, 214]);
  const rest = Array.from({ length: 41 }, (): Point => [100, 200]);
  const face: Face = { ...FACE, box: [0, 0, 5, 5], points68: [...jaw, ...brows, ...rest] };
  for (const [x, y, is] of [
    [132.5, 213.5, false],
    [132.5, 214.5, true],
    [113.5, 231.5, true],
    [111.5, 231.5, false],
    [151.5, 231.5, true],
    [152.5, 231.5, false],
    [108.5, 230.5, false],
    [115.5, 244.5, false],
    [119.5, 246.5, true],
    [132.5, 257.5, false],
    [100.5, 200.5, false],
  ] as const)
    expect(has(face, x, y), `${x} ${y}`).toBe(is);
});

test("no skin in the window is none at all; coinciding points leave nothing out", () => {
  expect(skinMask(FACE, { x: 300, y: 200, side: 24 })).toBeUndefined();
  const p: Point = [132, 232];
  const flat: Face = { ...FACE, points5: [p, p, p, p, p] };
  expect(has(flat, 132.5, 232.5)).toBe(true);
});
