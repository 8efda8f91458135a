// Comparisons of pictures by a person, as the JSON Lines file that the node PreferenceDataset reads: `graph prefer` and the editor write it.
import { readFile, stat } from "node:fs/promises";
import type { Comparison } from "../api/preferences.ts";
import { AppError } from "../base/errors.ts";
import { writeAtomic } from "../store/atomic-write.ts";
import { unlessAbsent } from "../store/file-system.ts";

/** Largest file read. */
const MAX_BYTES = 64 * 2 ** 20;

/** Names are relative to the file's folder. */
export class PreferenceFile {
  readonly path: string;
  /** As they stand in the file: what else a line says is kept. */
  #lines: readonly string[] = [];
  #comparisons: readonly Comparison[] = [];

  private constructor(path: string) {
    this.path = path;
  }

  /** Without comparisons when there is no such file yet. @throws AppError PREFERENCES when it cannot be read, or holds something else: it is not written over */
  static async open(path: string): Promise<PreferenceFile> {
    const file = new PreferenceFile(path);
    file.#take(await linesOf(path));
    return file;
  }

  get comparisons(): readonly Comparison[] {
    return this.#comparisons;
  }

  /** Whether these two are compared, whichever won. */
  has(a: string, b: string): boolean {
    return this.#comparisons.some((c) => isOf(c, a, b));
  }

  /**
   * On disk when it returns. Nothing changes, and the answer is false, where the two are compared already. The file is read again:
   * another process may have written to it since.
   */
  async add(comparison: Comparison): Promise<boolean> {
    this.#take(await linesOf(this.path));
    if (this.has(comparison.image_win, comparison.image_lose)) return false;
    await this.#write([...this.#lines, JSON.stringify(comparison)]);
    return true;
  }

  /** Takes back the comparison of these two, as {@link add} makes one; false when there is none. */
  async remove(a: string, b: string): Promise<boolean> {
    this.#take(await linesOf(this.path));
    const left = this.#lines.filter((_, k) => !(this.#comparisons[k] && isOf(this.#comparisons[k], a, b)));
    if (left.length === this.#lines.length) return false;
    await this.#write(left);
    return true;
  }

  async #write(lines: readonly string[]): Promise<void> {
    await writeAtomic(this.path, new TextEncoder().encode(lines.map((line) => `${line}\n`).join("")));
    this.#take(lines);
  }

  #take(lines: readonly string[]): void {
    this.#comparisons = lines.map(comparisonOf);
    this.#lines = lines;
  }
}

async function linesOf(path: string): Promise<readonly string[]> {
  const refuse = (why: string, cause?: unknown) => new AppError("PREFERENCES", `${path} ${why}`, { hint: "move that file away", cause });
  try {
    const about = await unlessAbsent(stat(path));
    if (!about) return [];
    if (!about.isFile()) throw refuse("is no file");
    if (about.size > MAX_BYTES) throw refuse(`has ${about.size} bytes; ${MAX_BYTES} are the limit`);
    const text = new TextDecoder("utf-8", { fatal: true }).decode(await readFile(path));
    return text.split("\n").filter((line) => line.trim() !== "");
  } catch (error) {
    throw error instanceof AppError ? error : refuse(error instanceof TypeError ? "is no UTF-8 text" : "cannot be read", error);
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
