// The nodes as a workflow runs them: detect, crop, embed, without any loader connected.
import { join } from "node:path";
import sharp from "sharp";
import { expect, it } from "vitest";
import { facesShown } from "../../engine/api/shown.ts";
import { randomSource } from "../../engine/base/random.ts";
import type { NodeContext } from "../../engine/node/context.ts";
import { createRuntime } from "../../engine/ort/runtime.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { black, faceModels } from "../../test/face-models.ts";
import type { Image } from "../shared/contracts/data.ts";
import faceCrop from "./face-crop.ts";
import faceDetect from "./face-detect.ts";
import faceEmbed from "./face-embed.ts";
import faceLandmarks from "./face-landmarks.ts";

const unused = (): never => {
  throw new Error("a face node must not touch this");
};
const messages: string[] = [];
const shown: Readonly<Record<string, readonly unknown[]>>[] = [];
const ctx: NodeContext = {
  nodeId: "1",
  signal: new AbortController().signal,
  compute: createRuntime({ device: "cpu" }),
  models: faceModels,
  readInput: unused,
  listInputs: unused,
  save: async (prefix, extension, _bytes, type = "output") => ({ filename: `${prefix}.${extension}`, subfolder: "", type }),
  saveAs: unused,
  runDirectory: unused,
  workflow: { prompt: {} },
  score: unused,
  show: (ui) => void shown.push(ui),
  progress: () => undefined,
  log: (level, message, about) => messages.push(`${level} ${about}: ${message}`),
  random: randomSource,
  now: () => 0,
  memory: () => 0,
};
const widgets = { detector: undefined, min_score: 0.5, max_faces: 0, min_size: 0 };

/** Hopper, an empty picture, the astronaut. */
async function batch(): Promise<Image> {
  const pictures: Float32Array[] = [];
  for (const name of ["grace-hopper", "astronaut"]) {
    const file = join(import.meta.dirname, "../../test/golden/faces", `${name}.jpg`);
    const { data } = await sharp(file)
      .resize(400, 400, { fit: "cover", position: "top" })
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    pictures.push(Float32Array.from(data, (x) => x / 255));
  }
  const out = new Float32Array(3 * 400 * 400 * 3);
  out.set(pictures[0] ?? [], 0);
  out.set(pictures[1] ?? [], 2 * 400 * 400 * 3);
  return f32([3, 400, 400, 3], out);
}

it("goes from pictures to vectors, and keeps whose face is whose", async () => {
  const { FACES } = await faceDetect.run({ ...widgets, image: await batch() }, ctx, {});
  expect(FACES.faces.map((list) => list.length)).toEqual([1, 0, 1]);
  expect(messages).toEqual(["warn image: no face found in picture 2 of 3, 400 × 400 pixels"]);
  const told = facesShown.parse(shown[0]?.faces?.[0]);
  expect(told.pictures).toHaveLength(3);
  expect(told.pictures[0]).toMatchObject({ filename: "faces/node-1.png", type: "temp" });
  expect(told.faces.map((f) => f.image)).toEqual([0, 2]);
  expect(told.faces[0]?.box).toEqual([...(FACES.faces[0]?.[0]?.box ?? [])]);
  const { IMAGE } = await faceCrop.run({ faces: FACES, encoder: undefined }, ctx, {});
  expect(IMAGE.shape).toEqual([2, 150, 150, 3]);
  const { EMBEDDINGS } = await faceEmbed.run({ faces: FACES, encoder: undefined }, ctx, {});
  expect(EMBEDDINGS.vectors.shape).toEqual([2, 128]);
  expect(EMBEDDINGS.source).toEqual([
    { image: 0, face: 0 },
    { image: 2, face: 0 },
  ]);
  expect(EMBEDDINGS.comparison).toMatchObject({ kind: "l2", threshold: 0.6 });
  const norms = [0, 1].map((row) => Math.hypot(...EMBEDDINGS.vectors.data.subarray(row * 128, (row + 1) * 128)));
  for (const norm of norms) expect(norm).toBeGreaterThan(1.2);
  expect(FACES.faces[0]?.[0]?.points68).toHaveLength(68);
});

it("gives empty results for pictures without faces", async () => {
  const { FACES } = await faceDetect.run({ ...widgets, image: black(64, 64) }, ctx, {});
  expect(FACES.faces).toEqual([[]]);
  expect((await faceCrop.run({ faces: FACES, encoder: undefined }, ctx, {})).IMAGE.shape).toEqual([0, 150, 150, 3]);
  expect((await faceEmbed.run({ faces: FACES, encoder: undefined }, ctx, {})).EMBEDDINGS.vectors.shape).toEqual([0, 128]);
});

it("adds landmarks to faces that have five points only", async () => {
  const { FACES } = await faceDetect.run({ ...widgets, image: await batch() }, ctx, {});
  const [full] = FACES.faces[0] ?? [];
  if (!full?.points68) throw new Error("no face");
  const { points68, ...five } = full;
  const { FACES: again } = await faceLandmarks.run({ faces: { images: FACES.images, faces: [[five], [], []] } }, ctx, {});
  const side = full.box[2] - full.box[0];
  const added = again.faces[0]?.[0]?.points68 ?? [];
  expect(added).toHaveLength(68);
  added.forEach(([x, y], i) => {
    expect(Math.hypot(x - (points68[i]?.[0] ?? Number.NaN), y - (points68[i]?.[1] ?? Number.NaN))).toBeLessThan(0.08 * side);
  });
});
