import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { createRuntime } from "../../engine/ort/runtime.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { black, faceModels } from "../../test/face-models.ts";
import type { Face, Image } from "../shared/contracts/data.ts";
import { embedFaces } from "../shared/faces/embed-faces.ts";
import { loadBlazeFaceDetector } from "./blazeface-detector.ts";
import { type Box, iou } from "./box.ts";
import { loadDlibEncoder } from "./dlib-encoder.ts";

const root = join(import.meta.dirname, "../..");
const golden = join(root, "test/golden/faces");
const demo = join(root, "node_modules/@vladmandic/face-api/demo");
const Faces = z.object({ faces: z.array(z.object({ box: z.array(z.number()).length(4) })) });
const reference = z
  .record(z.string(), z.object({ tiny416: Faces, ssd: Faces }))
  .parse(JSON.parse(readFileSync(join(golden, "face-api-reference.json"), "utf8")));

const compute = createRuntime({ device: "cpu" });
const detector = await loadBlazeFaceDetector(faceModels);
const encoder = await loadDlibEncoder(faceModels);

async function imageOf(picture: Sharp): Promise<Image> {
  const { data, info } = await picture.removeAlpha().toColourspace("srgb").raw().toBuffer({ resolveWithObject: true });
  const pixels = new Float32Array(data.length);
  for (let i = 0; i < pixels.length; i++) pixels[i] = (data[i] ?? 0) / 255;
  return f32([1, info.height, info.width, 3], pixels);
}
const find = (image: Image, options = {}): Promise<readonly Face[]> => detector.detect(compute, image, options);
const hopper = (): Sharp => sharp(join(golden, "grace-hopper.jpg"));
const astronaut = (): Sharp => sharp(join(golden, "astronaut.jpg"));

/** The descriptor of the only face of a picture. */
async function describeFace(picture: Sharp): Promise<Float32Array> {
  const images = await imageOf(picture);
  const faces = await find(images);
  expect(faces).toHaveLength(1);
  return (await embedFaces(compute, encoder, { images, faces: [faces] })).vectors.data;
}
const distance = (a: Float32Array, b: Float32Array): number => Math.hypot(...a.map((x, i) => x - (b[i] ?? Number.NaN)));

const absent = !existsSync(demo);
if (absent)
  process.stderr.write("detection on face-api's photographs is skipped: @vladmandic/face-api is not installed (npm ci installs it)\n");

describe.skipIf(absent)("on face-api's photographs", () => {
  it.each(Object.entries(reference))("%s: finds at least the same faces, in reading order", async (name, { tiny416, ssd }) => {
    const faces = await find(await imageOf(sharp(join(demo, name.slice(name.lastIndexOf("/") + 1)))));
    for (const { box } of ssd.faces) {
      const [x = 0, y = 0, w = 0, h = 0] = box;
      const same: Box = [x, y, x + w, y + h];
      expect(Math.max(...faces.map((f) => iou(f.box, same)))).toBeGreaterThan(0.4);
    }
    // No wild mistakes: at most one false face (a door lock with two screws and a handle).
    const known = [...tiny416.faces, ...ssd.faces].map(({ box: [x = 0, y = 0, w = 0, h = 0] }): Box => [x, y, x + w, y + h]);
    expect(faces.filter((f) => known.every((k) => iou(f.box, k) < 0.3)).length).toBeLessThanOrEqual(name.endsWith("sample3.jpg") ? 1 : 0);
    const centres = faces.map((f) => f.box[0] + f.box[2]);
    expect(centres).toEqual([...centres].sort((a, b) => a - b));
  });
});

describe("who is who", () => {
  it("tells Hopper from the astronaut, and knows both in altered copies", async () => {
    const [a, b] = [await describeFace(hopper()), await describeFace(astronaut())];
    expect(distance(a, b)).toBeGreaterThan(encoder.comparison.threshold);
    const altered: readonly ((picture: Sharp) => Sharp | Promise<Sharp>)[] = [
      (p) => p.flop(),
      (p) => p.modulate({ brightness: 1.3 }),
      (p) => p.modulate({ brightness: 0.6 }),
      (p) => p.rotate(20, { background: "black" }),
      (p) => p.blur(1.2),
      (p) => p.resize({ width: 256 }),
      async (p) => sharp(await p.jpeg({ quality: 40 }).toBuffer()),
    ];
    for (const alter of altered) {
      expect(distance(a, await describeFace(await alter(hopper())))).toBeLessThan(0.55);
      expect(distance(b, await describeFace(await alter(astronaut())))).toBeLessThan(0.55);
    }
  });

  it("gives the same numbers every time", async () => {
    const image = await imageOf(astronaut());
    expect(await find(image)).toEqual(await find(image));
  });
});

describe("heads down", () => {
  it("finds and knows people in a picture that is upside down, with their eyes below their mouths", async () => {
    for (const picture of [hopper, astronaut]) {
      const upright = await describeFace(picture());
      const turned = sharp(await picture().rotate(180).png().toBuffer());
      expect(distance(upright, await describeFace(turned))).toBeLessThan(0.5);
      const [face] = await find(await imageOf(turned));
      const [left, right, , mouth] = face?.points5 ?? [];
      expect(Math.min(left?.[1] ?? 0, right?.[1] ?? 0)).toBeGreaterThan(mouth?.[1] ?? Number.POSITIVE_INFINITY);
      // Left and right are the face's own: turned, the first eye lies to the right of the second.
      expect(left?.[0] ?? 0).toBeGreaterThan(right?.[0] ?? 0);
    }
  });

  it("finds both where one stands on her head", async () => {
    const [a, b] = [await describeFace(astronaut()), await describeFace(hopper())];
    const images = await imageOf(
      sharp({ create: { width: 1024, height: 600, channels: 3, background: "#888" } }).composite([
        { input: await astronaut().png().toBuffer(), left: 0, top: 0 },
        { input: await hopper().rotate(180).png().toBuffer(), left: 512, top: 0 },
      ]),
    );
    const faces = await find(images);
    expect(faces).toHaveLength(2);
    const { vectors } = await embedFaces(compute, encoder, { images, faces: [faces] });
    const of = (i: number) => vectors.data.slice(i * encoder.dim, (i + 1) * encoder.dim);
    expect(distance(of(0), a)).toBeLessThan(0.5);
    expect(distance(of(1), b)).toBeLessThan(0.5);
  });
});

describe("faces that the border cuts", () => {
  // Hopper's face reaches from 175 to 365 across and from 130 to 330 down.
  it.each([
    ["left", { left: 235, top: 0, width: 277, height: 600 }],
    ["right", { left: 0, top: 0, width: 305, height: 600 }],
    ["bottom", { left: 0, top: 0, width: 512, height: 270 }],
    ["top", { left: 0, top: 190, width: 512, height: 410 }],
  ])("finds her at the %s", async (_, part) => {
    const upright = await describeFace(hopper());
    const cut = sharp(await hopper().extract(part).png().toBuffer());
    const faces = await find(await imageOf(cut));
    expect(faces).toHaveLength(1);
    const own: Box = [175 - part.left, 130 - part.top, 365 - part.left, 330 - part.top];
    expect(iou(faces[0]?.box ?? [0, 0, 0, 0], own)).toBeGreaterThan(0.4);
    expect(distance(upright, await describeFace(cut))).toBeLessThan(0.75);
  });
});

describe("small, large and missing faces", () => {
  // Hopper's face is 190 px of 512 × 600, the astronaut's 106 px of 512 × 512.
  it.each([
    ["Hopper", hopper, 190, 512],
    ["the astronaut", astronaut, 106, 512],
  ] as const)("finds %s at 32 pixels and knows her", async (_, picture, size, width) => {
    const small = await picture()
      .resize({ width: Math.round((width * 32) / size) })
      .toBuffer();
    const scene = (left: number, top: number): Sharp =>
      sharp({ create: { width: 760, height: 520, channels: 3, background: "#7a8a99" } })
        .composite([{ input: small, left, top }])
        .png();
    const original = await describeFace(picture());
    for (const [left, top] of [
      [40, 60],
      [560, 350],
    ] as const)
      expect(distance(original, await describeFace(sharp(await scene(left, top).toBuffer())))).toBeLessThan(0.6);
  });

  it("finds a face that fills the picture", async () => {
    const faces = await find(await imageOf(hopper().extract({ left: 185, top: 150, width: 170, height: 180 })));
    expect(faces).toHaveLength(1);
    expect(iou(faces[0]?.box ?? [0, 0, 0, 0], [0, 0, 170, 180])).toBeGreaterThan(0.5);
  });

  it("finds nothing where nobody is", async () => {
    expect(await find(black(300, 400))).toEqual([]);
    expect(await find(black(1, 1))).toEqual([]);
    const nobody = await imageOf(astronaut().extract({ left: 0, top: 330, width: 150, height: 150 }));
    expect(await find(nobody)).toEqual([]);
  });

  it("keeps to the wanted score, size and number", async () => {
    const both = await imageOf(
      sharp({ create: { width: 1024, height: 600, channels: 3, background: "black" } }).composite([
        { input: await astronaut().toBuffer(), left: 0, top: 0 },
        { input: await hopper().toBuffer(), left: 512, top: 0 },
      ]),
    );
    const all = await find(both);
    expect(all.map((f) => Math.round((f.box[0] + f.box[2]) / 1024))).toEqual([0, 2]);
    expect(await find(both, { maxFaces: 1 })).toEqual([all[1]]);
    expect(await find(both, { minSize: 150 })).toHaveLength(1);
    expect(await find(both, { minScore: 0.99 })).toEqual([]);
  });

  it("refuses what is not a picture", async () => {
    await expect(find(f32([1, 2, 2, 4], new Float32Array(16)))).rejects.toThrow(/\[B, H, W, 3\]/);
    await expect(find(f32([0, 2, 2, 3], new Float32Array(0)))).rejects.toThrow(/no picture 0/);
    await expect(find({ dtype: "float32", shape: [1, 65500, 65500, 3], data: new Float32Array(0) })).rejects.toThrow(/64 megapixels/);
  });
});
