// Tells which layout a dataset has, and reads it.

import { z } from "zod";
import { AppError } from "../../../engine/base/errors.ts";
import { jsonOf } from "../../../engine/base/json.ts";
import { jsonPieces, parseManifest } from "../dataset-manifest.ts";
import { readFolders } from "./ai-toolkit.ts";
import { readAiToolkit } from "./ai-toolkit-config.ts";
import { besides, type Files, folderOf, type Layout } from "./dataset-entry.ts";
import { readMusubi } from "./musubi.ts";
import { firstFrames, readMusubiVideos } from "./musubi-videos.ts";
import { isTableRow, readTable } from "./picture-table.ts";
import { textOf } from "./text-of.ts";

/** Largest manifest read. */
const MAX_BYTES = 64 * 2 ** 20;
/** In a folder these say what it holds, in this order. */
const MANIFESTS = [
  "pairs.jsonl",
  "dataset.jsonl",
  "dataset.toml",
  "config.yaml",
  "config.yml",
  "metadata.jsonl",
  "metadata.csv",
  "metadata.json",
];

export interface LayoutOptions {
  /** Names of control folders, where they are not found by name. */
  readonly controls: readonly string[];
  /** For pictures without a caption; empty: these are a problem. */
  readonly defaultPrompt: string;
}

/**
 * @param name of a manifest (.jsonl, .json, .csv, .toml, .yaml) or of a folder
 * @throws AppError INPUT_NOT_FOUND, DATASET_MANIFEST
 */
export async function readLayout(files: Files, name: string, options: LayoutOptions): Promise<Layout> {
  if (/\.(jsonl|json|csv|toml|ya?ml|ndjson|txt)$/i.test(name)) return readFile(files, name, options);
  const folder = name === "." ? "" : `${name.replace(/\/+$/, "")}/`;
  const there = new Set(await files.listInputs(folder === "" ? "." : folder.slice(0, -1)));
  const manifest = MANIFESTS.map((each) => folder + each).find((each) => there.has(each));
  return manifest === undefined ? readFolders(files, folder, options.controls, options.defaultPrompt) : readFile(files, manifest, options);
}

async function readFile(files: Files, name: string, { defaultPrompt }: LayoutOptions): Promise<Layout> {
  const bytes = await files.readInput(name);
  if (bytes.length > MAX_BYTES) throw new AppError("DATASET_MANIFEST", `${name} has ${bytes.length} bytes; ${MAX_BYTES} are the limit`);
  const text = textOf(bytes, name);
  if (/\.ya?ml$/i.test(name)) return readAiToolkit(files, name, text, defaultPrompt);
  if (/\.toml$/i.test(name)) return readMusubi(files, name, text, defaultPrompt);
  if (/\.csv$/i.test(name)) return { name: "a CSV table (DiffSynth, diffusers)", ...readTable(name, text, defaultPrompt), notes: [] };
  const [first] = jsonPieces(text);
  const row = z.record(z.string(), z.unknown()).safeParse(first === undefined ? undefined : jsonOf(first.text));
  if (row.success && Object.hasOwn(row.data, "video_path"))
    return {
      name: "a table of videos (musubi-tuner)",
      ...(await readMusubiVideos(files, "", { video_jsonl_file: name }, defaultPrompt)),
      notes: [firstFrames(name)],
    };
  if (row.success && isTableRow(row.data))
    return { name: "a table of pictures (musubi-tuner, DiffSynth, diffusers)", ...readTable(name, text, defaultPrompt), notes: [] };
  const { entries, issues } = parseManifest(text);
  const folder = folderOf(name);
  return {
    name: "a manifest",
    entries: entries.map(({ line, target, references, ...entry }) => ({
      ...entry,
      target: besides(folder, target),
      references: references.map((each) => besides(folder, each)),
      place: `line ${line}`,
    })),
    issues: issues.map(({ line, message }) => ({ place: `line ${line}`, message })),
    notes: [],
  };
}
