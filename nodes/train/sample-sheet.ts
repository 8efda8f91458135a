// The samples of a run as one page: references, target, update 0, and how it went on, with prompt and scores.
import { z } from "zod";
import type { RunDirectory } from "../../engine/node/context.ts";
import type { Example } from "../shared/contracts/data.ts";
import { sampleFile, saveExample } from "./draw-sample.ts";
import { readRecord } from "./loop/run-log.ts";

const SCORES = "samples/scores.json";
const Scores = z.record(
  z.string(),
  z.object({ prompt: z.string(), references: z.int(), updates: z.record(z.string(), z.record(z.string(), z.number())) }),
);

export class SampleSheet {
  readonly #dir: RunDirectory;
  readonly #scores: z.infer<typeof Scores>;

  private constructor(dir: RunDirectory, scores: z.infer<typeof Scores>) {
    this.#dir = dir;
    this.#scores = scores;
  }

  /**
   * Continues the folder's sheet, without what came after `step`: that will be drawn again.
   * @param warn told when the scores so far cannot be read: the sheet begins anew
   */
  static async open(dir: RunDirectory, step: number, warn: (message: string) => void): Promise<SampleSheet> {
    const scores = (await readRecord(dir, SCORES, Scores, (why) => warn(`${why}: the sheet of samples begins anew`))) ?? {};
    for (const row of Object.values(scores)) for (const n of Object.keys(row.updates)) if (Number(n) > step) delete row.updates[n];
    return new SampleSheet(dir, scores);
  }

  /** Whether no picture has been drawn yet. */
  get isEmpty(): boolean {
    return Object.values(this.#scores).every((row) => Object.keys(row.updates).length === 0);
  }

  /** @param numbers of the picture drawn at this update */
  async add(k: number, step: number, example: Example, numbers: Readonly<Record<string, number>>): Promise<void> {
    let row = this.#scores[k];
    if (!row) {
      row = { prompt: example.prompt, references: example.references.length, updates: {} };
      this.#scores[k] = row;
      await saveExample(this.#dir, k, example);
    }
    row.updates[step] = { ...numbers };
  }

  /** The numbers of all samples, by update from 0 on. */
  history(): { readonly step: number; readonly rows: readonly Readonly<Record<string, number>>[] }[] {
    const rows = Object.values(this.#scores);
    const steps = new Set(rows.flatMap((row) => Object.keys(row.updates).map(Number)));
    return [...steps].sort((a, b) => a - b).map((step) => ({ step, rows: rows.map((row) => row.updates[step] ?? {}) }));
  }

  /** Writes the scores and `samples/sheet.html`. */
  async write(): Promise<void> {
    const text = new TextEncoder();
    await this.#dir.write(SCORES, text.encode(`${JSON.stringify(this.#scores)}\n`));
    await this.#dir.write("samples/sheet.html", text.encode(this.#html()));
  }

  #html(): string {
    const cell = (file: string, caption: string) =>
      `<figure><img src="${file.slice("samples/".length)}" alt=""><figcaption>${escaped(caption)}</figcaption></figure>`;
    const rows = Object.entries(this.#scores).map(([k, { prompt, references, updates }]) => {
      const pictures = [
        ...Array.from({ length: references }, (_, r) => cell(`samples/${k}-reference-${r}.png`, `reference ${r + 1}`)),
        cell(`samples/${k}-target.png`, "target"),
        // Keys that are numbers come in their order.
        ...Object.keys(updates)
          .map(Number)
          .map((step) => {
            const { reward, reward_skipped } = updates[step] ?? {};
            const score = reward !== undefined ? `, reward ${reward.toFixed(3)}` : reward_skipped ? ", no reward" : "";
            return cell(sampleFile(Number(k), step), `update ${step}${score}`);
          }),
      ];
      return `<section><p>${escaped(prompt)}</p><div>${pictures.join("")}</div></section>`;
    });
    return `<!doctype html><meta charset="utf-8"><title>Samples</title><style>body{font:14px sans-serif}div{display:flex;gap:8px;overflow-x:auto}figure{margin:0}img{height:192px}</style>${rows.join("\n")}\n`;
  }
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
