// Drawn people must work with the embedded face models: the reward's detector finds them, its encoders tell them apart.
import { beforeAll, describe, expect, it } from "vitest";
import { createRuntime } from "../../engine/ort/runtime.ts";
import { faceModels } from "../../test/face-models.ts";
import { fakeContext } from "../../test/fake-context.ts";
import { loadBlazeFaceDetector } from "../faces/blazeface-detector.ts";
import { iou } from "../faces/box.ts";
import { loadDlibEncoder } from "../faces/dlib-encoder.ts";
import { loadFaceResEncoder } from "../faces/faceres-encoder.ts";
import type { Example, Face, Image } from "../shared/contracts/data.ts";
import type { FaceEncoder } from "../shared/contracts/modules.ts";
import { embedFaces } from "../shared/faces/embed-faces.ts";
import { similarityOf } from "../shared/matching/similarity.ts";
import renderedPeopleDataset from "./rendered-people-dataset.ts";

const EXAMPLES = 14;
const widgets = { train: EXAMPLES, held_out: 2, people: 2, identities: 12, width: 128, height: 64, reference_size: 64, seed: 3 };
const { dataset } = await renderedPeopleDataset.run(widgets, fakeContext(), {});
const compute = createRuntime({ device: "cpu" });
const examples: Example[] = [];
beforeAll(async () => {
  for (let k = 0; k < EXAMPLES; k++) examples.push(await dataset.example("train", k));
});

describe("at the default size of 128 × 64 with portraits of 64 × 64", () => {
  it("the detector finds at least 95 % of the faces, near their true landmarks", async () => {
    const detector = await loadBlazeFaceDetector(faceModels);
    let wanted = 0;
    let extra = 0;
    const errors: number[] = [];
    const look = async (image: Image, truth: readonly Face[]): Promise<void> => {
      const found = await detector.detect(compute, image, {});
      wanted += truth.length;
      extra += found.length;
      for (const face of truth) {
        const seen = found.find((f) => iou(f.box, face.box) > 0.3);
        if (!seen) continue;
        extra--;
        const [[lx, ly], [rx, ry]] = face.points5;
        const off = seen.points5.map(([x, y], p) => Math.hypot(x - (face.points5[p]?.[0] ?? 0), y - (face.points5[p]?.[1] ?? 0)));
        errors.push(Math.max(...off) / Math.hypot(rx - lx, ry - ly));
      }
    };
    for (const e of examples) {
      await look(e.target, e.targetFaces);
      for (const [k, portrait] of e.references.entries()) await look(portrait, e.referenceFaces.slice(k, k + 1));
    }
    expect(wanted).toBe(4 * EXAMPLES);
    expect(errors.length / wanted).toBeGreaterThanOrEqual(0.95);
    expect(extra).toBeLessThanOrEqual(0.05 * wanted);
    expect(errors.sort((a, b) => a - b)[errors.length >> 1]).toBeLessThan(0.2);
  });

  it.each([
    ["dlib", loadDlibEncoder],
    ["faceres", loadFaceResEncoder],
  ])("%s is surer of the same person than of another, AUC at least 0.95", async (_, load) => {
    const encoder: FaceEncoder = await load(faceModels);
    const same: number[] = [];
    const other: number[] = [];
    // Each person of a scene against each of its portraits, drawn again.
    for (const e of examples) {
      const scene = await embedFaces(compute, encoder, { images: e.target, faces: [e.targetFaces] });
      for (const [k, images] of e.references.entries()) {
        const portrait = await embedFaces(compute, encoder, { images, faces: [e.referenceFaces.slice(k, k + 1)] });
        const { values, distances } = similarityOf(portrait, scene);
        scene.source.forEach((__, face) => {
          const likeness = distances ? -(distances.data[face] ?? 0) : (values.data[face] ?? 0);
          (face === k ? same : other).push(likeness);
        });
      }
    }
    const wins = same.reduce((sum, s) => sum + other.filter((o) => o < s).length, 0);
    expect(wins / (same.length * other.length)).toBeGreaterThan(0.95);
  });
});

it("is deterministic, and holds other people out", async () => {
  const again = (await renderedPeopleDataset.run(widgets, fakeContext(), {})).dataset;
  expect(again.id).toBe(dataset.id);
  expect(await again.example("train", 5)).toEqual(examples[5]);
  expect((await dataset.example("heldOut", 0)).target.data).not.toEqual(examples[0]?.target.data);
  expect((await renderedPeopleDataset.run({ ...widgets, seed: 4 }, fakeContext(), {})).dataset.id).not.toBe(dataset.id);
});
