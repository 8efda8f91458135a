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

test("as many squares as asked for, up to the whole height", async () => {
  for (const batch of [1, 2, 4, 7]) expect(await crops(dataset, { seed: 1, batch, crop: 24 }, 3)).toHaveLength(batch);
  // Wherever the face is, a square stays in the picture; as high as it is, it begins at its top.
  for (const { data } of await crops(dataset, { seed: 2, batch: 40, crop: 24 }, 0)) {
    expect((data[1] ?? 1) * 64).toBe(0);
    expect((data[0] ?? 0) * 64).toBeLessThanOrEqual(WIDTH - 24);
  }
});

test("without faces and portraits all squares come from anywhere in the scenes", async () => {
  const bare: Dataset = {
    ...dataset,
    example: async (split, index) => ({ ...(await dataset.example(split, index)), references: [], referenceFaces: [], targetFaces: [] }),
  };
  const cut = await crops(bare, { seed: 5, batch: 200, crop: 8 }, 0);
  expect(cut.every(({ data }) => data[2] === 0.25)).toBe(true);
  const lefts = cut.map(({ data }) => (data[0] ?? 0) * 64);
  expect([Math.min(...lefts), Math.max(...lefts)]).toEqual([0, WIDTH - 8]);
});

test("round a face: its middle lies in the middle half of the square, each way", async () => {
  const cut = await crops(dataset, { seed: 7, batch: 400, crop: 12 }, 0);
  // The face's middle is (33, 7). Squares that hold it in their middle half begin at 24 … 30 and −2 … 4, moved into the picture.
  const near = cut.filter(({ data }) => {
    const [left, top] = [(data[0] ?? 0) * 64, (data[1] ?? 0) * 64];
    return left >= 24 && left <= 28 && top >= 0 && top <= 4;
  });
  // Three of four are cut round it, and a few more by chance.
  expect(near.length / cut.length).toBeGreaterThan(0.69);
  expect(near.length / cut.length).toBeLessThan(0.86);
  expect(new Set(near.map(({ data }) => (data[0] ?? 0) * 64)).size).toBe(5);
});

test("a square larger than a picture names the picture and the widget", async () => {
  await expect(crops(dataset, { seed: 0, batch: 1, crop: 32 }, 0)).rejects.toMatchObject({
    code: "PRETRAIN_SIZE",
    message: expect.stringMatching(/^a picture of \d is 40×24, smaller than the square of 32 /),
  });
});
