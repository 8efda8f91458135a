// Training pairs as people write them down, whatever the layout: what a reader of a layout gives.
import { posix } from "node:path";
import type { NodeContext } from "../../../engine/node/context.ts";
import { textOf } from "./text-of.ts";

/** One training pair, names as `readInput` takes them. */
export interface DatasetEntry {
  /** Unique within the dataset. */
  readonly id: string;
  readonly prompt: string;
  readonly target: string;
  readonly references: readonly string[];
  readonly split?: "train" | "held_out" | undefined;
  /** Who is on each reference, by name. */
  readonly people?: readonly string[] | undefined;
  /** Where it was written, for messages: `line 3`, `a.jpg`. */
  readonly place: string;
}

/** One problem, and its place. */
export interface LayoutIssue {
  readonly place: string;
  readonly message: string;
}

export interface Layout {
  /** For messages: `ai-toolkit's folders`. */
  readonly name: string;
  readonly entries: readonly DatasetEntry[];
  readonly issues: readonly LayoutIssue[];
  /** What was found and not used. */
  readonly notes: readonly string[];
}

/** Entries of a dataset at most, repeats included. */
export const MAX_ENTRIES = 100_000;

/**
 * Adds what one of several datasets holds, as often as it asks for; ids and places stay unique.
 * @param prefix of its ids, empty where it is the only one @param place of the dataset, for messages
 */
export function addRepeated(
  into: { readonly entries: DatasetEntry[]; readonly issues: LayoutIssue[] },
  read: Pick<Layout, "entries" | "issues">,
  { prefix, repeats, place }: { readonly prefix: string; readonly repeats: number; readonly place: string },
): void {
  // Two datasets may both hold 1.png: what is wrong with one leaves the other alone.
  const named = (own: string): string => (prefix === "" || own === place ? own : `${place} ${own}`);
  into.issues.push(...read.issues.map((issue) => ({ ...issue, place: named(issue.place) })));
  const count = into.entries.length + read.entries.length * repeats;
  if (count > MAX_ENTRIES) {
    into.issues.push({ place, message: `its num_repeats (${repeats}) makes ${count} entries; ${MAX_ENTRIES} are the limit` });
    return;
  }
  for (const entry of read.entries)
    for (let r = 0; r < repeats; r++)
      into.entries.push({ ...entry, place: named(entry.place), id: `${prefix}${entry.id}${r === 0 ? "" : ` (${r + 1})`}` });
}

export type Files = Pick<NodeContext, "readInput" | "listInputs" | "videos">;

/** A name that stands in a file of `folder`, as `readInput` takes it: `./` and `../` are resolved, absolute paths stay. @param folder with a slash at its end, or empty */
export function besides(folder: string, name: string): string {
  const plain = name.replaceAll("\\", "/");
  return plain.startsWith("/") ? posix.normalize(plain) : posix.normalize(folder + plain);
}

/** The folder of a name, with a slash at its end; empty for none. */
export function folderOf(name: string): string {
  return name.slice(0, name.lastIndexOf("/") + 1);
}

/** A name without folder and ending, its letters composed (NFC): macOS writes é as two characters, others as one. */
export function stemOf(name: string): string {
  return posix.basename(name, posix.extname(name)).normalize("NFC");
}

/** The names that are there, by what they are whatever the form of their letters. */
export function composedNames(names: Iterable<string>): ReadonlyMap<string, string> {
  return new Map([...names].map((name) => [name.normalize("NFC"), name]));
}

/** Captions of a picture stand in a text file beside it. @param there as {@link composedNames} gives it @throws AppError DATASET_TEXT */
export async function captionOf(
  files: Files,
  there: ReadonlyMap<string, string>,
  picture: string,
  extension: string,
): Promise<string | undefined> {
  const name = there.get((picture.slice(0, picture.length - posix.extname(picture).length) + extension).normalize("NFC"));
  return name === undefined ? undefined : textOf(await files.readInput(name), name).trim();
}
