import { expect, test } from "vitest";
import type { Point } from "../shared/contracts/data.ts";
import { ImagePyramid } from "../shared/pictures/warp-image.ts";
import type { Sighting } from "./blazeface-search.ts";
import { confirmFace, isSure } from "./confirm-face.ts";
import type { FindLandmarks } from "./landmarks68.ts";
import type { Look } from "./square-net.ts";

const SIZE = 200;
const picture = new ImagePyramid({ data: new Float32Array(SIZE * SIZE * 3), width: SIZE, height: SIZE });
/** A face of 60 pixels in the middle. */
const sighting: Sighting = {
  box: [70, 70, 130, 130],
  close: [70, 70, 130, 130],
  score: 0.7,
  first: 0.7,
  agreement: 0.6,
  eyes: [
    [88, 92],
    [112, 92],
  ],
  mouth: [100, 115],
};

/** BlazeFace that sees one face in the middle of any square, a third of it wide, with this score. */
function sees(score: number): { readonly look: Look; readonly asked: () => number } {
  let asked = 0;
  const look: Look = async () => {
    asked++;
    const scores = new Float32Array(896).fill(-100);
    const boxes = new Float32Array(896 * 16);
    // The first anchor of the cell right below the middle: its centre lies at 8.5 of 16.
    const anchor = (8 * 16 + 8) * 2;
    scores[anchor] = Math.log(score / (1 - score));
    const offset = -0.5 * (256 / 16);
    boxes.set([offset, offset, 256 / 3, 256 / 3], anchor * 16);
    return (name) => (name === "scores" ? scores : boxes);
  };
  return { look, asked: () => asked };
}

/** Landmarks of a face `size` pixels wide, moved by `shake` pixels more at every call. */
function landmarks(size: number, shake = 0): FindLandmarks {
  let call = 0;
  return async () => {
    const moved = shake * call++;
    // Jaw and brows, nose, eyes and mouth of a schematic face.
    const at = (x: number, y: number): Point => [100 + x * size + moved, 100 + y * size];
    const row = (n: number, x0: number, x1: number, y: number) =>
      Array.from({ length: n }, (_, i) => at(x0 + ((x1 - x0) * i) / (n - 1), y));
    return [
      ...row(17, -0.5, 0.5, 0.4),
      ...row(10, -0.4, 0.4, -0.25),
      ...row(4, 0, 0.001, 0),
      ...row(5, -0.08, 0.08, 0.1),
      ...row(6, -0.28, -0.12, -0.13),
      ...row(6, 0.12, 0.28, -0.13),
      ...row(12, -0.16, 0.16, 0.25),
      ...row(8, -0.12, 0.12, 0.25),
    ];
  };
}

const confirm = (look: Look, find: FindLandmarks, change: Partial<Sighting> = {}, minScore = 0.5) =>
  confirmFace(look, find, picture, { ...sighting, ...change }, { minScore, turn: 0 });

test("a sighting that is sure in both looks needs no third one", async () => {
  expect([isSure({ ...sighting, first: 0.8, agreement: 0.65 }), isSure(sighting), isSure({ ...sighting, first: 0.9 })]).toEqual([
    true,
    false,
    false,
  ]);
  const { look, asked } = sees(0.01);
  const face = await confirm(look, landmarks(60, 30), { first: 0.9, agreement: 0.7 });
  expect(face).toMatchObject({ box: sighting.box, score: 0.7 });
  expect([face?.points68?.length, asked()]).toEqual([68, 0]);
});

test("what is not sure is looked at mirrored: it counts as much as the second look", async () => {
  // Trust is 0.7 · (0.6 + mirrored)/2, and 0.22 is enough.
  expect(await confirm(sees(0.7).look, landmarks(60))).toBeDefined();
  expect(await confirm(sees(0.06).look, landmarks(60), { agreement: 0.5 })).toBeUndefined();
  expect(await confirm(sees(0.7).look, landmarks(60), { first: 0.3, agreement: 0.4 })).toBeUndefined();
});

test("landmarks that wander when the square is nudged are no face's", async () => {
  expect(await confirm(sees(0.7).look, landmarks(60, 0.5))).toBeDefined();
  expect(await confirm(sees(0.7).look, landmarks(60, 8))).toBeUndefined();
});

test("landmarks that collapse are no face's, however sure the looks were", async () => {
  const sure = { first: 0.95, agreement: 0.9 };
  expect(await confirm(sees(0.9).look, landmarks(60), sure)).toBeDefined();
  expect(await confirm(sees(0.9).look, landmarks(15), sure)).toBeUndefined();
  expect(await confirm(sees(0.9).look, landmarks(0), sure)).toBeUndefined();
});

test("who asks for less certain faces gets them", async () => {
  const doubtful = { first: 0.3, agreement: 0.35 };
  expect(await confirm(sees(0.3).look, landmarks(60), doubtful)).toBeUndefined();
  expect(await confirm(sees(0.3).look, landmarks(60), doubtful, 0.1)).toBeDefined();
});
