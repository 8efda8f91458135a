import { AppError, toAppError } from "../../engine/base/errors.ts";
import { sha256 } from "../../engine/base/hash.ts";
import { stringifyJson } from "../../engine/base/json.ts";
import type { NodeContext } from "../../engine/node/context.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import type { Dataset, Face, Image } from "../shared/contracts/data.ts";
import type { FaceDetector } from "../shared/contracts/modules.ts";
import { facePixels, windowPixels } from "../shared/realism/face-pixels.ts";
import { picturesIn, readFolderPicture } from "./folder-pictures.ts";
import declaration from "./measure-realism.node.ts";
import { type BandFile, bandRows, type MeasuredFace, MIN_FACES } from "./statistics/bands.ts";
import { measureWindow } from "./statistics/measure-window.ts";

interface Source {
  readonly name: string;
  readonly count: number;
  /** Undefined for a file that is no picture. */
  picture(index: number): Promise<{ readonly name: string; readonly image: Image; readonly faces: readonly Face[] } | undefined>;
}

export default implementNode(declaration, {
  async run({ face_detector, dataset, folder, examples, min_size, about, prefix }, ctx) {
    const source = dataset ? datasetSource(dataset) : await folderSource(ctx, folder, face_detector);
    const count = Math.min(examples, source.count);
    if (count < source.count) ctx.log("warn", `${count} of the ${source.count} pictures of ${source.name} are measured (examples)`);
    const measured: MeasuredFace[] = [];
    let [pictures, small] = [0, 0];
    for (let i = 0; i < count; i++) {
      const found = await source.picture(i);
      if (found) {
        const pixels = facePixels(found.image, found.faces, min_size);
        small += found.faces.length - pixels.length;
        if (pixels.length > 0) pictures++;
        for (const { window, mask } of pixels) measured.push(await measureWindow(ctx.compute, windowPixels(found.image, window), mask));
      }
      ctx.progress(i + 1, count, `${measured.length} faces in ${i + 1} pictures`);
    }
    if (small > 0) ctx.log("info", `${small} faces were smaller than ${min_size} pixels`);
    const sizes = bandRows(measured);
    if (sizes.length === 0)
      throw new AppError("REALISM_FEW", `${measured.length} faces of ${source.name} were measured: ${MIN_FACES} of one size are needed`, {
        hint: "give more pictures, or lower min_size",
      });
    const left = measured.length - sizes.reduce((s, row) => s + row.faces, 0);
    if (left > 0) ctx.log("warn", `${left} faces are of sizes with fewer than ${MIN_FACES} faces, and were left out`);
    const file: BandFile = {
      format: "realism-bands-1",
      about: about === "" ? `${source.name}, by MeasureRealism` : about,
      sources: [{ name: source.name, licence: about === "" ? "not stated" : "see about", pictures }],
      sizes,
    };
    const bytes = new TextEncoder().encode(`${stringifyJson(file)}\n`);
    await ctx.saveAs(`${prefix}.json`, bytes);
    const values = { faces: measured.length, pictures, sizes: sizes.length };
    ctx.score("measured", values);
    return { bands: { id: `bands:${sha256(bytes)}`, ...file }, METRICS: { values, details: sizes } };
  },
});

function datasetSource(dataset: Dataset): Source {
  return {
    name: dataset.id,
    count: dataset.train,
    async picture(index) {
      const { id, target, targetFaces } = await dataset.example("train", index);
      return { name: id, image: target, faces: targetFaces };
    },
  };
}

async function folderSource(ctx: NodeContext, folder: string, detector: FaceDetector): Promise<Source> {
  const names = await picturesIn(ctx, folder);
  return {
    name: folder,
    count: names.length,
    async picture(index) {
      const name = names[index] ?? "";
      try {
        const image = await readFolderPicture(ctx, name);
        return { name, image, faces: await detector.detect(ctx.compute, image, {}) };
      } catch (error) {
        ctx.log("warn", `${name} was left out: ${toAppError(error).message}`);
        return undefined;
      }
    },
  };
}
