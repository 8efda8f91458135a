// A table of pictures, a row each: JSON Lines, a JSON array or CSV, with the column names of musubi-tuner, DiffSynth-Studio and diffusers.
import { parse } from "csv-parse/sync";
import { z } from "zod";
import { toAppError } from "../../../engine/base/errors.ts";
import { jsonPieces } from "../dataset-manifest.ts";
import { besides, type DatasetEntry, folderOf, type Layout, type LayoutIssue, stemOf } from "./dataset-entry.ts";

const TARGET = ["image_path", "file_name", "image", "target", "target_image", "edited_image", "output_image"];
const PROMPT = ["caption", "text", "prompt", "edit_prompt", "instruction"];
/** One reference, or a list of them. Numbered ones (`control_path_0`) follow in their order. */
const REFERENCES = [
  "control_path",
  "edit_image",
  "control_image",
  "conditioning_image",
  "input_image",
  "source_image",
  "original_image",
  "references",
  "reference",
];

type Row = Readonly<Record<string, unknown>>;

const names = z.union([z.string(), z.array(z.string())]);

/** @param name of the file: other names are relative to its folder */
export function readTable(name: string, text: string, defaultPrompt: string): Pick<Layout, "entries" | "issues"> {
  const { rows, issues } = /\.csv$/i.test(name) ? csvRows(text) : jsonRows(text);
  const entries: DatasetEntry[] = [];
  const ids = new Map<string, number>();
  for (const { place, row } of rows) {
    const target = firstOf(row, TARGET);
    const prompt = firstOf(row, PROMPT)?.trim() || defaultPrompt;
    if (target === undefined) {
      issues.push({
        place,
        message: `no column says which picture it is (${TARGET.slice(0, 4).join(", ")} …); it has ${Object.keys(row).join(", ")}`,
      });
      continue;
    }
    if (prompt === "") issues.push({ place, message: `no caption: ${PROMPT.slice(0, 3).join(", ")} is missing or empty` });
    const stem = stemOf(target);
    const count = (ids.get(stem) ?? 0) + 1;
    ids.set(stem, count);
    const id = count === 1 ? stem : `${stem} (${count})`;
    const references = referencesOf(row).map((each) => besides(folderOf(name), each));
    entries.push({ id, prompt, target: besides(folderOf(name), target), references, place });
  }
  if (rows.length === 0 && issues.length === 0) issues.push({ place: name, message: "no rows" });
  return { entries, issues };
}

/** Whether a row is one of these tables', and no own manifest entry. */
export function isTableRow(row: Row): boolean {
  return firstOf(row, TARGET) !== undefined && !(Object.hasOwn(row, "id") && Object.hasOwn(row, "target"));
}

function firstOf(row: Row, columns: readonly string[]): string | undefined {
  for (const column of columns) {
    const value = Object.hasOwn(row, column) ? row[column] : undefined;
    if (typeof value === "string" && value !== "") return value;
  }
  return undefined;
}

function referencesOf(row: Row): string[] {
  for (const column of REFERENCES) {
    const numbered = Object.keys(row)
      .flatMap((key) => {
        const digits = key.startsWith(column) ? /^_?(\d+)$/.exec(key.slice(column.length))?.[1] : undefined;
        return digits === undefined ? [] : [{ key, number: Number(digits) }];
      })
      .sort((a, b) => a.number - b.number)
      .map(({ key }) => key);
    const found = [column, ...numbered].flatMap((key) => (Object.hasOwn(row, key) ? listOf(row[key]) : []));
    if (found.length > 0) return found;
  }
  return [];
}

/** A name, a list of names, or a list written as JSON in a cell. */
function listOf(value: unknown): string[] {
  const parsed = names.safeParse(typeof value === "string" && value.trim().startsWith("[") ? jsonOf(value) : value);
  if (!parsed.success) return [];
  return (typeof parsed.data === "string" ? [parsed.data] : parsed.data).filter((each) => each !== "");
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

interface Rows {
  readonly rows: { readonly place: string; readonly row: Row }[];
  readonly issues: LayoutIssue[];
}

function csvRows(text: string): Rows {
  try {
    const records = z
      .array(z.object({ record: z.record(z.string(), z.string()), info: z.object({ lines: z.number() }) }))
      .parse(parse(text, { columns: true, bom: true, info: true, skip_empty_lines: true, trim: true }));
    return { rows: records.map(({ record, info }) => ({ place: `line ${info.lines}`, row: record })), issues: [] };
  } catch (error) {
    return { rows: [], issues: [{ place: "the table", message: `not CSV: ${toAppError(error).message.split("\n")[0]}` }] };
  }
}

function jsonRows(text: string): Rows {
  const result: Rows = { rows: [], issues: [] };
  for (const { line, text: piece } of jsonPieces(text)) {
    const place = `line ${line}`;
    const parsed = z.record(z.string(), z.unknown()).safeParse(jsonOf(piece));
    if (parsed.success) result.rows.push({ place, row: parsed.data });
    else result.issues.push({ place, message: "not a JSON object" });
  }
  return result;
}
