import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { expect, it } from "vitest";
import { AppError } from "../../engine/base/errors.ts";
import { createRuntime } from "../../engine/ort/runtime.ts";
import { drawShot, pngOf } from "../../test/drawn-clips.ts";
import { faceModels } from "../../test/face-models.ts";
import { fakeContext } from "../../test/fake-context.ts";
import { fakeDataset } from "../../test/fake-diffusion.ts";
import { memoryDirectory } from "../../test/memory-directory.ts";
import { loadBlazeFaceDetector } from "../faces/blazeface-detector.ts";
import { loadDlibEncoder } from "../faces/dlib-encoder.ts";
import type { Face } from "../shared/contracts/data.ts";
import { type SeenFace, type SeenPicture, scanFaces } from "./clips/face-scan.ts";
import { findPairs } from "./clips/find-pairs.ts";
import clipsDataset from "./clips-dataset.ts";
import mixDatasets from "./mix-datasets.ts";

const compute = createRuntime({ device: "cpu" });
const detector = await loadBlazeFaceDetector(faceModels);
const encoder = await loadDlibEncoder(faceModels);
const input = join(import.meta.dirname, "../../graphs/input");
/** Drawn people are told apart by dlib at this distance. */
const DRAWN = 0.41;
const widgets = {
  detector,
  encoder,
  folder: "clips",
  width: 384,
  height: 256,
  reference_size: 160,
  prompt: "both of them",
  held_out: 0,
  min_similarity: -1,
  // The group pictures are made of the portraits.
  max_similarity: 1,
  min_face: 40,
  min_sharpness: 10,
  duplicates: 3,
  max_people: 3,
  per_track: 3,
  accept: "encoder" as "encoder" | "custom",
  threshold: 0.5,
};

async function contextOf() {
  const read = (name: string) => readFileSync(join(input, name));
  const files = new Map<string, Uint8Array>([
    ["clips/one/hopper.jpg", read("grace-hopper.jpg")],
    ["clips/one/hopper-again.jpg", await sharp(read("grace-hopper.jpg")).jpeg({ quality: 60 }).toBuffer()],
    ["clips/two/both.jpg", read("two-people-a.jpg")],
    ["clips/two/both.txt", Buffer.from("Hopper and Collins")],
    ["clips/astronaut.jpg", read("astronaut.jpg")],
    ["clips/three/blurred.jpg", await sharp(read("astronaut.jpg")).blur(12).jpeg().toBuffer()],
    ["clips/three/broken.jpg", Buffer.from("broken")],
  ]);
  const dir = memoryDirectory();
  const ctx = {
    ...fakeContext(compute),
    runDirectory: async () => dir,
    listInputs: async (folder: string) => [...files.keys()].filter((name) => name.startsWith(`${folder}/`)).sort(),
    readInput: async (name: string) => files.get(name) ?? Promise.reject(new AppError("INPUT_NOT_FOUND", name)),
  };
  return { ctx, files, dir };
}

it("pairs of real photographs: who is who, references from other clips, rejects with reasons; a second scan looks at nothing again", async () => {
  const { ctx, dir } = await contextOf();
  const { dataset } = await clipsDataset.run(widgets, ctx, {});
  const ids = await Promise.all(Array.from({ length: dataset.train }, async (_, k) => (await dataset.example("train", k)).id));
  expect(ids).toContain("two/both.jpg");
  expect(dataset.leftOut?.map((x) => `${x.id}: ${x.why}`).join()).toMatch(/nearly the same as/);
  expect(ctx.logs.join()).toMatch(/broken.jpg is not a picture/);
  const both = await dataset.example("train", ids.indexOf("two/both.jpg"));
  expect([both.prompt, both.references.length, both.targetFaces.length]).toEqual(["Hopper and Collins", 2, 2]);
  for (const [k, reference] of both.references.entries()) {
    expect(reference.shape).toEqual([1, 160, 160, 3]);
    // The face is where the example says.
    const [found] = await detector.detect(compute, reference, { maxFaces: 1 });
    const [x = 0] = both.referenceFaces[k]?.box ?? [];
    expect(Math.abs((found?.box[0] ?? 99) - x)).toBeLessThan(16);
  }
  const inTarget = await detector.detect(compute, both.target, {});
  for (const { box } of both.targetFaces) expect(Math.min(...inTarget.map((f) => Math.abs(f.box[0] - box[0])))).toBeLessThan(16);
  await expect(clipsDataset.run({ ...widgets, max_similarity: 0.97 }, ctx, {})).rejects.toThrow(
    /leaves no pair .*in another clip is like it by -1 to 0.97/,
  );
  const blind = { ...detector, detect: () => Promise.reject(new Error("looked again")) };
  const again = await clipsDataset.run({ ...widgets, detector: blind }, ctx, {});
  expect(again.dataset.id).toBe(dataset.id);
  expect([...dir.files.keys()]).toEqual(["faces.jsonl"]);
});

it("drawn people who walk, turn and cross in clips with cuts: nobody is taken for another", async () => {
  const people = [11, 22, 33, 44, 55, 66];
  const at = (k: number) => people[k % people.length] ?? 0;
  const files = new Map<string, Uint8Array>();
  /** Where everybody is, by picture. */
  const truth = new Map<string, ReadonlyMap<number, Face>>();
  for (let clip = 0; clip < 6; clip++) {
    let number = 0;
    const shots = [
      // They cross.
      { people: [0, 1].map((k) => ({ person: at(clip + k), from: k === 0 ? 0.2 : 0.8, to: k === 0 ? 0.8 : 0.2 })), frames: 8 },
      // Two others after the cut, at about the same places.
      { people: [2, 4].map((k) => ({ person: at(clip + k), from: k === 2 ? 0.78 : 0.22, to: k === 2 ? 0.74 : 0.26 })), frames: 4 },
      { people: [{ person: at(clip + 5), from: 0.5, to: 0.6 }], frames: 3 },
    ];
    for (const [s, shot] of shots.entries())
      for (const { image, faces } of drawShot(shot, 10 * clip + s)) {
        const name = `clips/clip ${clip}/frame_${++number}.png`;
        files.set(name, await pngOf(image));
        truth.set(name, faces);
      }
  }
  const dir = memoryDirectory();
  const ctx = {
    ...fakeContext(compute),
    runDirectory: async () => dir,
    listInputs: async () => [...files.keys()].sort(),
    readInput: async (name: string) => files.get(name) ?? Promise.reject(new AppError("INPUT_NOT_FOUND", name)),
  };
  const scanned = await scanFaces(ctx, detector, encoder, [...files.keys()].sort());
  const rules = { minFace: 40, minSharpness: 10, duplicates: -1, band: [-1, 1] as const, maxPeople: 3, perTrack: 1000 };
  const comparing = { id: encoder.id, comparison: { ...encoder.comparison, threshold: DRAWN } };
  const found = await findPairs(scanned.pictures, "clips/", comparing, rules);
  expect([found.shots, found.persons]).toEqual([18, people.length]);
  // The person who stands nearest.
  const shown = (picture: SeenPicture, { box }: SeenFace): number => {
    const apart = ([, face]: readonly [number, Face]) => Math.hypot(face.box[0] + face.box[2] - box[0] - box[2], face.box[1] - box[1]);
    return [...(truth.get(picture.name) ?? [])].sort((a, b) => apart(a) - apart(b))[0]?.[0] ?? -1;
  };
  const paired = found.pairs.flatMap(({ target, people: of }) => of.map((each) => ({ target, ...each })));
  const wrong = paired.filter(({ target, face, reference, referenceFace }) => shown(target, face) !== shown(reference, referenceFace));
  // 6 clips of 8 + 4 frames of two and 3 of one: 162 faces, of which those that are covered while two cross are not found.
  expect(paired.length).toBeGreaterThan(130);
  expect(wrong.map(({ target, reference }) => `${target.name}: ${reference.name}`)).toEqual([]);
  // One person by number is one person in truth.
  expect(new Set(paired.map(({ target, face, person }) => `${person}: ${shown(target, face)}`)).size).toBe(people.length);
  expect(paired.every(({ target, reference }) => dirname(target.name) !== dirname(reference.name))).toBe(true);

  // The node itself, with all that it rejects: few of each scene, the best ones; a second run looks at nothing again.
  const strict = { ...widgets, max_similarity: 0.97, accept: "custom" as const, threshold: DRAWN, per_track: 2 };
  const blind = { ...detector, detect: () => Promise.reject(new Error("looked again")) };
  const { dataset } = await clipsDataset.run({ ...strict, detector: blind }, ctx, {});
  expect(dataset.train).toBeGreaterThan(18);
  // At most two of each face's: 6 × (4 + 4 + 2).
  expect(dataset.train).toBeLessThanOrEqual(60);
  expect(ctx.scores.get("pairs")).toMatchObject({ pictures: 90, clips: 6, scenes: 18, people: 6 });
  expect(dataset.leftOut?.map(({ why }) => why)).toContain("sharper or more frontal pictures of the same scene are taken, 2 of each face");
  expect(dataset.leftOut?.length).toBe(90 - dataset.train);
});

it("drawn examples are mixed in by share; what is held out stays the first's", async () => {
  const ctx = fakeContext();
  const { dataset } = await mixDatasets.run({ dataset: fakeDataset(6, 2), other: fakeDataset(1, 5), share: 0.25 }, ctx, {});
  expect([dataset.train, dataset.heldOut]).toEqual([8, 2]);
  expect((await dataset.example("train", 7)).id).toBe("fake:0");
  expect(ctx.logs.join()).toMatch(/2 examples are wanted of the other dataset, it has 1/);
});
