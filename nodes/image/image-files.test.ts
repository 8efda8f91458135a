import sharp from "sharp";
import { expect, test } from "vitest";
import { readPngText } from "../../engine/formats/png-metadata.ts";
import type { SavedFile } from "../../engine/node/context.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { fakeContext } from "../../test/fake-context.ts";
import { decodePicture, encodePng } from "../shared/pictures/codec.ts";
import { pictureBytes } from "../shared/pictures/picture-bytes.ts";
import { fillPrefix } from "./filename-prefix.ts";
import loadImage from "./load-image.ts";
import previewImage from "./preview-image.ts";
import saveImage from "./save-image.ts";

test("LoadImage gives value/255 and an empty mask", async () => {
  const png = await encodePng(
    Uint8Array.from({ length: 768 }, (_, i) => i % 256),
    16,
    16,
  );
  const asked: string[] = [];
  const ctx = {
    ...fakeContext(),
    readInput: async (name: string) => {
      asked.push(name);
      return png;
    },
  };
  const { IMAGE, MASK } = await loadImage.run({ image: "people/a.png", color_profile: "ignore" }, ctx, {});
  expect(asked).toEqual(["people/a.png"]);
  expect(IMAGE.shape).toEqual([1, 16, 16, 3]);
  expect([...IMAGE.data.subarray(0, 256)]).toEqual(Array.from({ length: 256 }, (_, v) => Math.fround(v / 255)));
  expect(MASK.shape).toEqual([1, 64, 64]);
  expect(MASK.data.every((v) => v === 0)).toBe(true);
});

test("every 8-bit number survives loading and saving", () => {
  const image = f32(
    [1, 16, 16, 3],
    Float32Array.from({ length: 768 }, (_, i) => (i % 256) / 255),
  );
  expect([...pictureBytes(image, 0).rgb]).toEqual(Array.from({ length: 768 }, (_, i) => i % 256));
});

test("saving cuts decimals off, clamps, and refuses what is no number", () => {
  const image = f32([1, 1, 3, 3], [0.1, 0.2, 0.3, 0.5, 0.999, 1, -1, 7, -0]);
  expect([...pictureBytes(image, 0).rgb]).toEqual([25, 51, 76, 127, 254, 255, 0, 255, 0]);
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => pictureBytes(f32([1, 1, 1, 3], [0, bad, 0]), 0)).toThrow(expect.objectContaining({ code: "IMAGE_NOT_FINITE" }));
  expect(() => pictureBytes(f32([1, 1, 1, 4], [0, 0, 0, 0]), 0)).toThrow(expect.objectContaining({ code: "IMAGE_SHAPE" }));
  expect(() => pictureBytes(image, 1)).toThrow(expect.objectContaining({ code: "IMAGE_SHAPE" }));
});

test("SaveImage writes one PNG per picture with the workflow inside; PreviewImage goes to temp", async () => {
  const workflow = { prompt: { 1: { class_type: "SaveImage", inputs: { text: "ä 猫" } } }, workflow: { nodes: [] } };
  const files: { prefix: string; type: string | undefined; bytes: Uint8Array }[] = [];
  const fake = fakeContext();
  const ctx = {
    ...fake,
    workflow,
    save: async (prefix: string, extension: string, bytes: Uint8Array, type?: SavedFile["type"]): Promise<SavedFile> => {
      files.push({ prefix, type, bytes });
      return { filename: `${prefix}_00001_.${extension}`, subfolder: "", type: type ?? "output" };
    },
  };
  const images = f32([2, 1, 2, 3], [0, 0, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0]);
  await saveImage.run({ images, filename_prefix: "x/%width%x%height%-%batch_num%" }, ctx, {});
  expect(files.map((f) => [f.prefix, f.type])).toEqual([
    ["x/2x1-0", "output"],
    ["x/2x1-1", "output"],
  ]);
  const [, second] = files;
  expect([...(await decodePicture(second?.bytes ?? new Uint8Array(), "x")).rgb]).toEqual([255, 0, 0, 0, 255, 0]);
  const text = readPngText(second?.bytes ?? new Uint8Array());
  expect(JSON.parse(text.get("prompt") ?? "")).toEqual(workflow.prompt);
  expect(JSON.parse(text.get("workflow") ?? "")).toEqual(workflow.workflow);
  expect(fake.shown).toHaveLength(1);
  expect(fake.shown[0]?.images).toHaveLength(2);
  await previewImage.run({ images }, ctx, {});
  expect(files.at(-1)?.type).toBe("temp");
});

test("placeholders of a file name", () => {
  const values = { width: 640, height: 480, batch: 3, date: new Date(2026, 0, 2, 3, 4, 5) };
  expect(fillPrefix("%year%-%month%-%day%/%hour%%minute%%second%_%width%x%height%_%batch_num%_%nothing%_100%", values)).toBe(
    "2026-01-02/030405_640x480_3_%nothing%_100%",
  );
});

test("LoadImage says what is ignored, and converts a colour profile when asked", async () => {
  const file = await sharp(Uint8Array.of(50, 200, 50), { raw: { width: 1, height: 1, channels: 3 } })
    .png()
    .withIccProfile("p3", { attach: true })
    .toBuffer();
  const ctx = { ...fakeContext(), readInput: async () => file };
  const ignored = await loadImage.run({ image: "phone.png", color_profile: "ignore" }, ctx, {});
  expect(ctx.logs).toEqual([expect.stringMatching(/^warn: phone\.png has the colour profile/)]);
  const converted = await loadImage.run({ image: "phone.png", color_profile: "convert" }, ctx, {});
  expect(ctx.logs).toHaveLength(1);
  expect([...converted.IMAGE.data]).not.toEqual([...ignored.IMAGE.data]);
});
