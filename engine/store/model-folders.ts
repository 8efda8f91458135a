// The folders of models, named as ComfyUI names them.
import { createHash } from "node:crypto";
import type { Dirent } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { didYouMean } from "../base/did-you-mean.ts";
import { AppError, toAppError } from "../base/errors.ts";
import type { ExternalFile, FoundExternal, Models, WeightFile } from "../node/context.ts";
import { codeOf } from "./file-system.ts";
import { findBelow, isSafeName, linkHops, openRegular } from "./safe-path.ts";
import { storeError } from "./store-error.ts";
import { fingerprintOf, openWeightSet, textBeside } from "./weight-set.ts";

export interface ModelFolderOptions {
  /** Folders that hold `diffusion_models`, `vae` …; searched in this order. Absent ones are skipped. */
  readonly roots: readonly string[];
  /** Paths by the exact text that names them: what the user typed on the command line, never what a workflow says. */
  readonly allowed?: Readonly<Record<string, string>>;
}

export interface FoundModel {
  readonly folder: string;
  readonly name: string;
  readonly bytes: number;
  /** Why it can't be used: a link that leads nowhere, say. */
  readonly problem?: string;
}

/** A folder's older name is searched too. */
const ALIASES: Readonly<Record<string, readonly string[]>> = { diffusion_models: ["unet"], text_encoders: ["clip"] };
const FILE = /\.(safetensors|onnx|gguf)$/;
/** Of a folder that is one model. */
const PART = /\.(safetensors|onnx)$/;
/** Folders whose files are of other kinds too. */
const OTHERS: Readonly<Record<string, RegExp>> = { realism: /\.json$/ };
const MAX_DEPTH = 4;
const MAX_BYTES = 2 ** 31;

export class ModelFolders implements Models {
  readonly #options: ModelFolderOptions;

  constructor(options: ModelFolderOptions) {
    this.#options = options;
  }

  async list(folder: string): Promise<readonly string[]> {
    const names = new Set<string>();
    for (const place of await this.#places(folder)) await collect(place, "", names, OTHERS[folder]);
    return [...names].sort();
  }

  /** Folders of any root that hold something. */
  async folders(): Promise<readonly string[]> {
    const names = new Set<string>();
    for (const root of this.#options.roots)
      for (const e of await entriesOf(root)) if (!e.isFile() && !e.name.startsWith(".")) names.add(e.name);
    return [...names].sort();
  }

  /** Every model. One that can't be looked at, or a folder (then named `.`), is listed with its problem, and hides none of the others. */
  async found(): Promise<readonly FoundModel[]> {
    const out: FoundModel[] = [];
    for (const folder of await this.folders())
      for (const name of await this.list(folder).catch((error: unknown) => {
        out.push({ folder, name: ".", bytes: 0, problem: toAppError(error).message });
        return [];
      }))
        out.push(
          await this.size(folder, name).then(
            (bytes) => ({ folder, name, bytes }),
            (error: unknown) => ({ folder, name, bytes: 0, problem: toAppError(error).message }),
          ),
        );
    return out;
  }

  async open(folder: string, name: string): Promise<WeightFile> {
    return openWeightSet(name, await this.#find(folder, name), this.#roots());
  }

  /** Hash of a text file beside a model, as {@link open}'s `text` finds it; undefined when there is none. */
  async textFingerprint(folder: string, name: string, relativePath: string): Promise<string | undefined> {
    const text = await textBeside(await this.#find(folder, name), relativePath, this.#roots());
    return text === undefined ? undefined : createHash("sha256").update(text).digest("hex");
  }

  async bytes(folder: string, name: string): Promise<{ readonly bytes: Uint8Array; readonly path: string; readonly fingerprint: string }> {
    const path = await realpath(await this.#find(folder, name));
    const { file, size } = await openRegular(path);
    try {
      if (size > MAX_BYTES)
        throw new AppError("MODEL_FORMAT", `${name} has ${size} bytes; a file read whole may have ${MAX_BYTES}`, {
          hint: "keep its weights as external data",
        });
      return { bytes: new Uint8Array(await file.readFile()), path, fingerprint: await fingerprintOf(path) };
    } finally {
      await file.close();
    }
  }

  async findExternal(folder: string, name: string, files: readonly ExternalFile[]): Promise<FoundExternal> {
    const places = (await linkHops(await this.#find(folder, name))).map((hop) => dirname(hop));
    const paths = new Map<string, string>();
    const identities: string[] = [];
    for (const { location, bytes } of files) {
      const refuse = (why: string): AppError =>
        new AppError("MODEL_EXTERNAL", `external data ${location} of ${name} ${why}`, { hint: "put the model's data files beside it" });
      if (!isSafeName(location)) throw refuse("lies outside the model's folder");
      let real: string | undefined;
      for (const place of places) real ??= await realpath(join(place, location)).catch(() => undefined);
      if (real === undefined) throw refuse("does not exist");
      const about = await stat(real);
      if (!about.isFile()) throw refuse("is not a file");
      if (about.size < bytes) throw refuse(`has ${about.size} bytes where ${bytes} are needed`);
      paths.set(location, real);
      identities.push(await fingerprintOf(real));
    }
    return { identity: createHash("sha256").update(identities.join("\n")).digest("hex"), paths };
  }

  /** Identity of a file or folder, without opening it. @throws AppError MODEL_NOT_FOUND, PATH_UNSAFE */
  async fingerprint(folder: string, name: string): Promise<string> {
    return fingerprintOf(await this.#find(folder, name));
  }

  /** Bytes on disk. @throws AppError MODEL_NOT_FOUND, PATH_UNSAFE */
  async size(folder: string, name: string): Promise<number> {
    const path = await this.#find(folder, name);
    const about = await stat(path);
    if (!about.isDirectory()) return about.size;
    let total = 0;
    for (const file of await readdir(path)) if (FILE.test(file)) total += (await stat(join(path, file))).size;
    return total;
  }

  /** Its path with links unresolved: names and neighbouring files are those the user sees. */
  async #find(folder: string, name: string): Promise<string> {
    const { allowed } = this.#options;
    const typed = allowed && Object.hasOwn(allowed, name) ? allowed[name] : undefined;
    if (typed !== undefined) return resolve(typed);
    // Where a folder is missing a name that leads out is refused all the same.
    if (!isSafeName(name)) await findBelow("", name);
    for (const place of await this.#places(folder)) {
      const path = await findBelow(place, name);
      if (path !== undefined) return path;
    }
    throw await this.#notFound(folder, name);
  }

  async #notFound(folder: string, name: string): Promise<AppError> {
    const names = await this.list(folder);
    const near = didYouMean(name, names) ?? names.find((n) => basename(n) === basename(name));
    const known =
      names.length > 0
        ? `there are ${names.slice(0, 20).join(", ")}${names.length > 20 ? ` and ${names.length - 20} more` : ""}`
        : "it is empty";
    return new AppError("MODEL_NOT_FOUND", `the model folder ${folder} has no ${JSON.stringify(name.slice(0, 200))}; ${known}`, {
      hint:
        near === undefined
          ? `put it into ${join(this.#options.roots[0] ?? "models", folder)}, or name its folder with --models DIR`
          : `did you mean ${near}?`,
    });
  }

  #roots(): string[] {
    return this.#options.roots.map((root) => resolve(root));
  }

  /** Existing folders of a kind, in all roots. */
  async #places(folder: string): Promise<string[]> {
    const out: string[] = [];
    for (const root of this.#roots())
      for (const name of [folder, ...(ALIASES[folder] ?? [])]) {
        const path = await findBelow(root, name);
        if (path !== undefined && (await stat(path)).isDirectory()) out.push(path);
      }
    return out;
  }
}

/** Of a root that may not exist. @throws AppError STORE_* when it does and cannot be read: what it holds would be missing without a word */
async function entriesOf(root: string): Promise<readonly Dirent[]> {
  return readdir(root, { withFileTypes: true }).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return [];
    throw storeError("list the model folder", root, error);
  });
}

/** Model files, and folders that are one model (a config beside the weights). Links are followed, but not in a circle. */
async function collect(root: string, below: string, names: Set<string>, others?: RegExp, above: readonly string[] = []): Promise<void> {
  const real = await realpath(join(root, below)).catch(() => undefined);
  if (real === undefined || above.includes(real)) return;
  const entries = await readdir(real, { withFileTypes: true }).catch(() => []);
  const isModel =
    below !== "" &&
    entries.some((e) => e.name === "config.json" || e.name.endsWith(".index.json")) &&
    entries.some((e) => PART.test(e.name));
  if (isModel) {
    names.add(below);
    return;
  }
  for (const entry of entries) {
    if (entry.name.startsWith(".")) continue;
    const name = below === "" ? entry.name : `${below}/${entry.name}`;
    if (FILE.test(entry.name) || (entry.isFile() && others?.test(entry.name))) names.add(name);
    else if (!entry.isFile() && name.split("/").length < MAX_DEPTH) await collect(root, name, names, others, [...above, real]);
  }
}
