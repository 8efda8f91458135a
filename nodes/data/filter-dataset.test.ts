import { expect, it } from "vitest";
import { createRuntime } from "../../engine/ort/runtime.ts";
import { faceModels } from "../../test/face-models.ts";
import { fakeContext } from "../../test/fake-context.ts";
import { fakeDataset, fakeExample } from "../../test/fake-diffusion.ts";
import { memoryDirectory } from "../../test/memory-directory.ts";
import { loadBlazeFaceDetector } from "../faces/blazeface-detector.ts";
import { loadDlibEncoder } from "../faces/dlib-encoder.ts";
import type { Dataset, Example } from "../shared/contracts/data.ts";
import { type ExampleFaces, faultOf } from "./example-faces.ts";
import filterDataset from "./filter-dataset.ts";
import renderedScenesDataset from "./rendered-scenes-dataset.ts";

const compute = createRuntime({ device: "cpu" });
const detector = await loadBlazeFaceDetector(faceModels);
const encoder = await loadDlibEncoder(faceModels);
/** Drawn people are alike by more than this, and others by less. */
const rules = { min_similarity: 0.65, max_similarity: 0.99, min_margin: 0, wanted: 0, prefix: "rejected" };

const scenes = async (): Promise<Dataset> => {
  const widgets = { train: 16, held_out: 2, held_out_people: "validation" as const, min_people: 2, max_people: 3, identities: 40 };
  return (await renderedScenesDataset.run({ ...widgets, height: 128, reference_size: 96, seed: 5 }, fakeContext(), {})).dataset;
};

/** What can be wrong with a synthetic scene; the names are those of the example's id. */
const SPOILED: readonly ((e: Example, other: Example) => Partial<Example>)[] = [
  // Good.
  () => ({}),
  // Portraits of two people in each other's place: the model put both into the wrong one.
  ({ references: [a, b, ...rest], referenceFaces: [fa, fb, ...others] }) =>
    a && b && fa && fb ? { references: [b, a, ...rest], referenceFaces: [fb, fa, ...others] } : {},
  // Somebody else in place of the first.
  ({ references, referenceFaces }, other) => ({
    references: [...other.references.slice(0, 1), ...references.slice(1)],
    referenceFaces: [...other.referenceFaces.slice(0, 1), ...referenceFaces.slice(1)],
  }),
  // One person is missing from the references.
  ({ references, referenceFaces, targetFaces }) => ({
    references: references.slice(1),
    referenceFaces: referenceFaces.slice(1),
    targetFaces: targetFaces.slice(1),
  }),
];

async function spoiled(): Promise<{ dataset: Dataset; isGood: (id: string) => boolean }> {
  const inner = await scenes();
  // Drawing takes longer than looking.
  const drawn = new Map<string, Promise<Example>>();
  const draw = (split: "train" | "heldOut", index: number): Promise<Example> => {
    const made = drawn.get(`${split} ${index}`) ?? inner.example(split, index);
    drawn.set(`${split} ${index}`, made);
    return made;
  };
  const example = async (split: "train" | "heldOut", index: number): Promise<Example> => {
    const [own, other] = [await draw(split, index), await draw(split, (index + 7) % inner[split])];
    const how = Math.floor(index / 2) % SPOILED.length;
    return { ...own, ...SPOILED[how]?.(own, other), id: `${split} ${index} ${how}` };
  };
  return { dataset: { ...inner, id: "spoiled", example }, isGood: (id) => id.endsWith(" 0") };
}

it("right scenes stay, swapped, wrong and missing people are rejected; what was seen is not looked at again", async () => {
  const { dataset, isGood } = await spoiled();
  const dir = memoryDirectory();
  const ctx = { ...fakeContext(compute), runDirectory: async () => dir };
  const { dataset: kept, METRICS } = await filterDataset.run({ ...rules, dataset, detector, encoder }, ctx, {});
  const ids = await Promise.all(Array.from({ length: kept.train }, async (_, k) => (await kept.example("train", k)).id));
  expect(ids.filter((id) => !isGood(id))).toEqual([]);
  expect(ids).toEqual([0, 1, 8, 9].map((index) => `train ${index} 0`));
  expect(METRICS.values).toMatchObject({
    looked_at: 18,
    train: kept.train,
    held_out: kept.heldOut,
    rejected: 18 - kept.train - kept.heldOut,
  });
  const why = kept.leftOut?.map((each) => each.why).join("\n");
  expect(why).toMatch(/the face of reference \d stands in the place of reference \d/);
  expect(why).toMatch(/is like it by -?0\.\d\d, less than 0.65/);
  expect(why).toMatch(/\d faces found for \d references/);
  expect([...ctx.saved.keys()]).toEqual(["rejected/sheet.png"]);
  expect(ctx.logs.join()).toMatch(/of 18 examples are rejected: \d+ × /);

  const blind = { ...detector, detect: () => Promise.reject(new Error("looked again")) };
  const again = await filterDataset.run({ ...rules, dataset, detector: blind, encoder }, ctx, {});
  expect(again.dataset.id).toBe(kept.id);
  // Other limits need no second look either, and make another dataset.
  const loose = await filterDataset.run({ ...rules, min_similarity: -1, dataset, detector: blind, encoder }, ctx, {});
  expect(loose.dataset.train).toBeGreaterThan(kept.train);
  expect(loose.dataset.id).not.toBe(kept.id);
  // As many as are wanted, and no more is looked at.
  const few = await filterDataset.run({ ...rules, wanted: 2, dataset, detector: blind, encoder }, ctx, {});
  expect([few.dataset.train, await few.dataset.example("train", 1).then((e) => e.id)]).toEqual([2, ids[1]]);
  await expect(filterDataset.run({ ...rules, min_similarity: 0.999, dataset, detector: blind, encoder }, ctx, {})).rejects.toMatchObject({
    code: "DATASET_EMPTY",
  });
});

it("a run that was stopped goes on where it was", async () => {
  const dataset = { ...(await scenes()), train: 4, heldOut: 0 };
  const dir = memoryDirectory();
  const ctx = { ...fakeContext(compute), runDirectory: async () => dir };
  const looked: number[] = [];
  const counted: Dataset = {
    ...dataset,
    example: (split, index) => {
      looked.push(index);
      return dataset.example(split, index);
    },
  };
  dir.beforeWrite = (n) => {
    if (n === 2) throw new Error("stopped");
  };
  await expect(filterDataset.run({ ...rules, dataset: counted, detector, encoder }, ctx, {})).rejects.toThrow("stopped");
  expect(looked).toEqual([0, 1, 2]);
  dir.beforeWrite = undefined;
  looked.length = 0;
  const { dataset: kept } = await filterDataset.run({ ...rules, min_similarity: -1, dataset: counted, detector, encoder }, ctx, {});
  expect([looked, kept.train]).toEqual([[2, 3], 4]);
});

it("of many rejected ones the sheet shows some, and that is said", async () => {
  const ctx = { ...fakeContext(compute), runDirectory: async () => memoryDirectory() };
  const many: Dataset = { ...fakeDataset(30, 0), example: async () => fakeExample(1) };
  const blind = { ...detector, detect: async () => [] };
  await expect(filterDataset.run({ ...rules, dataset: many, detector: blind, encoder }, ctx, {})).rejects.toMatchObject({
    code: "DATASET_EMPTY",
  });
  expect(ctx.logs.join()).toMatch(/30 of 30 examples are rejected: 30 × .*\(rejected\/sheet.png shows 24 of them\)/);
});

it("each fault has its words", () => {
  const limits = { min_similarity: 0.4, max_similarity: 0.9, min_margin: 0.1 };
  const seen = (people: ExampleFaces["people"], changes: Partial<ExampleFaces> = {}) =>
    faultOf({ id: "x", faceless: [], found: people.length, people, ...changes }, 2, limits);
  const good = { similarity: 0.6, other: 0.2, inPlaceOf: 0 };
  const second = { ...good, inPlaceOf: 1 };
  expect(seen([good, second])).toBeUndefined();
  expect(seen([{ ...good, inPlaceOf: null }, second])).toBeUndefined();
  expect(seen([], { faceless: [1] })).toBe("no face found in reference 2");
  expect(seen([good])).toBe("1 faces found for 2 references");
  expect(seen([second, good])).toBe("the face of reference 1 stands in the place of reference 2");
  expect(seen([good, { ...second, similarity: 0.3 }])).toBe("the face of reference 2 is like it by 0.30, less than 0.4");
  expect(seen([{ ...good, similarity: 0.95 }, second])).toBe("the face of reference 1 is like it by 0.95, more than 0.9: a copy");
  expect(seen([{ ...good, other: 0.55 }, second])).toBe(
    "the face of reference 1 is like it by 0.60, and by 0.55 like another: less than 0.1 apart",
  );
  expect(seen([{ ...good, similarity: Number.NaN }, second])).toMatch(/less than 0.4/);
});
