// The list of comparisons a person makes: JSON Lines, one comparison per line. `graph prefer` writes it too.
import { z } from "zod";

const name = z.string().min(1).max(1024);
const Entry = z.strictObject({
  image_win: name,
  image_lose: name,
  prompt: z.string().max(20_000).optional(),
  weight: z.number().positive().max(1000).default(1),
  /** Whom or what the pictures show: entries of one source are never on both sides of the split. */
  source: z.string().min(1).max(200).optional(),
  split: z.enum(["train", "held_out"]).optional(),
});

/** File names are relative to the manifest's folder. */
export interface PreferenceEntry extends z.infer<typeof Entry> {
  /** From 1. */
  readonly line: number;
}

export interface PreferenceIssue {
  readonly line: number;
  readonly message: string;
}

/** Comparisons per file at most. */
const MAX_ENTRIES = 100_000;

/** Reads a manifest and lists everything that is wrong with it at once. */
export function parsePreferences(text: string): {
  readonly entries: readonly PreferenceEntry[];
  readonly issues: readonly PreferenceIssue[];
} {
  const entries: PreferenceEntry[] = [];
  const issues: PreferenceIssue[] = [];
  const seen = new Map<string, number>();
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  for (const [i, piece] of lines.entries()) {
    const line = i + 1;
    if (piece.trim() === "") continue;
    if (entries.length >= MAX_ENTRIES) {
      issues.push({ line, message: `more than ${MAX_ENTRIES} comparisons` });
      break;
    }
    let value: unknown;
    try {
      value = JSON.parse(piece);
    } catch (error) {
      issues.push({ line, message: `not JSON: ${error instanceof Error ? error.message : String(error)}` });
      continue;
    }
    const parsed = Entry.safeParse(value);
    if (!parsed.success) {
      for (const issue of parsed.error.issues) issues.push({ line, message: `${issue.path.join(".") || "entry"}: ${issue.message}` });
      continue;
    }
    const { image_win, image_lose } = parsed.data;
    if (image_win === image_lose) issues.push({ line, message: `${image_win} is compared with itself` });
    const key = JSON.stringify([image_win, image_lose].sort());
    const first = seen.get(key);
    if (first !== undefined) issues.push({ line, message: `these two pictures are compared in line ${first} too` });
    seen.set(key, line);
    entries.push({ ...parsed.data, line });
  }
  if (entries.length === 0 && issues.length === 0) issues.push({ line: 1, message: "no comparisons" });
  return { entries, issues };
}
