// Comparisons of pictures by a person, as the JSON Lines file that the node PreferenceDataset reads: `graph prefer` and the editor write it.
import { readFile } from "node:fs/promises";
import { AppError } from "../base/errors.ts";
import { writeAtomic } from "../store/atomic-write.ts";
import { codeOf } from "../store/file-system.ts";

/** Names are relative to the file's folder. */
export interface Comparison {
  readonly image_win: string;
  readonly image_lose: string;
  /** Whom or what both show: comparisons of one source stay together when some are held out. */
  readonly source?: string;
}

/** Largest file read. */
const MAX_BYTES = 64 * 2 ** 20;

export class PreferenceFile {
  readonly path: string;
  /** As they stand in the file: what else a line says is kept. */
  #lines: readonly string[];
  #comparisons: readonly Comparison[];

  private constructor(path: string, lines: readonly string[]) {
    this.path = path;
    this.#lines = lines;
    this.#comparisons = lines.map(comparisonOf);
  }

  /** Without comparisons when there is no such file yet. @throws AppError PREFERENCES when it cannot be read, or holds something else: it is not written over */
  static async open(path: string): Promise<PreferenceFile> {
    const bytes = await readFile(path).catch((cause: unknown) => {
      if (codeOf(cause) === "ENOENT") return new Uint8Array();
      throw new AppError("PREFERENCES", `${path} cannot be read`, { cause });
    });
    if (bytes.length > MAX_BYTES) throw new AppError("PREFERENCES", `${path} has ${bytes.length} bytes; ${MAX_BYTES} are the limit`);
    return new PreferenceFile(
      path,
      new TextDecoder()
        .decode(bytes)
        .split("\n")
        .filter((line) => line.trim() !== ""),
    );
  }

  get comparisons(): readonly Comparison[] {
    return this.#comparisons;
  }

  /** Whether these two are compared, whichever won. */
  has(a: string, b: string): boolean {
    return this.#comparisons.some((c) => isOf(c, a, b));
  }

  /** On disk when it returns. Nothing changes, and the answer is false, where the two are compared already. */
  async add(comparison: Comparison): Promise<boolean> {
    if (this.has(comparison.image_win, comparison.image_lose)) return false;
    await this.#write([...this.#lines, JSON.stringify(comparison)]);
    return true;
  }

  /** Takes back the comparison of these two; false when there is none. */
  async remove(a: string, b: string): Promise<boolean> {
    const left = this.#lines.filter((_, k) => !(this.#comparisons[k] && isOf(this.#comparisons[k], a, b)));
    if (left.length === this.#lines.length) return false;
    await this.#write(left);
    return true;
  }

  async #write(lines: readonly string[]): Promise<void> {
    await writeAtomic(this.path, new TextEncoder().encode(lines.map((line) => `${line}\n`).join("")));
    this.#lines = lines;
    this.#comparisons = lines.map(comparisonOf);
  }
}

function isOf({ image_win, image_lose }: Comparison, a: string, b: string): boolean {
  return (image_win === a && image_lose === b) || (image_win === b && image_lose === a);
}

function comparisonOf(line: string): Comparison {
  try {
    const { image_win, image_lose, source }: { image_win?: unknown; image_lose?: unknown; source?: unknown } = JSON.parse(line);
    if (typeof image_win === "string" && typeof image_lose === "string")
      return { image_win, image_lose, ...(typeof source === "string" && { source }) };
  } catch {
    // Said below.
  }
  throw new AppError("PREFERENCES", `a line of the file is no comparison: ${line.slice(0, 100)}`, { hint: "move that file away" });
}
