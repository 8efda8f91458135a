// What a training wrote into its run directory, as curves. Each reading continues where the last one ended.
import { open } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { Curves } from "../../api/training.ts";
import { codeOf } from "../../store/file-system.ts";
import { storeError } from "../../store/store-error.ts";

type Curve = Curves["curves"][number];

const line = z.looseObject({ step: z.number().int().nonnegative() });
/** Bytes of one file read at a time; the next reading continues from there. */
const MAX_READ = 32 * 2 ** 20;

interface LineFile {
  readonly path: string;
  /** Bytes read, up to the end of a line. */
  offset: number;
  inode: number;
}

/** Numbers by name and update, from `metrics.jsonl` and `timings.jsonl`. */
export class TrainingLog {
  /** Name → update → value. Not finite ones are written as null. */
  readonly #values = new Map<string, Map<number, number | null>>();
  readonly #files: readonly LineFile[];
  #done = 0;

  /** @param directory of the run */
  constructor(directory: string) {
    this.#files = ["metrics.jsonl", "timings.jsonl"].map((name) => ({ path: join(directory, name), offset: 0, inode: 0 }));
  }

  /** The newest update that was written down. */
  get done(): number {
    return this.#done;
  }

  /** Reads what was added; a file that is not there yet has nothing. One that was rewritten (a resumed run drops lines) is read from its start. @throws AppError STORE_* */
  async refresh(): Promise<void> {
    for (const file of this.#files) await this.#read(file);
  }

  async #read(file: LineFile): Promise<void> {
    const handle = await open(file.path, "r").catch((error: unknown) => {
      if (codeOf(error) === "ENOENT") return undefined;
      throw storeError("read", file.path, error);
    });
    if (!handle) return;
    try {
      const { size, ino } = await handle.stat();
      if (ino !== file.inode || size < file.offset) {
        // Both files report the same updates: what one has dropped, the other has dropped too.
        if (file.inode !== 0) this.#forget();
        file.inode = ino;
        file.offset = 0;
      }
      const bytes = Buffer.alloc(Math.min(size - file.offset, MAX_READ));
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, file.offset);
      const end = bytes.subarray(0, bytesRead).lastIndexOf(0x0a) + 1;
      file.offset += end;
      for (const text of bytes.toString("utf8", 0, end).split("\n")) this.#add(text);
    } finally {
      await handle.close();
    }
  }

  #forget(): void {
    this.#values.clear();
    this.#done = 0;
    for (const file of this.#files) file.offset = 0;
  }

  #add(text: string): void {
    if (text === "") return;
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch {
      // A line that a killed process left unfinished: its update will be repeated.
      return;
    }
    const parsed = line.safeParse(value);
    if (!parsed.success) return;
    const { step, ...numbers } = parsed.data;
    this.#done = Math.max(this.#done, step);
    for (const [name, v] of Object.entries(numbers)) {
      if (typeof v !== "number" && v !== null) continue;
      let own = this.#values.get(name);
      if (!own) {
        own = new Map();
        this.#values.set(name, own);
      }
      own.set(step, v);
    }
  }

  /** @param after only updates later than this */
  curves(after = 0): Curve[] {
    return [...this.#values].map(([name, values]) => {
      const points = [...values].filter(([step]) => step > after || (after === 0 && step === 0)).sort(([a], [b]) => a - b);
      return {
        name,
        group: groupOf(name),
        isHeldOut: name.startsWith("held_out."),
        x: points.map(([s]) => s),
        y: points.map(([, v]) => v),
      };
    });
  }

  /** Values of one curve, by update. */
  values(name: string): ReadonlyMap<number, number | null> {
    return this.#values.get(name) ?? new Map();
  }
}

const GROUPS: readonly (readonly [RegExp, Curve["group"]])[] = [
  [/(^|[._])(skipped|skipped_update|faces_found|faces_asked)$/, "other"],
  [/^(grad_norm|reward_slope|lora_norm|param_norm)$/, "gradient"],
  [/^(lr|sigma.*|constraint_dual|constraint_mean)$/, "schedule"],
  [/^(seconds|sampling|rss)$/, "cost"],
  [/^(loss|moments|kl)/, "loss"],
  [/^(reward|mimr|sir|id_sim|id_conf|psnr|ssim)/, "reward"],
];

/** Which chart a number belongs to, by its name without `held_out.`. */
export function groupOf(name: string): Curve["group"] {
  const own = name.replace(/^held_out\./, "");
  return GROUPS.find(([pattern]) => pattern.test(own))?.[1] ?? "other";
}
