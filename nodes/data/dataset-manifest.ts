// The list of training pairs a user writes: JSON Lines (one entry per line) or one JSON array.
import { z } from "zod";

const name = z.string().min(1).max(1024);
const Entry = z.strictObject({
  id: z.string().min(1).max(200),
  prompt: z.string().min(1).max(20_000),
  target: name,
  /** None: the picture is made from the prompt alone. */
  references: z.array(name).max(16).default([]),
  /** Who is on each reference. */
  people: z.array(z.string().min(1).max(200)).optional(),
  split: z.enum(["train", "held_out"]).optional(),
});

/** One training pair as its user wrote it; file names are relative to the folder of the manifest. */
export interface ManifestEntry extends z.infer<typeof Entry> {
  /** Line where the entry begins, from 1. */
  readonly line: number;
}

/** One problem, and its line. */
export interface ManifestIssue {
  readonly line: number;
  readonly message: string;
}

export interface Manifest {
  readonly entries: readonly ManifestEntry[];
  readonly issues: readonly ManifestIssue[];
}

/** Entries per manifest at most. */
const MAX_ENTRIES = 100_000;

/** Reads a manifest and lists everything that is wrong with it at once. Text that begins with [ is an array, anything else is lines. */
export function parseManifest(text: string): Manifest {
  const pieces = jsonPieces(text);
  const entries: ManifestEntry[] = [];
  const issues: ManifestIssue[] = [];
  const lines = new Map<string, number>();
  for (const { line, text: piece } of pieces.slice(0, MAX_ENTRIES)) {
    let value: unknown;
    try {
      value = JSON.parse(piece);
    } catch (error) {
      issues.push({ line, message: `not JSON: ${error instanceof Error ? error.message : String(error)}` });
      continue;
    }
    const parsed = Entry.safeParse(value);
    if (!parsed.success) {
      for (const { path, message } of parsed.error.issues) issues.push({ line, message: `${path.join(".") || "entry"}: ${message}` });
      continue;
    }
    const { people, references } = parsed.data;
    if (people && people.length !== references.length)
      issues.push({ line, message: `people names ${people.length} for ${references.length} references` });
    const first = lines.get(parsed.data.id);
    if (first !== undefined) issues.push({ line, message: `id "${parsed.data.id}" is the id of line ${first} too` });
    lines.set(parsed.data.id, line);
    entries.push({ ...parsed.data, line });
  }
  if (pieces.length > MAX_ENTRIES) issues.push({ line: 1, message: `${pieces.length} entries; ${MAX_ENTRIES} are the limit` });
  if (pieces.length === 0) issues.push({ line: 1, message: "no entries" });
  return { entries, issues };
}

/** The elements of a JSON array, or the lines that are not empty; each is to be parsed by itself, so that its errors have a line. */
export function jsonPieces(text: string): readonly Piece[] {
  const bare = text.replace(/^\uFEFF/, "");
  return bare.trimStart().startsWith("[") ? piecesOfArray(bare) : piecesOfLines(bare);
}

interface Piece {
  readonly line: number;
  readonly text: string;
}

function piecesOfLines(text: string): Piece[] {
  return text
    .split("\n")
    .map((line, i) => ({ line: i + 1, text: line.trim() }))
    .filter((p) => p.text !== "");
}

/** The elements of a JSON array, cut at its commas; each is parsed by itself, so that its errors have a line. */
function piecesOfArray(text: string): Piece[] {
  const pieces: Piece[] = [];
  let depth = 0;
  let quoted = false;
  let start = 0;
  let line = 1;
  /** Where the piece's first character is; 0 before it. */
  let startLine = 0;
  const cut = (end: number): void => {
    if (startLine > 0) pieces.push({ line: startLine, text: text.slice(start, end).trim() });
    start = end + 1;
    startLine = 0;
  };
  for (let i = 0; i < text.length; i++) {
    const c = text.charAt(i);
    if (c === "\n") line++;
    if (quoted) {
      if (c === "\\") i++;
      else if (c === '"') quoted = false;
      continue;
    }
    if (c.trim() === "") continue;
    if (c === "[" && depth === 0) {
      depth = 1;
      start = i + 1;
      continue;
    }
    if (depth === 1 && (c === "," || c === "]")) {
      cut(i);
      if (c === "]") depth = 0;
      continue;
    }
    if (startLine === 0) startLine = line;
    if (c === '"') quoted = true;
    else if (c === "[" || c === "{") depth++;
    else if (c === "]" || c === "}") depth--;
  }
  // Text after the array, or an array that does not end, becomes one more piece, which is reported as invalid JSON.
  cut(text.length);
  if (depth !== 0) pieces.push({ line, text: "" });
  return pieces;
}
