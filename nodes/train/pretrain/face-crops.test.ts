import { expect, test } from "vitest";
import { f32 } from "../../../engine/tensor/tensor.ts";
import type { Dataset, Face, Image } from "../../shared/contracts/data.ts";
import { crops } from "./face-crops.ts";

const WIDTH = 40;
const HEIGHT = 24;

/** Red says which column a pixel is of, green which row, blue which picture. */
function picture(blue: number): Image {
  const data = new Float32Array(WIDTH * HEIGHT * 3);
  for (let p = 0; p < WIDTH * HEIGHT; p++) data.set([(p % WIDTH) / 64, Math.floor(p / WIDTH) / 64, blue], p * 3);
  return f32([1, HEIGHT, WIDTH, 3], data);
}

const face: Face = {
  box: [30, 4, 36, 10],
  score: 1,
  points5: [
    [32, 6],
    [34, 6],
    [33, 7],
    [32, 9],
    [34, 9],
  ],
};

const dataset: Dataset = {
  id: "columns",
  train: 8,
  heldOut: 0,
  example: (_, index) =>
    Promise.resolve({
      id: `${index}`,
      prompt: "",
      references: [picture(0.5)],
      referenceFaces: [face],
      target: picture(0.25),
      targetFaces: [face],
    }),
};

test("squares are cut from scenes and portraits in turn, whole, and most of them hold the face", async () => {
  let round = 0;
  let total = 0;
  const corners = new Set<string>();
  for (let step = 0; step < 40; step++) {
    const cut = await crops(dataset, { seed: 3, batch: 5, crop: 16 }, step);
    expect(cut.map((image) => image.data[2])).toEqual([0.25, 0.5, 0.25, 0.5, 0.25]);
    for (const { shape, data } of cut) {
      expect(shape).toEqual([1, 16, 16, 3]);
      const [left, top] = [(data[0] ?? 0) * 64, (data[1] ?? 0) * 64];
      const last = (16 * 16 - 1) * 3;
      expect([(data[last] ?? 0) * 64, (data[last + 1] ?? 0) * 64]).toEqual([left + 15, top + 15]);
      corners.add(`${left},${top}`);
      total++;
      if (left <= 30 && left + 16 >= 36 && top <= 4 && top + 16 >= 10) round++;
    }
  }
  expect(round / total).toBeGreaterThan(0.6);
  expect(corners.size).toBeGreaterThan(30);
});

test("one seed and step give one set of squares", async () => {
  const options = { seed: 3, batch: 4, crop: 8 };
  expect(await crops(dataset, options, 7)).toEqual(await crops(dataset, options, 7));
  expect(await crops(dataset, options, 7)).not.toEqual(await crops(dataset, options, 8));
});

test("a square larger than a picture names the picture and the widget", async () => {
  await expect(crops(dataset, { seed: 0, batch: 1, crop: 32 }, 0)).rejects.toMatchObject({
    code: "PRETRAIN_SIZE",
    message: expect.stringMatching(/^a picture of \d is 40×24, smaller than the square of 32 /),
  });
});
