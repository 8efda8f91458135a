// The files a browser may see: below three roots, by name only.
import { createHash } from "node:crypto";
import type { Dirent } from "node:fs";
import { type FileHandle, lstat, mkdir, readdir, realpath, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../base/errors.ts";
import { createAtomic } from "./atomic-write.ts";
import { codeOf } from "./file-system.ts";
import { findBelow, isInside, openRegular, resolveInside } from "./safe-path.ts";
import { storeError } from "./store-error.ts";

export interface SharedFile {
  /** Relative to its root, with slashes. */
  readonly name: string;
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

/** Files by name, below a folder or several. */
export interface FileFolder {
  /** Newest first. Hidden files are not listed, nor links where they are not followed. */
  list(skip?: (name: string) => boolean): Promise<readonly SharedFile[]>;
  /** The caller closes it. @throws AppError FILE_NOT_FOUND, PATH_UNSAFE, STORE_* */
  open(name: string): Promise<SharedFile & { readonly file: FileHandle }>;
  /** The real path of a file that exists. @throws AppError FILE_NOT_FOUND, PATH_UNSAFE, STORE_* */
  path(name: string): Promise<string>;
  /** @throws AppError FILE_NOT_FOUND, FILE_KEPT, PATH_UNSAFE, STORE_* */
  remove(name: string): Promise<void>;
}

const MAX_DEPTH = 6;
/** Files listed per root at most. */
const MAX_LISTED = 20_000;

export class SharedFiles implements FileFolder {
  readonly #roots: readonly string[];
  readonly #links: "follow" | "refuse";

  /**
   * @param roots searched in this order; the first one is written to. Absent ones are skipped.
   * @param links `follow`, for reading, those that lie below a root: the user made them. Nothing is written or removed over one.
   */
  constructor(roots: readonly string[], links: "follow" | "refuse" = "refuse") {
    this.#roots = roots;
    this.#links = links;
  }

  async list(skip: (name: string) => boolean = () => false): Promise<readonly SharedFile[]> {
    const found = new Map<string, SharedFile>();
    for (const root of this.#roots) await this.#collect(root, "", found, skip, []);
    return [...found.values()].sort((a, b) => b.modified - a.modified || (a.name < b.name ? -1 : 1));
  }

  async open(name: string): Promise<SharedFile & { readonly file: FileHandle }> {
    const { file, size, mtimeMs } = await openRegular(await this.path(name));
    return { file, name, bytes: size, modified: mtimeMs };
  }

  async path(name: string): Promise<string> {
    for (const root of this.#roots) {
      if (!(await isThere(root))) continue;
      if (this.#links === "follow") {
        const path = await findBelow(root, name);
        if (path !== undefined) return realpath(path);
        continue;
      }
      const path = await resolveInside(root, name);
      if (await isThere(path)) return path;
    }
    // An unsafe name is refused even where no root exists.
    if (name.split("/").some((part) => part === ".." || part === ""))
      throw new AppError("PATH_UNSAFE", "this is not a plain relative path");
    throw new AppError("FILE_NOT_FOUND", `there is no file ${JSON.stringify(name.slice(0, 200))}`, { hint: "it may have been removed" });
  }

  /** Saves under this name, or under a numbered one when a file of other content has it. @throws AppError PATH_UNSAFE, STORE_* */
  async add(name: string, bytes: Uint8Array): Promise<SharedFile> {
    const [root = ""] = this.#roots;
    await mkdir(root, { recursive: true }).catch((error: unknown) => {
      throw storeError("make the folder", root, error);
    });
    const dot = name.lastIndexOf(".");
    const [stem, extension] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
    for (let n = 1; ; n++) {
      const wanted = n === 1 ? name : `${stem} (${n})${extension}`;
      const path = await resolveInside(root, wanted);
      if ((await createAtomic(path, bytes)) || (await holds(path, bytes)))
        return { name: wanted, bytes: bytes.length, modified: (await stat(path)).mtimeMs };
    }
  }

  async remove(name: string): Promise<void> {
    const path = await this.path(name);
    const { file } = await openRegular(path);
    await file.close();
    const own = await Promise.all(this.#roots.map((root) => realpath(root).catch(() => undefined)));
    if (!own.some((root) => root !== undefined && isInside(root, path)) || (await this.#isLink(name)))
      throw new AppError("FILE_KEPT", `${JSON.stringify(name.slice(0, 200))} is a link, or lies behind one`, {
        hint: "remove it where it lies",
      });
    await unlink(path).catch((error: unknown) => {
      if (codeOf(error) !== "ENOENT") throw storeError("remove", path, error);
    });
  }

  /** Whether a name, or a folder on its way, is a link below the root that has it. */
  async #isLink(name: string): Promise<boolean> {
    const parts = name.split("/");
    for (const root of this.#roots) {
      if (!(await isThere(join(root, name)))) continue;
      for (let n = 1; n <= parts.length; n++)
        if (
          await lstat(join(root, ...parts.slice(0, n))).then(
            (s) => s.isSymbolicLink(),
            () => false,
          )
        )
          return true;
      return false;
    }
    return false;
  }

  /** @param above the real folders that lead here: a link to one of them is a circle */
  async #collect(
    root: string,
    below: string,
    found: Map<string, SharedFile>,
    skip: (name: string) => boolean,
    above: readonly string[],
  ): Promise<void> {
    const folder = join(root, below);
    const entries: Dirent[] = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
      // A folder of others in it hides only what it holds; the root is the user's own choice.
      if (below !== "" || codeOf(error) === "ENOENT") return [];
      throw storeError("list", root, error);
    });
    const real = await realpath(folder).catch(() => folder);
    if (above.includes(real)) return;
    for (const entry of entries) {
      if (found.size >= MAX_LISTED) return;
      const name = below === "" ? entry.name : `${below}/${entry.name}`;
      if (entry.name.startsWith(".") || skip(name) || found.has(name)) continue;
      if (entry.isSymbolicLink() && this.#links === "refuse") continue;
      const about = entry.isDirectory() ? entry : await stat(join(root, name)).catch(() => undefined);
      if (about?.isDirectory() && name.split("/").length < MAX_DEPTH) await this.#collect(root, name, found, skip, [...above, real]);
      else if (about?.isFile() && "mtimeMs" in about) found.set(name, { name, bytes: about.size, modified: about.mtimeMs });
    }
  }
}

async function holds(path: string, bytes: Uint8Array): Promise<boolean> {
  const { file, size } = await openRegular(path);
  try {
    if (size !== bytes.length) return false;
    const digest = (content: Uint8Array) => createHash("sha256").update(content).digest("hex");
    return digest(await file.readFile()) === digest(bytes);
  } finally {
    await file.close();
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: unknown) => {
      if (["ENOENT", "ENOTDIR", "ELOOP"].includes(codeOf(error))) return false;
      throw storeError("open", path, error);
    },
  );
}
