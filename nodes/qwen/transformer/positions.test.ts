import { expect, test } from "vitest";
import { msropePositions, rotationTables } from "./positions.ts";

const target = { h: 2, w: 2 };

/** Frame, and the first and last place of each picture. */
function corners(method: Parameters<typeof msropePositions>[3], ...references: { h: number; w: number }[]) {
  const { image } = msropePositions(target, references, "comfyui", method);
  let at = 0;
  return [target, ...references].map(({ h, w }) => {
    const [first, last] = [image[at], image[at + h * w - 1]];
    at += h * w;
    return [first, last];
  });
}

test("references stand in frames of their own, or beside one another in frame 1", () => {
  const [wide, tall] = [
    { h: 2, w: 4 },
    { h: 4, w: 2 },
  ];
  expect(corners("index", wide, tall)).toEqual([
    [
      [0, -1, -1],
      [0, 0, 0],
    ],
    [
      [1, -1, -2],
      [1, 0, 1],
    ],
    [
      [2, -2, -1],
      [2, 1, 0],
    ],
  ]);
  expect(corners("index_timestep_zero", wide, tall)).toEqual(corners("index", wide, tall));
  expect(corners("negative_index", wide, tall).map(([first]) => first?.[0])).toEqual([0, -1, -2]);
  // wide lies at the origin; beside it the sheet would be 4 high and 6 wide, below it 6 high and 4 wide: 4+2 > 2+4 is false.
  expect(corners("uxo", wide, tall)).toEqual([
    [
      [0, -1, -1],
      [0, 0, 0],
    ],
    [
      [1, -1, -2],
      [1, 0, 1],
    ],
    [
      [1, 0, -1],
      [1, 3, 0],
    ],
  ]);
  // After a tall one (4×2), another tall one goes to its right: 4+4 > 2+2.
  expect(corners("offset", tall, tall)).toEqual([
    [
      [0, -1, -1],
      [0, 0, 0],
    ],
    [
      [1, -2, -1],
      [1, 1, 0],
    ],
    [
      [1, -2, 1],
      [1, 1, 2],
    ],
  ]);
});

test("text starts beyond the largest picture for diffusers, beyond the target for ComfyUI", () => {
  const references = [{ h: 9, w: 3 }];
  expect(msropePositions(target, references, "diffusers").textStart).toBe(4);
  expect(msropePositions(target, references, "comfyui").textStart).toBe(1);
});

test("each axis turns its own pairs", () => {
  const { cos, sin } = rotationTables([[1, 2, 3]], [2, 4, 2]);
  const angles = [1, 2, 2 * 10000 ** -0.5, 3];
  expect(cos.shape).toEqual([1, 4]);
  angles.forEach((angle, i) => {
    expect(cos.data[i]).toBe(Math.fround(Math.cos(angle)));
    expect(sin.data[i]).toBe(Math.fround(Math.sin(angle)));
  });
});
