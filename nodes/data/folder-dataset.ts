import { z } from "zod";
import { AppError, toAppError } from "../../engine/base/errors.ts";
import { sha256 } from "../../engine/base/hash.ts";
import type { NodeContext } from "../../engine/node/context.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import type { Dataset, Example } from "../shared/contracts/data.ts";
import { type ManifestEntry, type ManifestIssue, parseManifest } from "./dataset-manifest.ts";
import declaration from "./folder-dataset.node.ts";
import { type FoundPeople, findPeople, pictureReader } from "./folder-pictures.ts";
import { splitEntries } from "./folder-split.ts";

/** Largest manifest read. */
const MAX_BYTES = 64 * 2 ** 20;
/** Entries whose files a dry run looks for, because it must answer within seconds. */
const DRY_ENTRIES = 200;
/** Warnings and problems listed one by one at most. */
const SHOWN = 20;

export default implementNode(declaration, {
  async dryRun({ manifest }, ctx) {
    if (manifest === undefined) return {};
    const { entries, issues } = await readManifest(ctx, manifest);
    const missing: ManifestIssue[] = [];
    const folder = manifest.slice(0, manifest.lastIndexOf("/") + 1);
    for (const { line, target, references } of entries.slice(0, DRY_ENTRIES))
      for (const name of [target, ...references])
        await ctx
          .readInput(folder + name)
          .catch((error: unknown) => missing.push({ line, message: `${name}: ${toAppError(error).message}` }));
    const all = [...issues, ...missing].map((issue) => ({ input: "manifest", message: `line ${issue.line}: ${issue.message}` }));
    return { issues: all, estimate: { notes: [`${entries.length} training pairs in ${manifest}`] } };
  },
  async run(i, ctx): Promise<{ dataset: Dataset }> {
    const { text, entries, issues } = await readManifest(ctx, i.manifest);
    if (issues.length > 0) throw refusal(i.manifest, issues);
    const read = pictureReader(ctx.readInput, i.manifest);
    const sizes = { target: { width: i.width, height: i.height }, reference: { width: i.reference_size, height: i.reference_size } };
    const problems: ManifestIssue[] = [];
    const found: (ManifestEntry & FoundPeople)[] = [];
    for (const [k, entry] of entries.entries()) {
      try {
        const people = await findPeople(ctx.compute, i, read, entry, sizes);
        for (const warning of people.warnings) ctx.log("warn", `${i.manifest} line ${entry.line}: ${warning}`);
        found.push({ ...entry, ...people });
      } catch (error) {
        if (!(error instanceof AppError && error.code === "DATASET_ENTRY")) throw error;
        for (const message of z.array(z.string()).parse(error.details.problems)) problems.push({ line: entry.line, message });
      }
      ctx.progress(k + 1, entries.length, `faces of ${entry.id}`);
    }
    if (problems.length > 0) throw refusal(i.manifest, problems);
    const split = splitEntries(found, i.held_out);
    for (const warning of shortened(split.warnings)) ctx.log("warn", `${i.manifest}: ${warning}`);
    if (split.train.length === 0)
      throw new AppError("DATASET_EMPTY", `${i.manifest} leaves no example to train on`, { hint: "add entries, or hold fewer out" });

    const example = async (which: "train" | "heldOut", index: number): Promise<Example> => {
      const entry = split[which][index];
      if (!entry) throw new AppError("DATASET_INDEX", `there is no ${which} example ${index} of ${split[which].length}`);
      const names = [entry.target, ...entry.references];
      const pictures = await Promise.all(names.map((name, k) => read(name, k === 0 ? sizes.target : sizes.reference)));
      const changed = names[pictures.findIndex((p, k) => p.content !== entry.contents[k])];
      if (changed !== undefined)
        throw new AppError("DATASET_CHANGED", `${changed} changed since its faces were found`, { hint: "run the workflow again" });
      const [target, ...references] = pictures.map((p) => p.image);
      if (!target) throw new AppError("INTERNAL", "an entry has no target");
      const { id, prompt, referenceFaces, targetFaces } = entry;
      return { id, prompt, references, referenceFaces, target, targetFaces };
    };
    const { manifest: _, detector, encoder, ...settings } = i;
    const identity = [text, JSON.stringify(settings), detector.id, encoder.id, ...found.flatMap((f) => f.contents)].join("\n");
    const dataset = { id: `folder:${sha256(identity)}`, train: split.train.length, heldOut: split.heldOut.length, example };
    return { dataset };
  },
});

async function readManifest(ctx: NodeContext, name: string) {
  const bytes = await ctx.readInput(name);
  if (bytes.length > MAX_BYTES) throw new AppError("DATASET_MANIFEST", `${name} has ${bytes.length} bytes; ${MAX_BYTES} are the limit`);
  const text = new TextDecoder().decode(bytes);
  return { text, ...parseManifest(text) };
}

/** All problems in one error. */
function refusal(manifest: string, issues: readonly ManifestIssue[]): AppError {
  const lines = shortened(issues.map(({ line, message }) => `line ${line}: ${message}`));
  return new AppError("DATASET_MANIFEST", [`${manifest} cannot be trained on:`, ...lines].join("\n  "), {
    hint: "correct or remove these entries",
    details: { issues },
  });
}

function shortened(lines: readonly string[]): readonly string[] {
  return lines.length > SHOWN ? [...lines.slice(0, SHOWN), `and ${lines.length - SHOWN} more`] : lines;
}
