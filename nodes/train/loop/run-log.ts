// The two line files of a run. metrics.jsonl holds what the configuration determines, timings.jsonl what the clock measures.

import { z } from "zod";
import { jsonOf } from "../../../engine/base/json.ts";
import type { RunDirectory } from "../../../engine/node/context.ts";

export const METRICS = "metrics.jsonl";
export const TIMINGS = "timings.jsonl";

/** Drops lines of updates after `step`, and unfinished lines: those updates will be repeated. */
export async function dropLinesAfter(dir: RunDirectory, step: number): Promise<void> {
  for (const file of [METRICS, TIMINGS]) {
    const bytes = await dir.read(file);
    if (!bytes) continue;
    const lines = new TextDecoder().decode(bytes).split("\n");
    const kept = lines.filter((line) => stepOf(line) <= step);
    // The text after the last line break is empty when no line is unfinished.
    if (kept.length === lines.length - 1 && lines.at(-1) === "") continue;
    await dir.write(file, new TextEncoder().encode(kept.map((line) => `${line}\n`).join("")));
  }
}

/**
 * The lines of metrics.jsonl, in order, once {@link dropLinesAfter} has dropped what will be repeated. What was not finite is null. Lines that cannot be
 * read are left out.
 */
export async function metricRows(
  dir: RunDirectory,
): Promise<readonly { readonly step: number; readonly row: Readonly<Record<string, number | null>> }[]> {
  const bytes = await dir.read(METRICS);
  return new TextDecoder()
    .decode(bytes ?? new Uint8Array())
    .split("\n")
    .flatMap((line) => {
      const parsed = metricLine.safeParse(jsonOf(line));
      if (!parsed.success) return [];
      const { step, ...row } = parsed.data;
      return [{ step, row }];
    });
}

/** A JSON file of the run; undefined where there is none, or where it cannot be read: then it is told why. */
export async function readRecord<T extends z.ZodType>(
  dir: RunDirectory,
  file: string,
  schema: T,
  damaged: (why: string) => void,
): Promise<z.infer<T> | undefined> {
  const bytes = await dir.read(file);
  if (!bytes) return undefined;
  const parsed = schema.safeParse(jsonOf(new TextDecoder().decode(bytes)));
  if (!parsed.success) damaged(`${dir.path}/${file} is damaged`);
  return parsed.data;
}

const metricLine = z.object({ step: z.number() }).catchall(z.number().nullable());

/** Step of a line; Infinity for an unfinished or empty one. */
function stepOf(line: string): number {
  const match = /^\{"step":(\d+),.*\}$/.exec(line);
  return match ? Number(match[1]) : Number.POSITIVE_INFINITY;
}
