import { readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { expect, it } from "vitest";
import { AppError } from "../../engine/base/errors.ts";
import { createRuntime } from "../../engine/ort/runtime.ts";
import { faceModels } from "../../test/face-models.ts";
import { fakeContext } from "../../test/fake-context.ts";
import { fakeDataset } from "../../test/fake-diffusion.ts";
import { memoryDirectory } from "../../test/memory-directory.ts";
import { loadBlazeFaceDetector } from "../faces/blazeface-detector.ts";
import { loadDlibEncoder } from "../faces/dlib-encoder.ts";
import clipsDataset from "./clips-dataset.ts";
import mixDatasets from "./mix-datasets.ts";

const compute = createRuntime({ device: "cpu" });
const detector = await loadBlazeFaceDetector(faceModels);
const encoder = await loadDlibEncoder(faceModels);
const input = join(import.meta.dirname, "../../graphs/input");
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

it("drawn examples are mixed in by share; what is held out stays the first's", async () => {
  const ctx = fakeContext();
  const { dataset } = await mixDatasets.run({ dataset: fakeDataset(6, 2), other: fakeDataset(1, 5), share: 0.25 }, ctx, {});
  expect([dataset.train, dataset.heldOut]).toEqual([8, 2]);
  expect((await dataset.example("train", 7)).id).toBe("fake:0");
  expect(ctx.logs.join()).toMatch(/2 examples are wanted of the other dataset, it has 1/);
});
