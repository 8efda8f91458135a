// Pictures and other files that a workflow names as inputs.
import { createHash } from "node:crypto";
import { realpath } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../base/errors.ts";
import { expectPicture } from "../formats/picture-format.ts";
import { TEMPORARY } from "./output-directory.ts";
import { findBelow, openRegular } from "./safe-path.ts";

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
    const { file, size } = await openRegular(await this.#find(name));
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
  async fingerprint(name: string, holds?: "picture"): Promise<string> {
    const bytes = await this.read(name);
    if (holds === "picture") expectPicture(bytes, name);
    return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  }

  async #find(name: string): Promise<string> {
    const { allowed } = this.#options;
    const typed = allowed && Object.hasOwn(allowed, name) ? allowed[name] : undefined;
    if (typed !== undefined) return realpath(typed);
    const { roots, plain } = this.#place(name);
    for (const root of roots) {
      const path = await findBelow(root, plain);
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
