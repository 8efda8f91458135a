// The folders models lie in, named as ComfyUI names them.
import { readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { didYouMean } from "../base/did-you-mean.ts";
import { AppError } from "../base/errors.ts";
import type { Models, WeightFile } from "../node/context.ts";
import { openRegular, resolveInside } from "./safe-path.ts";
import { fingerprintOf, openWeightSet } from "./weight-set.ts";

export interface ModelFolderOptions {
  /** Folders that hold `diffusion_models`, `vae` …; searched in this order. Absent ones are skipped. */
  readonly roots: readonly string[];
  /** Paths by the exact text that names them: what the user typed on the command line, never what a workflow says. */
  readonly allowed?: Readonly<Record<string, string>>;
}

/** A folder's older name is searched too. */
const ALIASES: Readonly<Record<string, readonly string[]>> = { diffusion_models: ["unet"], text_encoders: ["clip"] };
const FILE = /\.(safetensors|onnx)$/;
const MAX_DEPTH = 4;
const MAX_BYTES = 2 ** 31;

export class ModelFolders implements Models {
  readonly #options: ModelFolderOptions;

  constructor(options: ModelFolderOptions) {
    this.#options = options;
  }

  async list(folder: string): Promise<readonly string[]> {
    const names = new Set<string>();
    for (const place of await this.#places(folder)) await collect(place, "", names);
    return [...names].sort();
  }

  /** Folders of any root that hold something. */
  async folders(): Promise<readonly string[]> {
    const names = new Set<string>();
    for (const root of this.#options.roots)
      for (const e of await readdir(root, { withFileTypes: true }).catch(() => []))
        if (!e.isFile() && !e.name.startsWith(".")) names.add(e.name);
    return [...names].sort();
  }

  async open(folder: string, name: string): Promise<WeightFile> {
    const { path, roots } = await this.#find(folder, name);
    return openWeightSet(name, path, roots);
  }

  async bytes(folder: string, name: string): Promise<{ readonly bytes: Uint8Array; readonly path: string; readonly fingerprint: string }> {
    const { path } = await this.#find(folder, name);
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

  async checkExternal(model: string, files: readonly { readonly path: string; readonly bytes: number }[]): Promise<void> {
    const folder = await realpath(dirname(model));
    for (const { path, bytes } of files) {
      const refuse = (why: string): AppError =>
        new AppError("MODEL_EXTERNAL", `external data ${path} of ${basename(model)} ${why}`, {
          hint: "put the model's data files beside it, as ordinary files",
        });
      const real = await realpath(path).catch(() => undefined);
      if (real === undefined) throw refuse("does not exist");
      if (real !== path || !real.startsWith(`${folder}/`)) throw refuse("is reached through a link or lies outside the model's folder");
      const about = await stat(real);
      if (!about.isFile()) throw refuse("is not a file");
      if (about.size < bytes) throw refuse(`has ${about.size} bytes where ${bytes} are needed`);
    }
  }

  /** Identity of a file or folder, without opening it. @throws AppError MODEL_NOT_FOUND, PATH_UNSAFE */
  async fingerprint(folder: string, name: string): Promise<string> {
    return fingerprintOf((await this.#find(folder, name)).path);
  }

  /** Bytes on disk. @throws AppError MODEL_NOT_FOUND, PATH_UNSAFE */
  async size(folder: string, name: string): Promise<number> {
    const { path } = await this.#find(folder, name);
    const about = await stat(path);
    if (!about.isDirectory()) return about.size;
    let total = 0;
    for (const file of await readdir(path)) if (FILE.test(file)) total += (await stat(join(path, file))).size;
    return total;
  }

  /** The real path, and the real folders it may refer to. */
  async #find(folder: string, name: string): Promise<{ readonly path: string; readonly roots: readonly string[] }> {
    const { allowed } = this.#options;
    const roots = await this.#realRoots();
    const typed = allowed && Object.hasOwn(allowed, name) ? allowed[name] : undefined;
    if (typed !== undefined) {
      const path = await realpath(typed);
      // A diffusers checkpoint keeps the tokenizer beside the text encoder.
      return { path, roots: [...roots, (await stat(path)).isDirectory() ? dirname(path) : dirname(dirname(path))] };
    }
    let refusal: unknown;
    for (const place of await this.#places(folder)) {
      try {
        const real = await realpath(await resolveInside(place, name)).catch(() => undefined);
        if (real !== undefined) return { path: real, roots };
      } catch (error) {
        refusal = error;
      }
    }
    if (refusal !== undefined) throw refusal;
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

  async #realRoots(): Promise<string[]> {
    const real = await Promise.all(this.#options.roots.map((root) => realpath(root).catch(() => undefined)));
    return real.filter((root) => root !== undefined);
  }

  /** Existing folders of a kind, in all roots. */
  async #places(folder: string): Promise<string[]> {
    const out: string[] = [];
    for (const root of await this.#realRoots())
      for (const name of [folder, ...(ALIASES[folder] ?? [])]) {
        const path = await resolveInside(root, name);
        if (
          await stat(path).then(
            (s) => s.isDirectory(),
            () => false,
          )
        )
          out.push(path);
      }
    return out;
  }
}

/** Model files, and folders that are one model (a config beside the weights). */
async function collect(root: string, below: string, names: Set<string>): Promise<void> {
  const entries = await readdir(join(root, below), { withFileTypes: true }).catch(() => []);
  const isModel =
    below !== "" &&
    entries.some((e) => e.name === "config.json" || e.name.endsWith(".index.json")) &&
    entries.some((e) => FILE.test(e.name));
  if (isModel) {
    names.add(below);
    return;
  }
  for (const entry of entries) {
    if (entry.name.startsWith(".")) continue;
    const name = below === "" ? entry.name : `${below}/${entry.name}`;
    if (FILE.test(entry.name)) names.add(name);
    else if (!entry.isFile() && name.split("/").length < MAX_DEPTH) await collect(root, name, names);
  }
}
