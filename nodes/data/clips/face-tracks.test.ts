import { expect, it } from "vitest";
import { frontality } from "./face-quality.ts";
import type { SeenFace, SeenPicture } from "./face-scan.ts";
import { faceSpace, squaredDistance } from "./face-space.ts";
import { overlapOf, trackFaces } from "./face-tracks.ts";
import { shotsOf } from "./shots.ts";

const space = faceSpace({ kind: "cosine", threshold: 0.8 });
const points5 = (nose: number): SeenFace["points5"] => [
  [0, 0],
  [10, 0],
  [nose, 5],
  [2, 9],
  [8, 9],
];

/** A face at x that looks in a direction (degrees): 37 is as far as one person goes. */
function face(x: number, degrees: number): SeenFace {
  const angle = (degrees * Math.PI) / 180;
  return {
    box: [x, 0, x + 40, 40],
    score: 1,
    points5: points5(5),
    sharpness: 100,
    vector: [Math.cos(angle), Math.sin(angle)],
  };
}
function frame(name: string, faces: readonly SeenFace[], grey = 128): SeenPicture {
  const thumbnail = grey.toString(16).padStart(2, "0").repeat(192);
  return { name, content: name, width: 400, height: 100, hash: "0".repeat(16), thumbnail, faces: [...faces] };
}
/** Directions of each track, in order. */
const tracked = (...frames: SeenFace[][]) =>
  trackFaces(
    frames.map((faces, k) => frame(`${k}`, faces)),
    space,
  ).map((track) => track.map(({ face: { vector } }) => Math.round((Math.atan2(vector[1] ?? 0, vector[0] ?? 0) * 180) / Math.PI)));

it("two people who cross are not swapped", () => {
  expect(tracked([face(0, 0), face(80, 90)], [face(30, 4), face(50, 86)], [face(50, 2), face(30, 88)], [face(80, 0), face(0, 90)])).toEqual(
    [
      [0, 4, 2, 0],
      [90, 86, 88, 90],
    ],
  );
});

it("a face that is not found for two frames goes on; for three, a new track begins", () => {
  expect(tracked([face(0, 0)], [], [], [face(10, 1)])).toEqual([[0, 1]]);
  expect(tracked([face(0, 0)], [], [], [], [face(10, 1)])).toEqual([[0], [1]]);
});

it("a turned head in the same place goes on although it looks different; elsewhere it does not, nor does another person in the place", () => {
  expect(tracked([face(0, 0)], [face(4, 42)])).toEqual([[0, 42]]);
  expect(tracked([face(0, 0)], [face(60, 42)])).toEqual([[0], [42]]);
  expect(tracked([face(0, 0)], [face(0, 90)])).toEqual([[0], [90]]);
});

it("who looks the same far away within a frame is somebody else", () => {
  expect(tracked([face(0, 0)], [face(300, 0)])).toEqual([[0], [0]]);
});

it("shots follow the numbers in the names and end where the picture changes", () => {
  const names = (...of: [string, number][]) =>
    shotsOf(of.map(([name, grey]) => frame(name, [], grey))).map((shot) => shot.map((p) => p.name));
  expect(names(["a/10.jpg", 100], ["a/2.jpg", 90], ["a/11.jpg", 200], ["a/1.jpg", 95])).toEqual([
    ["a/1.jpg", "a/2.jpg", "a/10.jpg"],
    ["a/11.jpg"],
  ]);
  expect(names()).toEqual([]);
});

it("overlap, frontality and distances are what they say", () => {
  expect(overlapOf([0, 0, 10, 10], [5, 0, 15, 10])).toBeCloseTo(1 / 3);
  expect(overlapOf([0, 0, 10, 10], [20, 0, 30, 10])).toBe(0);
  expect(frontality({ points5: points5(5) })).toBe(1);
  expect(frontality({ points5: points5(0) })).toBe(0);
  expect(frontality({ points5: points5(7) })).toBeCloseTo(0.6);
  // Unit vectors at 60°: cosine 0.5.
  const cosine = faceSpace({ kind: "cosine", threshold: 0.5, mean: Float32Array.of(1, 1) });
  expect(squaredDistance(cosine.point([3, 1]), cosine.point([2, 1 + Math.sqrt(3)]))).toBeCloseTo(cosine.limit);
  const l2 = faceSpace({ kind: "l2", threshold: 0.6, mean: Float32Array.of(9, 9) });
  expect([squaredDistance(l2.point([0, 0]), l2.point([0.6, 0])), l2.limit]).toEqual([expect.closeTo(0.36), expect.closeTo(0.36)]);
});

it("where only equal faces are one person they are followed; where none are, nobody is", () => {
  const shot = [frame("1", [face(0, 0)]), frame("2", [face(0, 0)])];
  expect(trackFaces(shot, faceSpace({ kind: "cosine", threshold: 1 }))).toHaveLength(1);
  expect(trackFaces(shot, faceSpace({ kind: "l2", threshold: 0, mean: new Float32Array(2) }))).toHaveLength(1);
  expect(trackFaces(shot, faceSpace({ kind: "l2", threshold: -1, mean: new Float32Array(2) }))).toHaveLength(2);
});
