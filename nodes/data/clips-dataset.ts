import { AppError } from "../../engine/base/errors.ts";
import { sha256 } from "../../engine/base/hash.ts";
import { isPictureName } from "../../engine/formats/picture-format.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import type { Dataset, Example, Face } from "../shared/contracts/data.ts";
import { type SeenFace, scanFaces } from "./clips/face-scan.ts";
import { type ClipPair, clipOf, findPairs } from "./clips/find-pairs.ts";
import declaration from "./clips-dataset.node.ts";
import { bucketOf, cutRoundFace, cutTo, type Placed, readWhole } from "./dataset-picture.ts";
import { splitEntries } from "./folder-split.ts";
import { captionOf, composedNames } from "./layouts/dataset-entry.ts";
import { reasonsOf } from "./reasons.ts";

export default implementNode(declaration, {
  async dryRun(i, ctx) {
    if (i.folder === undefined) return {};
    const names = (await ctx.listInputs(i.folder)).filter((name) => isPictureName(name));
    if (names.length === 0)
      return { issues: [{ input: "folder", message: `${i.folder} holds no pictures`, hint: "`graph frames` makes them from videos" }] };
    const clips = new Set(names.map((name) => clipOf(name, prefixOf(i.folder ?? ""))));
    return {
      estimate: { notes: [`${names.length} pictures in ${clips.size} clips; which of them make pairs is known when their faces are`] },
    };
  },
  async run(i, ctx): Promise<{ dataset: Dataset }> {
    const all = await ctx.listInputs(i.folder);
    const prefix = prefixOf(i.folder);
    const there = composedNames(all);
    const { pictures, unreadable } = await scanFaces(
      ctx,
      i.detector,
      i.encoder,
      all.filter((name) => isPictureName(name)),
    );
    const rules = {
      minFace: i.min_face,
      minSharpness: i.min_sharpness,
      duplicates: i.duplicates,
      band: [i.min_similarity, i.max_similarity] as const,
      maxPeople: i.max_people,
      perTrack: i.per_track,
    };
    const { comparison } = i.encoder;
    const comparing = { id: i.encoder.id, comparison: i.accept === "custom" ? { ...comparison, threshold: i.threshold } : comparison };
    const { pairs, persons, shots, tracks, leftOut } = await findPairs(pictures, prefix, comparing, rules, () => breathe(ctx.signal));
    const entries = [];
    for (const pair of pairs)
      entries.push({
        id: pair.target.name.slice(prefix.length),
        prompt: (await captionOf(ctx, there, pair.target.name, ".txt")) || i.prompt,
        people: pair.people.map(({ person }) => `person ${person + 1}`),
        contents: [pair.target.content, ...pair.people.map(({ reference }) => reference.content)],
        faces: undefined,
        pair,
      });
    const split = splitEntries(entries, i.held_out, "people");
    const rejected = [...unreadable, ...leftOut];
    const clips = new Set(pictures.map((picture) => clipOf(picture.name, prefix))).size;
    ctx.log(
      "info",
      `${pictures.length} pictures in ${clips} clips (${shots} scenes, ${tracks} faces followed) show ${persons} people: ${pairs.length} pairs, ${rejected.length} pictures rejected`,
    );
    if (rejected.length > 0) ctx.log("warn", `${i.folder}: ${rejected.length} pictures are rejected: ${reasonsOf(rejected)}`);
    for (const warning of split.warnings) ctx.log("warn", `${i.folder}: ${warning}`);
    ctx.score("pairs", {
      pictures: pictures.length,
      clips,
      scenes: shots,
      tracks,
      people: persons,
      pairs: pairs.length,
      train: split.train.length,
      held_out: split.heldOut.length,
      rejected,
    });
    if (split.train.length === 0)
      throw new AppError("DATASET_EMPTY", `${i.folder} leaves no pair to train on: ${reasonsOf(rejected) || "everybody is held out"}`, {
        hint:
          pairs.length > 0
            ? "lower held_out: a person who is held out is not trained on"
            : "a person needs pictures in two clips; or loosen min_face, min_sharpness and the similarities",
      });
    const example = async (which: "train" | "heldOut", index: number): Promise<Example> => {
      const entry = split[which][index];
      if (!entry) throw new AppError("DATASET_INDEX", `there is no ${which} example ${index} of ${split[which].length}`);
      return { id: entry.id, prompt: entry.prompt, ...(await picturesOf(entry.pair)) };
    };
    const picturesOf = async ({ target, people }: ClipPair) => {
      const read = async (name: string, content: string) => {
        const whole = await readWhole(ctx.readInput, name, "#ffffff");
        if (whole.content !== content)
          throw new AppError("DATASET_CHANGED", `${name} changed since its faces were found`, { hint: "run the workflow again" });
        return whole.image;
      };
      const picture = cutTo(await read(target.name, target.content), bucketOf(target, i));
      const portraits: Placed[] = [];
      for (const { reference, referenceFace } of people)
        portraits.push(cutRoundFace(await read(reference.name, reference.content), referenceFace, i.reference_size));
      return {
        target: picture.image,
        targetFaces: people.map(({ face }) => moved(face, picture)),
        references: portraits.map((p) => p.image),
        referenceFaces: portraits.map((p, k) => moved(people[k]?.referenceFace, p)),
      };
    };
    const { detector, encoder, ...settings } = i;
    const identity = JSON.stringify([settings, detector.id, encoder.id, entries.map(({ id, prompt, contents }) => [id, prompt, contents])]);
    const dataset: Dataset = {
      id: `clips:${sha256(identity)}`,
      train: split.train.length,
      heldOut: split.heldOut.length,
      example,
      bucket: (which, index) => {
        const target = split[which][index]?.pair.target;
        return target ? `${Object.values(bucketOf(target, i)).join("×")} ${split[which][index]?.pair.people.length}` : "";
      },
      leftOut: [...rejected, ...split.leftOut],
    };
    return { dataset };
  },
});

/** Lets the process hear that the run was cancelled. */
async function breathe(signal: AbortSignal): Promise<void> {
  await new Promise((done) => setImmediate(done));
  signal.throwIfAborted();
}

function prefixOf(folder: string): string {
  return folder === "." ? "" : `${folder.replace(/\/+$/, "")}/`;
}

/** A face of the whole picture, in its cut. */
function moved(face: SeenFace | undefined, { left, top, scaleX, scaleY }: Placed): Face {
  if (!face) throw new AppError("INTERNAL", "a reference has no face");
  const point = ([x, y]: readonly [number, number]): [number, number] => [(x - left) * scaleX, (y - top) * scaleY];
  const [x0, y0, x1, y1] = face.box;
  const [a, b, c, d, e] = face.points5;
  return { box: [...point([x0, y0]), ...point([x1, y1])], score: face.score, points5: [point(a), point(b), point(c), point(d), point(e)] };
}
