// Scenes of one to five people must work with the embedded face models, and their prompts must say who stands where.
import { beforeAll, describe, expect, it } from "vitest";
import { createRuntime } from "../../engine/ort/runtime.ts";
import { faceModels } from "../../test/face-models.ts";
import { fakeContext } from "../../test/fake-context.ts";
import { loadBlazeFaceDetector } from "../faces/blazeface-detector.ts";
import { loadDlibEncoder } from "../faces/dlib-encoder.ts";
import type { Dataset, Example } from "../shared/contracts/data.ts";
import { embedFaces } from "../shared/faces/embed-faces.ts";
import { similarityOf } from "../shared/matching/similarity.ts";
import renderedScenesDataset from "./rendered-scenes-dataset.ts";

const widgets = {
  train: 20,
  held_out: 4,
  held_out_people: "validation" as const,
  min_people: 1,
  max_people: 5,
  identities: 40,
  height: 128,
  reference_size: 80,
  seed: 3,
};
const datasetOf = async (changed: Partial<typeof widgets> | { held_out_people: "test" }): Promise<Dataset> =>
  (await renderedScenesDataset.run({ ...widgets, ...changed }, fakeContext(), {})).dataset;
const compute = createRuntime({ device: "cpu" });
const examples: Example[] = [];
beforeAll(async () => {
  const dataset = await datasetOf({});
  for (let k = 0; k < widgets.train; k++) examples.push(await dataset.example("train", k));
});

it("shows one to five people, a portrait of each, and faces in the order of the portraits", () => {
  expect(examples.slice(0, 5).map((e) => e.references.length)).toEqual([1, 2, 3, 4, 5]);
  for (const e of examples) {
    expect(e.targetFaces).toHaveLength(e.references.length);
    expect(e.referenceFaces).toHaveLength(e.references.length);
    expect(e.target.shape[1]).toBe(128);
    expect((e.target.shape[2] ?? 1) % 16).toBe(0);
    expect(e.target.data.every((x) => x >= 0 && x <= 1)).toBe(true);
  }
});

const WHERE = /(?:picture|person) (\d) ([a-z]+ from the (?:left|right)|(?:on|at|in) the (?:far )?(?:left|right|middle|center))/gi;

it("the prompt puts every picture's person where they stand", () => {
  for (const e of examples) {
    const n = e.references.length;
    if (n < 2) continue;
    const x = (k: number) => ((e.targetFaces[k]?.box[0] ?? 0) + (e.targetFaces[k]?.box[2] ?? 0)) / 2;
    const leftToRight = e.references.map((_, k) => k).sort((a, b) => x(a) - x(b));
    const said = [...e.prompt.matchAll(WHERE)];
    const ordinals = ["first", "second", "third", "fourth", "fifth"];
    for (const [, picture, where = ""] of said) {
      const place = leftToRight.indexOf(Number(picture) - 1);
      const ordinal = ordinals.findIndex((o) => where.startsWith(o));
      if (ordinal >= 0) expect(where.endsWith("right") ? n - 1 - ordinal : ordinal, e.prompt).toBe(place);
      else if (/left/.test(where)) expect(place, e.prompt).toBe(0);
      else if (/right/.test(where)) expect(place, e.prompt).toBe(n - 1);
      else expect(2 * place, e.prompt).toBe(n - 1);
    }
    expect(said.map(([, picture]) => Number(picture)).sort(), e.prompt).toEqual(e.references.map((_, k) => k + 1));
  }
});

it("validation and test people are others than those trained on, and than each other", async () => {
  const first = async (d: Promise<Dataset>, split: "train" | "heldOut") => (await (await d).example(split, 0)).target.data;
  const shown = [
    await first(datasetOf({}), "train"),
    await first(datasetOf({}), "heldOut"),
    await first(datasetOf({ held_out_people: "test" }), "heldOut"),
  ];
  expect(shown[0]).not.toEqual(shown[1]);
  expect(shown[1]).not.toEqual(shown[2]);
  expect(await first(datasetOf({}), "train")).toEqual(shown[0]);
});

describe("with the embedded face models", () => {
  it("the detector finds at least 95 % of the faces", async () => {
    const detector = await loadBlazeFaceDetector(faceModels);
    let [wanted, found] = [0, 0];
    for (const e of examples) {
      wanted += e.targetFaces.length;
      found += Math.min(e.targetFaces.length, (await detector.detect(compute, e.target, {})).length);
    }
    expect(found / wanted).toBeGreaterThanOrEqual(0.95);
  });

  it("the encoder tells people of a scene apart by their portraits", async () => {
    const encoder = await loadDlibEncoder(faceModels);
    const same: number[] = [];
    const other: number[] = [];
    for (const e of examples) {
      const scene = await embedFaces(compute, encoder, { images: e.target, faces: [e.targetFaces] });
      for (const [k, images] of e.references.entries()) {
        const portrait = await embedFaces(compute, encoder, { images, faces: [e.referenceFaces.slice(k, k + 1)] });
        similarityOf(portrait, scene).values.data.forEach((s, face) => {
          (face === k ? same : other).push(s);
        });
      }
    }
    const wins = same.reduce((sum, s) => sum + other.filter((o) => o < s).length, 0);
    expect(wins / (same.length * other.length)).toBeGreaterThan(0.95);
  });
});
