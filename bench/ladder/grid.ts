// docs/img/ladder-grid.png: the same held-out scenes, step by step.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import sharp, { type OverlayOptions } from "sharp";
import { z } from "zod";
import scenes from "../../nodes/data/rendered-scenes-dataset.ts";
import type { Image } from "../../nodes/shared/contracts/data.ts";
import { encodePng } from "../../nodes/shared/pictures/codec.ts";
import { pictureBytes } from "../../nodes/shared/pictures/picture-bytes.ts";
import { fakeContext } from "../../test/fake-context.ts";
import { type CellRun, graphOf } from "./cell-run.ts";

const ROWS = 24;
const CELL = { width: 256, height: 128 };
const GAP = 4;
const HEAD = 28;
const PAPER = "#ffffff";

const { inputs } = scenes;
const Settings = z.object({
  train: inputs.train.schema,
  held_out: inputs.held_out.schema,
  held_out_people: inputs.held_out_people.schema,
  min_people: inputs.min_people.schema,
  max_people: inputs.max_people.schema,
  identities: inputs.identities.schema,
  height: inputs.height.schema,
  reference_size: inputs.reference_size.schema,
  seed: inputs.seed.schema,
});

/**
 * References, true picture, and what each run made of them: one row for each of the first 24 scenes.
 * @param runs of one evaluation, in the order of their columns @returns whether there was anything to draw
 */
export async function writeGrid(path: string, runs: readonly CellRun[]): Promise<boolean> {
  const [first] = runs;
  if (!first) return false;
  const node = graphOf(first.cell, first.seed)["16"];
  const { dataset } = await scenes.run(Settings.parse(node?.inputs), fakeContext(), {});
  const titles = ["references", "true picture", ...runs.map((run) => run.cell.name)];
  const [columns, rows] = [titles.length, Math.min(ROWS, first.examples.length)];
  const left = (column: number) => column * (CELL.width + GAP);
  const top = (row: number) => HEAD + row * (CELL.height + GAP);
  const tiles: OverlayOptions[] = titles.map((title, column) => ({ input: heading(title), left: left(column), top: 0 }));
  for (let row = 0; row < rows; row++) {
    const { references, target } = await dataset.example("heldOut", row);
    const width = Math.floor(CELL.width / Math.max(2, references.length));
    for (const [k, portrait] of references.entries())
      tiles.push({ input: await fitted(await pngOf(portrait), width, CELL.height), left: left(0) + k * width, top: top(row) });
    const pictures = [await pngOf(target), ...runs.map(({ folder, pictures: files }) => readFileSync(join(folder, files[row] ?? "")))];
    for (const [k, png] of pictures.entries())
      tiles.push({ input: await fitted(png, CELL.width, CELL.height), left: left(k + 1), top: top(row) });
  }
  const size = { width: left(columns) - GAP, height: top(rows) - GAP };
  await sharp({ create: { ...size, channels: 3, background: PAPER } })
    .composite(tiles)
    .png({ palette: true, quality: 90 })
    .toFile(path);
  return true;
}

async function pngOf(image: Image): Promise<Uint8Array> {
  const { rgb, width, height } = pictureBytes(image, 0);
  return encodePng(rgb, width, height);
}

function fitted(png: Uint8Array, width: number, height: number): Promise<Buffer> {
  return sharp(png).resize(width, height, { fit: "contain", background: PAPER }).png().toBuffer();
}

function heading(title: string): Buffer {
  const { width } = CELL;
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${HEAD}"><text x="${width / 2}" y="19" font-size="15" font-family="sans-serif" text-anchor="middle" fill="#222">${title}</text></svg>`,
  );
}
