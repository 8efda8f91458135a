// The answers of `curves` and `samples`, from a training's run directory.
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { FileRef } from "../../api/files.ts";
import type { Curves, Samples } from "../../api/training.ts";
import { codeOf } from "../../store/file-system.ts";
import { storeError } from "../../store/store-error.ts";
import type { TrainingLog } from "./training-log.ts";

export interface CurvesAsked {
  /** Only points of later updates. */
  readonly after: number;
  /** Updates asked for; 0 = not known. */
  readonly total: number;
  readonly isRunning: boolean;
  /** Those that the training raised. */
  readonly alarms: Curves["alarms"];
  /** Widget values of the train node. */
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Reads what is new, and returns what came after `after`; alarms and the best update are of the whole training. */
export async function readCurves(log: TrainingLog, { after, total, isRunning, settings, alarms }: CurvesAsked): Promise<Curves> {
  await log.refresh();
  let best: Curves["best"] = null;
  for (const [update, value] of log.values("held_out.reward"))
    if (value !== null && (!best || value > best.value || (value === best.value && update < best.update))) best = { update, value };
  return {
    curves: log.curves(after),
    alarms: [...alarms].sort((a, b) => a.update - b.update),
    updates: { done: log.done, total },
    secondsLeft: isRunning && total > 0 ? secondsLeft(log, total) : null,
    best,
    settings: { ...settings },
  };
}

/** From the last updates and from what all samplings took; the first update also compiles, so it says nothing. */
function secondsLeft(log: TrainingLog, total: number): number | null {
  const seconds = [...log.values("seconds")].sort(([a], [b]) => a - b).slice(1);
  const recent = seconds.slice(-20).flatMap(([, v]) => v ?? []);
  if (recent.length === 0) return null;
  const sampling = [...log.values("sampling").values()].map((v) => v ?? 0).slice(1);
  const mean = (xs: readonly number[]): number => (xs.length === 0 ? 0 : xs.reduce((a, b) => a + b, 0) / xs.length);
  return Math.max(0, total - log.done) * (mean(recent) + mean(sampling));
}

/** The pictures in a run directory that the training drew along the way. */
export const SAMPLES = "samples";
const SAMPLE = /^(\d+)-(?:step-(\d+)|reference-(\d+)|(target))\.(?:png|jpe?g|webp)$/;

/** @param output folder of the run @param directory of the training, below it @param named how clients name a file of that folder */
export async function readSamples(output: string, directory: string, named: (ref: FileRef) => FileRef = (ref) => ref): Promise<Samples> {
  const folder = join(output, directory, SAMPLES);
  const names = await readdir(folder).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return [];
    throw storeError("list", folder, error);
  });
  const samples = names.sort().flatMap((filename): Samples["samples"] => {
    const [, row, step, reference] = SAMPLE.exec(filename) ?? [];
    if (row === undefined) return [];
    return [
      {
        row: Number(row),
        kind: step !== undefined ? "sample" : reference !== undefined ? "reference" : "target",
        update: step === undefined ? null : Number(step),
        file: named({ filename, subfolder: `${directory}/${SAMPLES}`, type: "output" }),
      },
    ];
  });
  return { samples: samples.sort((a, b) => a.row - b.row || (a.update ?? -1) - (b.update ?? -1)) };
}
