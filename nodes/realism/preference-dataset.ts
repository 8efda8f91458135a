import { AppError, toAppError } from "../../engine/base/errors.ts";
import { sha256 } from "../../engine/base/hash.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { pictureHeader } from "../shared/pictures/codec.ts";
import type { Preferences } from "../shared/realism/preferences.ts";
import { readFolderPicture } from "./folder-pictures.ts";
import declaration from "./preference-dataset.node.ts";
import { type PreferenceEntry, type PreferenceIssue, parsePreferences } from "./preference-manifest.ts";
import { splitBySource } from "./split-by-source.ts";

/** Largest manifest read. */
const MAX_BYTES = 64 * 2 ** 20;
/** Problems listed one by one at most. */
const SHOWN = 20;

export default implementNode(declaration, {
  async run({ manifest, held_out }, ctx): Promise<{ preferences: Preferences }> {
    const bytes = await ctx.readInput(manifest);
    if (bytes.length > MAX_BYTES) throw new AppError("PREFERENCES", `${manifest} has ${bytes.length} bytes; ${MAX_BYTES} are the limit`);
    const { entries, issues } = parsePreferences(new TextDecoder().decode(bytes));
    const [path, place] = placeOf(manifest);
    const folder = path.slice(0, path.lastIndexOf("/") + 1);
    const named = (name: string) => `${folder}${name}${place}`;
    const problems: PreferenceIssue[] = [...issues];
    /** Identifies each picture by its content, so that the same picture under two names is one. */
    const contents = new Map<string, string>();
    for (const [k, { line, image_win, image_lose }] of entries.entries()) {
      for (const name of [image_win, image_lose])
        if (!contents.has(name))
          try {
            const file = await ctx.readInput(named(name));
            await pictureHeader(file, name);
            contents.set(name, sha256(file));
          } catch (error) {
            const { message } = toAppError(error);
            problems.push({ line, message: message.includes(name) ? message : `${name}: ${message}` });
          }
      const [win, lose] = [contents.get(image_win), contents.get(image_lose)];
      if (win !== undefined && win === lose) problems.push({ line, message: `${image_win} and ${image_lose} are the same picture` });
      ctx.progress(k + 1, entries.length, `pictures of line ${line}`);
    }
    if (problems.length > 0) throw refusal(manifest, problems);
    const split = splitBySource(
      entries.map((entry) => ({ entry, split: entry.split, marks: marksOf(entry, contents) })),
      held_out,
    );
    if (split.train.length === 0)
      throw new AppError("PREFERENCES", `${manifest} leaves no comparison to train on`, {
        hint: "lower held_out, or give more sources: comparisons of one source, or that share a picture, stay together",
      });
    if (split.heldOut.length === 0 && held_out > 0)
      ctx.log("warn", `${manifest} holds nothing out: its comparisons are all of one source, or too few`);
    return {
      preferences: {
        id: `preferences:${sha256(JSON.stringify([entries, [...contents], held_out]))}`,
        train: split.train.length,
        heldOut: split.heldOut.length,
        async pair(which, index) {
          const entry = split[which][index]?.entry;
          if (!entry) throw new AppError("PREFERENCES", `there is no ${which} comparison ${index} of ${split[which].length}`);
          return {
            id: `${manifest}:${entry.line}`,
            ...(entry.prompt !== undefined && { prompt: entry.prompt }),
            win: { image: await readFolderPicture(ctx, named(entry.image_win)) },
            lose: { image: await readFolderPicture(ctx, named(entry.image_lose)) },
            weight: entry.weight,
            labelled: false,
          };
        },
      },
    };
  },
});

/** A name, and the folder it is said to lie in: `NAME [output]`. */
function placeOf(manifest: string): readonly [string, string] {
  const [, name = manifest, place = ""] = /^(.*?)(\s*\[\w+\])$/s.exec(manifest) ?? [];
  return [name, place];
}

function marksOf({ source, image_win, image_lose }: PreferenceEntry, contents: ReadonlyMap<string, string>): string[] {
  const pictures = [image_win, image_lose].map((name) => `picture:${contents.get(name)}`);
  return source === undefined ? pictures : [`source:${source}`, ...pictures];
}

function refusal(manifest: string, issues: readonly PreferenceIssue[]): AppError {
  const lines = issues.slice(0, SHOWN).map(({ line, message }) => `line ${line}: ${message}`);
  if (issues.length > SHOWN) lines.push(`and ${issues.length - SHOWN} more`);
  return new AppError("PREFERENCES", [`${manifest} cannot be trained on:`, ...lines].join("\n  "), {
    hint: "correct or remove these comparisons",
    details: { issues },
  });
}
