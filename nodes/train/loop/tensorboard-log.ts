// A copy of the metrics and the sample pictures for TensorBoard. What counts is metrics.jsonl: this file is made from it.
import { z } from "zod";
import { pictureRecord, scalarsRecord, versionRecord } from "../../../engine/formats/tfevents.ts";
import type { RunDirectory } from "../../../engine/node/context.ts";
import { METRICS } from "./run-log.ts";

/** TensorBoard looks for `tfevents` in names. */
export const EVENTS = "events.out.tfevents.whos-who";

const line = z.record(z.string(), z.number().nullable());
const SAMPLE = /^samples\/(\d+)-step-(\d+)\.png$/;

export class TensorBoardLog {
  readonly #dir: RunDirectory;

  private constructor(dir: RunDirectory) {
    this.#dir = dir;
  }

  /**
   * The file as it should be after update `step`: made anew where there were updates before, since a killed process may have
   * written about updates that will be repeated.
   */
  static async open(dir: RunDirectory, step: number): Promise<TensorBoardLog> {
    const parts = [versionRecord(now())];
    const log = new TensorBoardLog(dir);
    const text = new TextDecoder().decode((await dir.read(METRICS)) ?? new Uint8Array());
    for (const row of text.split("\n")) {
      if (row === "") continue;
      const { step: at = 0, ...numbers } = line.parse(JSON.parse(row));
      parts.push(scalarsRecord(now(), at ?? 0, finite(numbers)));
    }
    for (const file of await dir.list()) {
      const [, row = "", at] = SAMPLE.exec(file) ?? [];
      if (at !== undefined && Number(at) <= step) parts.push(...(await log.#picture(Number(at), row, file)));
    }
    await dir.write(EVENTS, Buffer.concat(parts));
    return log;
  }

  /** @param pictures files of the run directory, by row */
  async add(step: number, numbers: Readonly<Record<string, number>>, pictures: Readonly<Record<string, string>> = {}): Promise<void> {
    const parts = [scalarsRecord(now(), step, finite(numbers))];
    for (const [row, file] of Object.entries(pictures)) parts.push(...(await this.#picture(step, row, file)));
    await this.#dir.appendBytes(EVENTS, Buffer.concat(parts));
  }

  async #picture(step: number, row: string, file: string): Promise<readonly Uint8Array[]> {
    const png = await this.#dir.read(file);
    return png ? [pictureRecord(now(), step, `samples/${row}`, png)] : [];
  }
}

/** JSON has no NaN: null stands for it. */
function finite(numbers: Readonly<Record<string, number | null>>): Record<string, number> {
  return Object.fromEntries(Object.entries(numbers).map(([name, v]) => [name, v ?? Number.NaN]));
}

/** TensorBoard's axes of time; nothing is decided by it. */
function now(): number {
  return Date.now() / 1000;
}
