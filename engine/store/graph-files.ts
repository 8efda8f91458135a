// The workflows that a user saved: one JSON file each, in one folder.
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { AppError, toAppError } from "../base/errors.ts";
import { writeAtomic } from "./atomic-write.ts";
import { codeOf } from "./file-system.ts";
import { openRegular, resolveInside } from "./safe-path.ts";
import { storeError } from "./store-error.ts";

export interface GraphFile {
  readonly name: string;
  /** Identifies the content. */
  readonly revision: string;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly text: string;
}

/** One that is there and cannot be read. */
export interface UnreadableGraph {
  readonly name: string;
  readonly problem: string;
}

const MAX_BYTES = 16 * 2 ** 20;
const MAX_FILES = 2000;

export class GraphFiles {
  readonly #folder: string;
  /** What is saved or removed waits for what was asked for before it: between a look and a write nothing else is written. */
  #line: Promise<unknown> = Promise.resolve();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** By name. @throws AppError STORE_* when the folder is there and cannot be read */
  async list(): Promise<readonly (GraphFile | UnreadableGraph)[]> {
    const names = (await this.#names()).filter((file) => file.endsWith(".json") && !file.startsWith("."));
    const files = await Promise.all(
      names.map(async (file) => {
        const name = file.slice(0, -".json".length);
        try {
          return await this.get(name);
        } catch (error) {
          const { code, message } = toAppError(error);
          // Removed since.
          return code === "GRAPH_NOT_FOUND" ? undefined : { name, problem: message };
        }
      }),
    );
    return files.filter((file) => file !== undefined).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** @throws AppError GRAPH_NOT_FOUND, PATH_UNSAFE, STORE_* */
  async get(name: string): Promise<GraphFile> {
    const { file, size, mtimeMs } = await openRegular(await this.#path(name)).catch((error: unknown) => {
      throw error instanceof AppError && error.code === "STORE_NOT_FOUND" ? notFound(name) : error;
    });
    try {
      if (size > MAX_BYTES) throw new AppError("WORKFLOW_TOO_LARGE", `the graph ${name} has ${size} bytes; ${MAX_BYTES} are allowed`);
      const text = await file.readFile("utf8");
      return { name, text, modified: mtimeMs, revision: revisionOf(text) };
    } finally {
      await file.close();
    }
  }

  /**
   * @param base the revision this one is based on; null = the name must be new; undefined = whatever is there is replaced
   * @throws AppError GRAPH_CHANGED, GRAPHS_FULL, PATH_UNSAFE, STORE_*
   */
  save(name: string, text: string, base: string | null | undefined): Promise<GraphFile> {
    return this.#inTurn(() => this.#save(name, text, base));
  }

  /** @throws AppError GRAPH_NOT_FOUND, PATH_UNSAFE, STORE_* */
  remove(name: string): Promise<void> {
    return this.#inTurn(async () => {
      const path = await this.#path(name);
      await unlink(path).catch((error: unknown) => {
        throw codeOf(error) === "ENOENT" ? notFound(name) : storeError("remove", path, error);
      });
    });
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#line.then(work);
    this.#line = done.catch(() => undefined);
    return done;
  }

  async #save(name: string, text: string, base: string | null | undefined): Promise<GraphFile> {
    await mkdir(this.#folder, { recursive: true }).catch((error: unknown) => {
      throw storeError("make the folder", this.#folder, error);
    });
    const path = await this.#path(name);
    const current = await readFile(path, "utf8").catch((error: unknown) => {
      if (codeOf(error) === "ENOENT") return undefined;
      throw storeError("read what is there before it is replaced:", path, error);
    });
    if (base !== undefined && (current === undefined ? null : revisionOf(current)) !== base)
      throw new AppError(
        "GRAPH_CHANGED",
        base === null ? `there is a graph ${name} already` : `${name} was changed elsewhere since it was opened`,
        {
          hint: base === null ? "choose another name, or replace it" : "save it under another name, or replace what is there",
        },
      );
    if (current === undefined && (await this.#names()).length >= MAX_FILES)
      throw new AppError("GRAPHS_FULL", `${MAX_FILES} graphs are saved already`, { hint: "remove some of them" });
    await writeAtomic(path, new TextEncoder().encode(text));
    // Another program may have removed it since.
    const modified = await stat(path).then(
      (about) => about.mtimeMs,
      () => Date.now(),
    );
    return { name, text, modified, revision: revisionOf(text) };
  }

  /** The folder is made at the first save. */
  async #names(): Promise<readonly string[]> {
    return readdir(this.#folder).catch((error: unknown) => {
      if (codeOf(error) === "ENOENT") return [];
      throw storeError("list", this.#folder, error);
    });
  }

  async #path(name: string): Promise<string> {
    if (name.includes("/")) throw new AppError("PATH_UNSAFE", `${JSON.stringify(name.slice(0, 100))} is no name of a graph`);
    return resolveInside(this.#folder, `${name}.json`).catch((error: unknown) => {
      // The folder is made at the first save.
      if (error instanceof AppError && error.code === "STORE_NOT_FOUND") return join(this.#folder, `${name}.json`);
      throw error;
    });
  }
}

function revisionOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

function notFound(name: string): AppError {
  return new AppError("GRAPH_NOT_FOUND", `there is no graph ${JSON.stringify(name.slice(0, 100))}`, {
    hint: "it may have been renamed or removed",
  });
}
