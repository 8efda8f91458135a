import { readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { expect, it } from "vitest";
import { AppError } from "../../engine/base/errors.ts";
import { createRuntime } from "../../engine/ort/runtime.ts";
import { faceModels } from "../../test/face-models.ts";
import { type FakeContext, fakeContext } from "../../test/fake-context.ts";
import { loadBlazeFaceDetector } from "../faces/blazeface-detector.ts";
import { loadDlibEncoder } from "../faces/dlib-encoder.ts";
import type { Face } from "../shared/contracts/data.ts";
import folderDataset from "./folder-dataset.ts";

const compute = createRuntime({ device: "cpu" });
const detector = await loadBlazeFaceDetector(faceModels);
const encoder = await loadDlibEncoder(faceModels);
const folder = join(import.meta.dirname, "../../graphs/input");
const grey = await sharp({ create: { width: 64, height: 64, channels: 3, background: "grey" } })
  .png()
  .toBuffer();

interface Folder extends FakeContext {
  readonly files: Map<string, Uint8Array>;
}
/** A context whose input folder `set` has the manifest, the pictures of graphs/input, one that shows nobody and a text. */
function contextOf(lines: readonly object[]): Folder {
  const files = new Map<string, Uint8Array>([["set/pairs.jsonl", Buffer.from(lines.map((l) => JSON.stringify(l)).join("\n"))]]);
  for (const name of ["astronaut.jpg", "grace-hopper.jpg", "two-people-a.jpg", "two-people-b.jpg", "README.md"])
    files.set(`set/${name}`, readFileSync(join(folder, name)));
  files.set("set/nobody.png", grey);
  return {
    ...fakeContext(compute),
    files,
    listInputs: async (below) => [...files.keys()].filter((name) => below === "." || name.startsWith(`${below}/`)).sort(),
    async readInput(name) {
      const bytes = files.get(name);
      if (!bytes) throw new AppError("INPUT_NOT_FOUND", "not in the input folder");
      return bytes;
    },
  };
}
const widgets = {
  detector,
  encoder,
  manifest: "set/pairs.jsonl",
  width: 384,
  height: 256,
  reference_size: 160,
  held_out: 0,
  target_fit: "cut",
  reference_fit: "square",
  background: "#ffffff",
  split_by: "people",
  on_problem: "stop",
  controls: "",
  default_prompt: "",
} as const;
const [hopper, collins] = ["grace-hopper.jpg", "astronaut.jpg"];
const pair = (id: string, target: string, references: readonly string[]) => ({ id, prompt: `${id}: together`, target, references });
const warnings = (ctx: FakeContext) => ctx.logs.filter((line) => line.startsWith("warn"));
const middle = (face: Face | undefined): number => ((face?.box[0] ?? Number.NaN) + (face?.box[2] ?? Number.NaN)) / 2;

it("gives each reference her face in the target, wherever she is", async () => {
  const ctx = contextOf([pair("a", "two-people-a.jpg", [hopper, collins]), pair("b", "two-people-b.jpg", [hopper, collins])]);
  const { dataset } = await folderDataset.run(widgets, ctx, {});
  expect([dataset.train, dataset.heldOut]).toEqual([2, 0]);
  const a = await dataset.example("train", 0);
  const b = await dataset.example("train", 1);
  expect([a.id, a.prompt, b.id]).toEqual(["a", "a: together", "b"]);
  expect(a.target.shape).toEqual([1, 256, 384, 3]);
  expect(a.references.map((r) => r.shape)).toEqual([
    [1, 160, 160, 3],
    [1, 160, 160, 3],
  ]);
  // Hopper stands on the left in one and on the right in the other.
  expect(middle(a.targetFaces[0])).toBeLessThan(192);
  expect(middle(a.targetFaces[1])).toBeGreaterThan(192);
  expect(middle(b.targetFaces[0])).toBeGreaterThan(192);
  expect(middle(b.targetFaces[1])).toBeLessThan(192);
  expect(a.referenceFaces).toHaveLength(2);
  expect(warnings(ctx)).toEqual([]);
  await expect(dataset.example("heldOut", 0)).rejects.toThrow(/no heldOut example 0/);
  ctx.files.set("set/two-people-b.jpg", grey);
  await expect(dataset.example("train", 1)).rejects.toThrow(/two-people-b.jpg changed/);
});

it("holds out people, and trains on nobody of them", async () => {
  const entries = [pair("c", "grace-hopper.jpg", [hopper]), pair("a", "astronaut.jpg", [collins]), pair("b", "two-people-a.jpg", [hopper])];
  const ctx = contextOf(entries);
  const { dataset } = await folderDataset.run({ ...widgets, held_out: 1 }, ctx, {});
  // Hopper is in two entries and Collins in one: holding Collins out leaves more to train on.
  expect([dataset.train, dataset.heldOut]).toEqual([2, 1]);
  expect((await dataset.example("heldOut", 0)).id).toBe("a");
  const marked = contextOf(entries.map((entry) => (entry.id === "b" ? { ...entry, split: "held_out" } : entry)));
  const { dataset: other } = await folderDataset.run(widgets, marked, {});
  expect([other.train, other.heldOut, other.leftOut]).toEqual([1, 1, [{ id: "c", why: "it shows a person of b, which is held out" }]]);
  expect(warnings(marked)).toEqual([
    expect.stringMatching(/1 of 3 entries are neither trained on nor held out: c \(it shows a person of b/),
  ]);
  const all = contextOf([pair("a", "astronaut.jpg", [collins])]);
  await expect(folderDataset.run({ ...widgets, held_out: 1 }, all, {})).rejects.toThrow(/no example to train on/);
});

it("names every problem of every entry before anything is trained", async () => {
  const ctx = contextOf([
    pair("a", "gone.jpg", [hopper, "nobody.png"]),
    pair("b", "README.md", ["also-gone.jpg"]),
    pair("c", "grace-hopper.jpg", [hopper, collins]),
    pair("d", "two-people-a.jpg", [hopper]),
  ]);
  const error = await Promise.resolve(folderDataset.run(widgets, ctx, {})).catch((e: unknown) => e);
  if (!(error instanceof AppError)) throw new Error("no AppError");
  expect(error.code).toBe("DATASET_MANIFEST");
  expect(error.message).toMatch(
    /line 1: set\/nobody.png: no face found \(after cutting[\s\S]*line 1: set\/gone.jpg: not in the input folder/,
  );
  expect(error.message).toMatch(/line 2: set\/also-gone.jpg[\s\S]*line 2: set\/README.md is not a picture that can be read/);
  expect(error.message).toMatch(/line 3: set\/grace-hopper.jpg: 1 faces found for 2 references \(after cutting it to 384 × 256\)/);
  expect(error.message).not.toMatch(/line 4/);
});

it("warns when the person of a reference is not in the target", async () => {
  const ctx = contextOf([pair("a", "grace-hopper.jpg", [collins])]);
  await folderDataset.run({ ...widgets, width: 256 }, ctx, {});
  expect(warnings(ctx)).toEqual([expect.stringMatching(/warn: .*: line 1: set\/astronaut.jpg is not recognised in set\/grace-hopper.jpg/)]);
});

it("tells a dry run what is wrong with the manifest and which files are missing", async () => {
  const ctx = contextOf([pair("a", "gone.jpg", [hopper]), { id: "b" }]);
  const { issues, estimate } = (await folderDataset.dryRun?.(widgets, ctx, {})) ?? {};
  expect(issues?.map((i) => i.message)).toEqual([
    expect.stringMatching(/^line 2: prompt/),
    expect.stringMatching(/^line 2: target/),
    "line 1: set/gone.jpg: not in the input folder",
  ]);
  expect(estimate?.notes).toEqual(["1 training pairs in set/pairs.jsonl, read as a manifest"]);
});

it("references keep their aspect, or are cut round the face; targets keep theirs in buckets", async () => {
  const tall = await sharp(readFileSync(join(folder, hopper)))
    .extend({ bottom: 700, background: "grey" })
    .png()
    .toBuffer();
  const ctx = contextOf([pair("a", "tall.png", ["tall.png"])]);
  ctx.files.set("set/tall.png", tall);
  await expect(folderDataset.run(widgets, ctx, {})).rejects.toThrow(
    /no face found after cutting it to 160 × 160; the whole picture shows one: set reference_fit to keep or face/,
  );
  const kept = { ...widgets, target_fit: "buckets", reference_fit: "keep", reference_size: 320, width: 512, height: 512 } as const;
  const whole = await (await folderDataset.run(kept, ctx, {})).dataset.example("train", 0);
  const { width = 0, height = 0 } = await sharp(tall).metadata();
  const [, h = 0, w = 0] = whole.references[0]?.shape ?? [];
  expect(Math.abs(w / h - width / height)).toBeLessThan(0.05);
  expect(w * h).toBeGreaterThan(0.85 * 320 * 320);
  const [, th = 0, tw = 0] = whole.target.shape;
  expect([th % 16, tw % 16, tw < th]).toEqual([0, 0, true]);
  expect(Math.abs(Math.log(tw / th / (width / height)))).toBeLessThan(0.08);
  const { dataset } = await folderDataset.run({ ...kept, reference_fit: "face" }, ctx, {});
  const face = await dataset.example("train", 0);
  expect(face.references[0]?.shape).toEqual([1, 320, 320, 3]);
  const [x0 = 0, , x1 = 0] = face.referenceFaces[0]?.box ?? [];
  expect(x1 - x0).toBeGreaterThan(320 / 4);
});

it("without a detector: edits without faces, or without any reference", async () => {
  const ctx = contextOf([
    { id: "a", prompt: "grey", target: "nobody.png", references: ["README-is-no-picture.png"] },
    { id: "b", prompt: "p", target: "nobody.png" },
  ]);
  ctx.files.set("set/README-is-no-picture.png", grey);
  const plain = { ...widgets, detector: undefined, encoder: undefined, target_fit: "buckets", reference_fit: "keep" } as const;
  const { dataset } = await folderDataset.run(plain, ctx, {});
  const [a, b] = [await dataset.example("train", 0), await dataset.example("train", 1)];
  expect([a.references.length, a.referenceFaces, b.references.length]).toEqual([1, [], 0]);
  expect(dataset.bucket?.("train", 0)).not.toBe(dataset.bucket?.("train", 1));
  await expect(folderDataset.run({ ...plain, reference_fit: "face" }, ctx, {})).rejects.toMatchObject({ code: "DATASET_DETECTOR" });
  await expect(folderDataset.run({ ...plain, detector }, ctx, {})).rejects.toMatchObject({ code: "DATASET_ENCODER" });
});

it("what is transparent is put on a colour, with a word", async () => {
  const clear = await sharp({ create: { width: 64, height: 64, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0 } } })
    .png()
    .toBuffer();
  const ctx = contextOf([{ id: "a", prompt: "p", target: "clear.png" }]);
  ctx.files.set("set/clear.png", clear);
  const plain = { ...widgets, detector: undefined, encoder: undefined, background: "#00ff00" } as const;
  const { dataset } = await folderDataset.run(plain, ctx, {});
  expect([...(await dataset.example("train", 0)).target.data.slice(0, 3)]).toEqual([0, 1, 0]);
  expect(warnings(ctx).join()).toMatch(/1 pictures are transparent in parts and were put on #00ff00 \(set\/clear.png/);
});

it("entries with problems are left out where that is asked for, with reasons", async () => {
  const ctx = contextOf([pair("a", "gone.jpg", [hopper]), pair("b", "two-people-a.jpg", [hopper, collins])]);
  const { dataset } = await folderDataset.run({ ...widgets, on_problem: "leave_out" }, ctx, {});
  expect([dataset.train, dataset.leftOut]).toEqual([1, [{ id: "a", why: "set/gone.jpg: not in the input folder" }]]);
  expect(warnings(ctx).join()).toMatch(/1 problems, whose entries are left out/);
});
