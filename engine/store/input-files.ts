// Pictures and other files that a workflow names as inputs.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../base/errors.ts";
import { expectPicture } from "../formats/picture-format.ts";
import { TEMPORARY } from "./output-directory.ts";
import { findBelow, isSafeName, openRegular } from "./safe-path.ts";

/** Files and folders below one that is listed, at most: a folder with more was not meant. */
const MAX_LISTED = 100_000;
const MAX_DEPTH = 8;
/** Far above any picture, far below what would exhaust memory. */
const MAX_BYTES = 256 * 2 ** 20;

export interface InputFileOptions {
  /** Folders searched in this order. Absent ones are skipped. */
  readonly roots: readonly string[];
  /**
   * Paths by the exact text that names them. Only what the user typed on the command line belongs here: a workflow, which may
   * come from a stranger, can name nothing outside the roots.
   */
  readonly allowed?: Readonly<Record<string, string>>;
  /** Folders by the exact text that names them, typed likewise: what lies below them may be named. The empty text: any relative name. */
  readonly folders?: Readonly<Record<string, string>> | undefined;
  /** Where runs save: `NAME [output]` is below it, `NAME [temp]` below its folder for previews. */
  readonly output?: string;
}

/** ComfyUI's way to name a file of another folder than the input's: `NAME [input]`, `[output]`, `[temp]`. */
const ANNOTATED = /^(.*?)\s*\[(input|output|temp)\]$/s;

export class InputFiles {
  readonly #options: InputFileOptions;

  constructor(options: InputFileOptions) {
    this.#options = options;
  }

  /** Whole bytes. @throws AppError INPUT_NOT_FOUND, INPUT_TOO_LARGE, PATH_UNSAFE, STORE_* */
  async read(name: string): Promise<Uint8Array> {
    const { file, size } = await openRegular(await this.find(name));
    try {
      if (size > MAX_BYTES)
        throw new AppError("INPUT_TOO_LARGE", `input file ${name} has ${size} bytes; ${MAX_BYTES} are allowed`, {
          hint: "use a smaller file",
        });
      return new Uint8Array(await file.readFile());
    } finally {
      await file.close();
    }
  }

  /**
   * Identity of the content: the same picture under another name or on another machine is the same.
   * @param holds what the file must be, by its first bytes
   * @throws AppError as {@link read}; IMAGE_FORMAT
   */
  async fingerprint(name: string, holds?: "picture" | "dataset"): Promise<string> {
    // What a folder holds is looked at when it is read.
    if (holds === "dataset" && !/\.\w{1,8}$/.test(name) && (await this.list(name)).length > 0) return `folder:${name}`;
    const bytes = await this.read(name);
    if (holds === "picture") expectPicture(bytes, name);
    return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  }

  /**
   * Names of the files below a folder, as {@link read} takes them, sorted; `.` = the input folder itself. Hidden ones are left out. The first root
   * that has the folder counts.
   * @throws AppError INPUT_NOT_FOUND, INPUT_TOO_MANY, PATH_UNSAFE
   */
  async list(folder: string): Promise<readonly string[]> {
    const typed = this.#typedFolder(folder === "." ? "" : folder);
    if (typed !== undefined) return (await this.#listed(typed, folder === "." ? "" : `${folder}/`)) ?? [];
    const { roots, plain } = this.#place(folder);
    const suffix = folder.slice(folder.indexOf(plain) + plain.length);
    for (const root of roots) {
      const path = plain === "." ? root : await findBelow(root, plain);
      const names = path === undefined ? undefined : await this.#listed(path, plain === "." ? "" : `${plain}/`);
      if (names) return names.map((name) => name + suffix);
    }
    throw new AppError("INPUT_NOT_FOUND", `there is no input folder ${JSON.stringify(folder.slice(0, 200))}`, {
      hint:
        roots.length === 0
          ? "name the folder it is in with --input DIR"
          : `put it into ${roots.join(" or ")}, or name the folder it is in with --input DIR`,
    });
  }

  async #listed(path: string, prefix: string): Promise<readonly string[] | undefined> {
    if (!(await stat(path).catch(() => undefined))?.isDirectory()) return undefined;
    const names: string[] = [];
    await collect(path, prefix, names, []);
    return names.sort();
  }

  /** The path of a folder that was typed, or lies below one that was. */
  #typedFolder(name: string): string | undefined {
    for (const [text, path] of Object.entries(this.#options.folders ?? {})) {
      if (name === text) return path;
      const rest = text === "" ? name : name.startsWith(`${text}/`) ? name.slice(text.length + 1) : "";
      if (isSafeName(rest)) {
        const below = join(path, rest);
        if (text !== "" || existsSync(below)) return below;
      }
    }
    return undefined;
  }

  /** Where a file really lies. @throws AppError INPUT_NOT_FOUND, PATH_UNSAFE */
  async find(name: string): Promise<string> {
    const { allowed } = this.#options;
    const typed = allowed && Object.hasOwn(allowed, name) ? allowed[name] : undefined;
    if (typed !== undefined) return realpath(typed);
    for (const [text, folder] of Object.entries(this.#options.folders ?? {})) {
      const rest = text === "" ? name : name.startsWith(`${text}/`) ? name.slice(text.length + 1) : "";
      const path = isSafeName(rest) ? await findBelow(folder, rest) : undefined;
      if (path !== undefined) return realpath(path);
    }
    const { roots, plain } = this.#place(name);
    for (const root of roots) {
      // An absolute name is one below its root, where it lies in one.
      const path = await findBelow(root, plain.startsWith(`${root}/`) ? plain.slice(root.length + 1) : plain);
      if (path !== undefined) return realpath(path);
    }
    throw new AppError("INPUT_NOT_FOUND", `there is no input file ${JSON.stringify(name.slice(0, 200))}`, {
      hint:
        roots.length === 0
          ? "name it on the command line: --set NODE.INPUT=PATH"
          : `put it into ${roots.join(" or ")}, or name it on the command line: --set NODE.INPUT=PATH`,
    });
  }

  /** The folders that a name may be in, and the name without its annotation. */
  #place(name: string): { readonly roots: readonly string[]; readonly plain: string } {
    const { roots, output } = this.#options;
    const [, plain = name, folder = "input"] = ANNOTATED.exec(name) ?? [];
    if (folder === "input") return { roots, plain };
    if (output === undefined) return { roots: [], plain };
    return { roots: [folder === "output" ? output : join(output, TEMPORARY)], plain };
  }
}

/** Regular files below a folder. Links are followed, but not in a circle. @param above real paths of the folders it lies in */
async function collect(folder: string, prefix: string, names: string[], above: readonly string[]): Promise<void> {
  const real = await realpath(folder);
  if (above.includes(real) || above.length >= MAX_DEPTH) return;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    const about = entry.isSymbolicLink() ? await stat(path).catch(() => undefined) : entry;
    if (about?.isDirectory()) await collect(path, `${prefix}${entry.name}/`, names, [...above, real]);
    else if (about?.isFile()) names.push(prefix + entry.name);
    if (names.length > MAX_LISTED)
      throw new AppError("INPUT_TOO_MANY", `${folder} holds more than ${MAX_LISTED} files`, { hint: "name a folder with fewer" });
  }
}
