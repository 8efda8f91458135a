import { z } from "zod";
import { AppError, toAppError } from "../../engine/base/errors.ts";
import { sha256 } from "../../engine/base/hash.ts";
import type { NodeContext } from "../../engine/node/context.ts";
import { type InputValues, implementNode } from "../../engine/node/define-node.ts";
import type { Dataset, Example } from "../shared/contracts/data.ts";
import declaration from "./folder-dataset.node.ts";
import { type FoundPeople, findPeople, fittedPictures } from "./folder-pictures.ts";
import { type LeftOut, splitEntries } from "./folder-split.ts";
import type { DatasetEntry, Layout, LayoutIssue } from "./layouts/dataset-entry.ts";
import { readLayout } from "./layouts/read-layout.ts";
import { pictureReader } from "./layouts/video-frames.ts";

/** Entries whose files a dry run looks for, because it must answer within seconds. */
const DRY_ENTRIES = 200;
/** Warnings and problems listed one by one at most. */
const SHOWN = 20;

type Inputs = InputValues<(typeof declaration)["inputs"]>;
interface Found extends DatasetEntry, Omit<FoundPeople, "people"> {
  readonly faces: FoundPeople["people"];
}

export default implementNode(declaration, {
  async dryRun(i, ctx) {
    if (i.manifest === undefined) return {};
    const layout = await layoutOf(ctx, { manifest: i.manifest, controls: i.controls ?? "", default_prompt: i.default_prompt ?? "" });
    const missing: LayoutIssue[] = [];
    const read = pictureReader(ctx);
    for (const { place, target, references } of layout.entries.slice(0, DRY_ENTRIES))
      for (const name of [target, ...references])
        await read(name).catch((error: unknown) => missing.push({ place, message: `${name}: ${toAppError(error).message}` }));
    const all = [...layout.issues, ...missing].map(({ place, message }) => ({ input: "manifest", message: `${place}: ${message}` }));
    const notes = [`${layout.entries.length} training pairs in ${i.manifest}, read as ${layout.name}`, ...layout.notes];
    return i.on_problem === "leave_out"
      ? { estimate: { notes: [...notes, ...all.map((issue) => `left out: ${issue.message}`)] } }
      : { issues: all, estimate: { notes } };
  },
  async run(i, ctx): Promise<{ dataset: Dataset }> {
    if (i.detector && !i.encoder)
      throw new AppError("DATASET_ENCODER", "a detector is connected and no encoder: faces would be found and not told apart", {
        hint: "connect an encoder too, or neither",
      });
    if (i.reference_fit === "face" && !i.detector)
      throw new AppError("DATASET_DETECTOR", "reference_fit face cuts round the face, and no detector is connected to find it", {
        hint: "connect a detector and an encoder, or set reference_fit to keep",
      });
    const layout = await layoutOf(ctx, i);
    for (const note of layout.notes) ctx.log("warn", note);
    ctx.log("info", `${i.manifest}: ${layout.entries.length} training pairs, read as ${layout.name}`);
    const { found, leftOut } = await findAll(ctx, i, layout);
    const split = splitEntries(found, i.held_out, i.split_by);
    for (const warning of shortened([...found.flatMap((f) => f.warnings.map((w) => `${f.place}: ${w}`)), ...split.warnings]))
      ctx.log("warn", `${i.manifest}: ${warning}`);
    const transparent = [...new Set(found.flatMap((f) => f.transparent))];
    if (transparent.length > 0)
      ctx.log(
        "warn",
        `${i.manifest}: ${transparent.length} pictures are transparent in parts and were put on ${i.background} (${transparent[0]} …)`,
      );
    if (split.train.length === 0)
      throw new AppError("DATASET_EMPTY", `${i.manifest} leaves no example to train on`, {
        hint:
          split.leftOut.length > 0
            ? "every entry shares a person or picture with a held-out one: hold others out, or set split_by to pictures or nothing"
            : "add entries, or hold fewer out",
      });

    const example = async (which: "train" | "heldOut", index: number): Promise<Example> => {
      const entry = split[which][index];
      if (!entry) throw new AppError("DATASET_INDEX", `there is no ${which} example ${index} of ${split[which].length}`);
      const pictures = await fittedPictures(ctx.compute, pictureReader(ctx), i, entry, i);
      const changed = pictures.find((p, k) => p.whole.content !== entry.contents[k]);
      if (changed !== undefined)
        throw new AppError("DATASET_CHANGED", `${changed.name} changed since its faces were found`, { hint: "run the workflow again" });
      const [target, ...references] = pictures.map((p) => p.image);
      if (!target) throw new AppError("INTERNAL", "an entry has no target");
      const { id, prompt, referenceFaces, targetFaces } = entry;
      return { id, prompt, references, referenceFaces, target, targetFaces };
    };
    const { detector, encoder, ...settings } = i;
    const entries = found.map(({ id, prompt, split: own, people }) => [id, prompt, own, people]);
    const identity = JSON.stringify([entries, settings, detector?.id, encoder?.id, found.map((f) => f.contents)]);
    const dataset: Dataset = {
      id: `folder:${sha256(identity)}`,
      train: split.train.length,
      heldOut: split.heldOut.length,
      example,
      bucket: (which, index) => split[which][index]?.bucket ?? "",
      leftOut: [...leftOut, ...split.leftOut],
    };
    return { dataset };
  },
});

/** Every entry with its people; those with problems end the run, or are left out. */
async function findAll(ctx: NodeContext, i: Inputs, layout: Layout): Promise<{ found: Found[]; leftOut: LeftOut[] }> {
  const problems: LayoutIssue[] = [...layout.issues];
  if (problems.length > 0 && i.on_problem === "stop") throw refusal(i.manifest, problems);
  const bad = new Set(layout.issues.map((issue) => issue.place));
  const found: Found[] = [];
  const leftOut = layout.issues.map(({ place, message }) => ({ id: place, why: message }));
  for (const [k, entry] of layout.entries.entries()) {
    if (bad.has(entry.place)) continue;
    try {
      const { people: faces, ...rest } = await findPeople(ctx.compute, pictureReader(ctx), i, entry, i);
      found.push({ ...entry, ...rest, faces });
    } catch (error) {
      if (!(error instanceof AppError && error.code === "DATASET_ENTRY")) throw error;
      for (const message of z.array(z.string()).parse(error.details.problems)) {
        problems.push({ place: entry.place, message });
        leftOut.push({ id: entry.id, why: message });
      }
    }
    ctx.progress(k + 1, layout.entries.length, `faces of ${entry.id}`);
  }
  if (problems.length > 0 && i.on_problem === "stop") throw refusal(i.manifest, problems);
  if (leftOut.length > 0)
    ctx.log(
      "warn",
      [
        `${i.manifest}: ${leftOut.length} problems, whose entries are left out:`,
        ...shortened(leftOut.map(({ id, why }) => `${id}: ${why}`)),
      ].join("\n  "),
    );
  return { found, leftOut };
}

async function layoutOf(ctx: NodeContext, i: Pick<Inputs, "manifest" | "controls" | "default_prompt">): Promise<Layout> {
  const controls = i.controls
    .split(",")
    .map((name) => name.trim().replace(/\/+$/, ""))
    .filter((name) => name !== "");
  return readLayout(ctx, i.manifest, { controls, defaultPrompt: i.default_prompt.trim() });
}

/** All problems in one error. */
function refusal(manifest: string, issues: readonly LayoutIssue[]): AppError {
  const lines = shortened(issues.map(({ place, message }) => `${place}: ${message}`));
  return new AppError("DATASET_MANIFEST", [`${manifest} cannot be trained on:`, ...lines].join("\n  "), {
    hint: "correct or remove these entries, or set on_problem to leave_out",
    details: { issues },
  });
}

function shortened(lines: readonly string[]): readonly string[] {
  return lines.length > SHOWN ? [...lines.slice(0, SHOWN), `and ${lines.length - SHOWN} more`] : lines;
}
