// Where a run's pictures, tensors and run.json go. Nothing is ever written outside of it.
import { dirname, join, posix, relative, sep } from "node:path";
import { AppError } from "../base/errors.ts";
import type { RunDirectory, SavedFile } from "../node/context.ts";
import { createAtomic, sweepTemporary, writeAtomic } from "./atomic-write.ts";
import { type FileSystem, nodeFileSystem } from "./file-system.ts";
import { openRunDirectory } from "./run-directory.ts";
import { isInside, resolveInside } from "./safe-path.ts";
import { storeError } from "./store-error.ts";

/** Previews are below the output directory, apart from what is kept. */
export const TEMPORARY = "temp";

export class OutputDirectory {
  readonly root: string;
  readonly #type: SavedFile["type"];
  readonly #fs: FileSystem;

  private constructor(root: string, type: SavedFile["type"], fs: FileSystem) {
    this.root = root;
    this.#type = type;
    this.#fs = fs;
  }

  /** Makes the folder if needed and removes what killed processes left in it. @throws AppError STORE_* */
  static async open(root: string, fs: FileSystem = nodeFileSystem, type: SavedFile["type"] = "output"): Promise<OutputDirectory> {
    await fs.mkdir(root).catch((error: unknown) => {
      throw storeError("make the folder", root, error);
    });
    await sweepTemporary(root, fs);
    return new OutputDirectory(root, type, fs);
  }

  /**
   * ComfyUI's naming: `<prefix>_00001_.<extension>` with the next number that is free; the prefix may hold folders.
   * Two processes that save at once get two numbers.
   * @throws AppError PATH_UNSAFE, STORE_*
   */
  async save(prefix: string, extension: string, bytes: Uint8Array): Promise<SavedFile> {
    if (!/^[A-Za-z0-9.]{1,16}$/.test(extension))
      throw new AppError("PATH_UNSAFE", `${JSON.stringify(extension.slice(0, 40))} is no file extension`);
    const wanted = await this.#prepare(`${prefix}_00001_.${extension}`);
    const folder = dirname(wanted);
    const start = `${posix.basename(prefix)}_`;
    for (let number = await this.#lastNumber(folder, start); ; ) {
      number++;
      const path = join(folder, `${start}${String(number).padStart(5, "0")}_.${extension}`);
      if (await createAtomic(path, bytes, this.#fs)) return this.#saved(path);
    }
  }

  /** A file of a fixed name, replaced as a whole. @throws AppError PATH_UNSAFE, STORE_* */
  async saveAs(name: string, bytes: Uint8Array): Promise<SavedFile> {
    const path = await this.#prepare(name);
    await writeAtomic(path, bytes, this.#fs);
    return this.#saved(path);
  }

  /** A folder below this one, for metrics and checkpoints. @throws AppError PATH_UNSAFE, STORE_* */
  async runDirectory(name: string): Promise<RunDirectory> {
    return openRunDirectory(await this.#prepare(`${name}/x`).then(dirname), this.#fs);
  }

  /** The path of a name with its folder made; checked again afterwards, since making it may have followed a link. */
  async #prepare(name: string): Promise<string> {
    const path = await resolveInside(this.root, name);
    try {
      await this.#fs.mkdir(dirname(path));
    } catch (error) {
      throw storeError("make the folder", dirname(path), error);
    }
    return resolveInside(this.root, name);
  }

  async #lastNumber(folder: string, start: string): Promise<number> {
    let last = 0;
    const names = await this.#fs.readdir(folder).catch((error: unknown) => {
      throw storeError("list", folder, error);
    });
    for (const name of names) {
      const digits = name.startsWith(start) ? /^(\d{1,9})_\./.exec(name.slice(start.length))?.[1] : undefined;
      if (digits !== undefined) last = Math.max(last, Number(digits));
    }
    return last;
  }

  async #saved(path: string): Promise<SavedFile> {
    const root = await resolveInside(this.root, "x").then(dirname);
    if (!isInside(root, path)) throw new AppError("PATH_UNSAFE", `${path} is outside ${root}`);
    const parts = relative(root, path).split(sep);
    return { filename: parts.at(-1) ?? "", subfolder: parts.slice(0, -1).join("/"), type: this.#type };
  }
}
