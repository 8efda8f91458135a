import { AppError } from "../../../engine/base/errors.ts";
import { isPictureName } from "../../../engine/formats/picture-format.ts";
import {
  captionOf,
  composedNames,
  type DatasetEntry,
  type Files,
  folderOf,
  type Layout,
  type LayoutIssue,
  stemOf,
} from "./dataset-entry.ts";

/** Folders that hold targets, and folders that hold one reference each, by the names people give them. */
const TARGETS = /^(targets?|images?|train|output)$/i;
const CONTROLS = /^(control|controls|reference|source|input)[-_ ]?(images?)?[-_ ]?(\d*)$/i;

export interface FolderPair {
  /** With a slash at its end. */
  readonly targets: string;
  /** One folder per reference, in order. */
  readonly controls: readonly string[];
  readonly captionExtension: string;
}

/**
 * ai-toolkit's layout: a folder of targets with captions beside them, and a folder per control slot with pictures of the same names. Without subfolders the
 * folder itself is the targets' and there are no references.
 * @param folder with a slash at its end @param controls names of the control folders in it; none: found by name
 */
export async function readFolders(files: Files, folder: string, controls: readonly string[], defaultPrompt: string): Promise<Layout> {
  const names = await files.listInputs(folder.replace(/\/$/, "") || ".");
  const inside = [...new Set(names.flatMap((name) => /^[^/]+(?=\/)/.exec(name.slice(folder.length)) ?? []))];
  const chosen = controls.length > 0 ? controls : inside.filter((name) => CONTROLS.test(name)).sort(bySlot);
  const targets = inside.find((name) => TARGETS.test(name));
  const missing = controls.filter((name) => !inside.includes(name));
  const issues = missing.map((name) => ({ place: folder || ".", message: `there is no folder ${name} with pictures in it` }));
  const pair = {
    targets: targets === undefined ? folder : `${folder}${targets}/`,
    controls: chosen.map((name) => `${folder}${name}/`),
    captionExtension: ".txt",
  };
  const layout = await pairFolders(files, names, pair, defaultPrompt);
  const used = new Set([targets, ...chosen]);
  const unused = inside.filter((name) => !used.has(name));
  const notes = unused.length > 0 ? [`not read: the ${unused.length === 1 ? "folder" : "folders"} ${unused.join(", ")}`] : [];
  return { name: "a folder per control slot (ai-toolkit)", ...layout, issues: [...issues, ...layout.issues], notes };
}

/** Slots in order: `control` is the first, `control_2` the second. */
function bySlot(a: string, b: string): number {
  const slot = (name: string) => Number(CONTROLS.exec(name)?.[3] || 0);
  return slot(a) - slot(b) || (a < b ? -1 : 1);
}

/** Targets directly in a folder with the pictures of the same name in each control folder. @param names every file below */
export async function pairFolders(
  files: Files,
  names: readonly string[],
  { targets, controls, captionExtension }: FolderPair,
  defaultPrompt: string,
): Promise<Pick<Layout, "entries" | "issues">> {
  const there = composedNames(names);
  const entries: DatasetEntry[] = [];
  const issues: LayoutIssue[] = [];
  const byStem = controls.map((folder) => {
    const pictures = new Map<string, string>();
    for (const name of names.filter((n) => folderOf(n) === folder && isPictureName(n))) {
      const first = pictures.get(stemOf(name));
      if (first === undefined) pictures.set(stemOf(name), name);
      else issues.push({ place: name, message: `${first} has the same name: which of them belongs to ${stemOf(name)} is not known` });
    }
    return pictures;
  });
  const seen = new Map<string, string>();
  for (const target of names.filter((name) => folderOf(name) === targets && isPictureName(name))) {
    const place = target.slice(targets.length);
    const first = seen.get(stemOf(target));
    seen.set(stemOf(target), target);
    if (first !== undefined) issues.push({ place, message: `${first} has the same name: captions and references could not be told apart` });
    let prompt = defaultPrompt;
    let isRead = true;
    try {
      prompt = (await captionOf(files, there, target, captionExtension)) || defaultPrompt;
    } catch (error) {
      if (!(error instanceof AppError && error.code === "DATASET_TEXT")) throw error;
      issues.push({ place, message: error.message });
      isRead = false;
    }
    if (isRead && prompt === "")
      issues.push({ place, message: `it has no caption: ${stemOf(target)}${captionExtension} is missing or empty` });
    const references = byStem.map((pictures) => pictures.get(stemOf(target)));
    references.forEach((reference, k) => {
      if (reference === undefined) issues.push({ place, message: `${controls[k]} has no picture called ${stemOf(target)}` });
    });
    entries.push({ id: stemOf(target), prompt, target, references: references.filter((name) => name !== undefined), place });
  }
  const used = new Set(entries.map((entry) => entry.id));
  byStem.forEach((pictures, k) => {
    const left = [...pictures.keys()].filter((stem) => !used.has(stem));
    if (left.length > 0)
      issues.push({
        place: controls[k] ?? "",
        message: `no target is called ${left.slice(0, 3).join(", ")}${left.length > 3 ? ` (and ${left.length - 3} more)` : ""}`,
      });
  });
  if (entries.length === 0) issues.push({ place: targets || ".", message: "no pictures are in it" });
  return { entries, issues };
}
