import { expect, it } from "vitest";
import type { SeenFace, SeenPicture } from "./face-scan.ts";
import { findPairs } from "./find-pairs.ts";

const encoder = { id: "e", comparison: { kind: "cosine", threshold: 0.8 } } as const;
const rules = { minFace: 40, minSharpness: 30, duplicates: 3, band: [-1, 0.9999] as readonly [number, number], maxPeople: 2, perTrack: 3 };

/** A face that looks in a direction (degrees). */
function face(degrees: number, changes: Partial<SeenFace> = {}): SeenFace {
  const angle = (degrees * Math.PI) / 180;
  return {
    box: [0, 0, 60, 60],
    score: 1,
    points5: [
      [1, 1],
      [3, 1],
      [2, 2],
      [1, 3],
      [3, 3],
    ],
    sharpness: 100,
    vector: [Math.cos(angle), Math.sin(angle)],
    ...changes,
  };
}
/** As different as photographs of different things. */
const look = (k: number) => ((k * 97) % 256).toString(16).padStart(2, "0").repeat(192);
let count = 0;
function picture(name: string, faces: readonly SeenFace[], hash?: string): SeenPicture {
  count++;
  const bits = hash ?? ((BigInt(count) * 0x9e3779b97f4a7c15n) & 0xffffffffffffffffn).toString(16).padStart(16, "0");
  return {
    name: `set/${name}`,
    content: `content ${count}`,
    width: 100,
    height: 100,
    hash: bits,
    thumbnail: look(count),
    faces: [...faces],
  };
}
const pairsOf = (pictures: readonly SeenPicture[], changes: Partial<typeof rules> = {}) =>
  findPairs(pictures, "set/", encoder, { ...rules, ...changes });

it("the reference of each person comes from another clip", async () => {
  const { pairs, persons, leftOut } = await pairsOf([
    picture("one/1.jpg", [face(0)]),
    picture("one/2.jpg", [face(4)]),
    picture("two/1.jpg", [face(8), face(90)]),
    picture("three/1.jpg", [face(92)]),
    picture("three/2.jpg", [face(200)]),
  ]);
  expect(persons).toBe(3);
  expect(pairs.map((p) => [p.target.name, ...p.people.map(({ reference }) => reference.name)])).toEqual([
    ["set/one/1.jpg", "set/two/1.jpg"],
    ["set/one/2.jpg", "set/two/1.jpg"],
    ["set/two/1.jpg", expect.stringMatching(/^set\/one/), "set/three/1.jpg"],
    ["set/three/1.jpg", "set/two/1.jpg"],
  ]);
  expect(leftOut).toEqual([{ id: "set/three/2.jpg", why: "person 3 is in no other clip" }]);
});

it("rejects say why: no face, small, blurred, too many, duplicates, copies, unlike", async () => {
  const why = async (pictures: readonly SeenPicture[], changes?: Partial<typeof rules>) =>
    (await pairsOf(pictures, changes)).leftOut.map((x) => x.why);
  const other = picture("two/1.jpg", [face(0)]);
  expect(await why([picture("one/1.jpg", []), other, picture("three/1.jpg", [face(1)])])).toEqual(["no face found"]);
  expect(await why([picture("a/1.jpg", [face(0, { box: [0, 0, 20, 60] })]), other, picture("c/1.jpg", [face(1)])])).toEqual([
    "a face of 20 pixels, fewer than 40",
  ]);
  expect(await why([picture("a/1.jpg", [face(0, { sharpness: 5 })]), other, picture("c/1.jpg", [face(1)])])).toEqual([
    "a blurred face: sharpness 5, less than 30",
  ]);
  expect(await why([picture("a/1.jpg", [face(0), face(90)]), other, picture("c/1.jpg", [face(1)])], { maxPeople: 1 })).toContain(
    "2 people, more than 1",
  );
  expect(
    await why([
      picture("a/1.jpg", [face(0)], "00000000000000ff"),
      picture("a/2.jpg", [face(0)], "00000000000000fe"),
      picture("b/1.jpg", [face(1)]),
    ]),
  ).toEqual(["nearly the same as set/a/1.jpg"]);
  // In another clip the same background is no duplicate, but a face that is the same to the last digit is a copy.
  expect(await why([picture("a/1.jpg", [face(0)], "00000000000000ff"), picture("b/2.jpg", [face(0)], "00000000000000ff")])).toEqual([
    "no picture of person 1 in another clip is like it by -1 to 0.9999 (they are by 1.00 to 1.00)",
    "no picture of person 1 in another clip is like it by -1 to 0.9999 (they are by 1.00 to 1.00)",
  ]);
  expect(await why([picture("a/1.jpg", [face(0)]), picture("b/1.jpg", [face(30)])], { band: [0.9, 1] }).then(([first]) => first)).toMatch(
    /is like it by 0.9 to 1 \(they are by 0.87/,
  );
});

it("two faces of one picture are never one person", async () => {
  expect((await pairsOf([picture("a/1.jpg", [face(0), face(5)]), picture("b/1.jpg", [face(2)])])).persons).toBe(2);
});

it("of one scene only the best pictures of each face are taken: sharp and frontal ones", async () => {
  const scene = [50, 400, 100, 300].map((sharpness, k) => ({
    ...picture(`a/${k}.jpg`, [face(0, { sharpness })]),
    thumbnail: "80".repeat(192),
  }));
  const { pairs, leftOut, tracks, shots } = await pairsOf([...scene, picture("b/1.jpg", [face(2)])], { perTrack: 2 });
  expect(pairs.map((p) => p.target.name)).toEqual(["set/a/1.jpg", "set/a/3.jpg", "set/b/1.jpg"]);
  expect([tracks, shots]).toEqual([2, 2]);
  expect(leftOut.map(({ id }) => id)).toEqual(["set/a/0.jpg", "set/a/2.jpg"]);
  // The reference is the sharpest one of the scene, too.
  expect(pairs[2]?.people[0]?.reference.name).toBe("set/a/1.jpg");
});

it("a face that is more like another's reference than like its own is not trained on", async () => {
  const { pairs, leftOut } = await pairsOf([
    picture("a/1.jpg", [face(0), face(35)]),
    picture("b/1.jpg", [face(-30, { sharpness: 900 })]),
    picture("c/1.jpg", [face(-5), face(15)]),
  ]);
  expect(pairs.map((p) => p.target.name)).toEqual(["set/b/1.jpg", "set/c/1.jpg"]);
  expect(leftOut).toEqual([
    { id: "set/a/1.jpg", why: "person 1 looks more like the reference of person 2 (0.97) than like their own (0.87)" },
  ]);
});
