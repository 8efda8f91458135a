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
    async readInput(name) {
      const bytes = files.get(name);
      if (!bytes) throw new AppError("INPUT_NOT_FOUND", "not in the input folder");
      return bytes;
    },
  };
}
const widgets = { detector, encoder, manifest: "set/pairs.jsonl", width: 384, height: 256, reference_size: 160, held_out: 0 };
const [hopper, collins] = ["grace-hopper.jpg", "astronaut.jpg"];
const pair = (id: string, target: string, references: readonly string[]) => ({ id, prompt: `${id}: together`, target, references });
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
  expect(ctx.logs).toEqual([]);
  await expect(dataset.example("heldOut", 0)).rejects.toThrow(/no heldOut example 0/);
  ctx.files.set("set/two-people-b.jpg", grey);
  await expect(dataset.example("train", 1)).rejects.toThrow(/two-people-b.jpg changed/);
});

it("holds out the last, and trains on no picture of theirs", async () => {
  const ctx = contextOf([
    pair("c", "grace-hopper.jpg", [hopper]),
    pair("a", "astronaut.jpg", [collins]),
    pair("b", "two-people-a.jpg", [hopper]),
  ]);
  const { dataset } = await folderDataset.run({ ...widgets, held_out: 1 }, ctx, {});
  expect([dataset.train, dataset.heldOut]).toEqual([1, 1]);
  expect((await dataset.example("train", 0)).id).toBe("a");
  expect((await dataset.example("heldOut", 0)).id).toBe("b");
  expect(ctx.logs).toEqual([expect.stringMatching(/c is left out: it uses a picture of a held-out entry/)]);
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
  expect(error.message).toMatch(/line 1: nobody.png: no face found[\s\S]*line 1: gone.jpg: not in the input folder/);
  expect(error.message).toMatch(/line 2: also-gone.jpg[\s\S]*line 2: README.md is not a picture that can be read/);
  expect(error.message).toMatch(/line 3: grace-hopper.jpg: 1 faces found for 2 references/);
  expect(error.message).not.toMatch(/line 4/);
});

it("warns when the person of a reference is not in the target", async () => {
  const ctx = contextOf([pair("a", "grace-hopper.jpg", [collins])]);
  await folderDataset.run({ ...widgets, width: 256 }, ctx, {});
  expect(ctx.logs).toEqual([expect.stringMatching(/warn: .* line 1: astronaut.jpg is not recognised in grace-hopper.jpg/)]);
});

it("tells a dry run what is wrong with the manifest and which files are missing", async () => {
  const ctx = contextOf([pair("a", "gone.jpg", [hopper]), { id: "b" }]);
  const { issues, estimate } = (await folderDataset.dryRun?.(widgets, ctx, {})) ?? {};
  expect(issues?.map((i) => i.message)).toEqual([
    expect.stringMatching(/^line 2: prompt/),
    expect.stringMatching(/^line 2: target/),
    expect.stringMatching(/^line 2: references/),
    "line 1: gone.jpg: not in the input folder",
  ]);
  expect(estimate?.notes).toEqual(["1 training pairs in set/pairs.jsonl"]);
});
