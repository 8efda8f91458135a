// What a node opened besides the files that its widgets name. Its result, and every result made from it, is valid only while those files are unchanged.
import { AppError } from "../base/errors.ts";
import { sha256 } from "../base/hash.ts";
import type { Catalogue, CatalogueInput } from "../graph/catalogue.ts";
import type { Identify, Opened, OpenedFile } from "../graph/opened-file.ts";
import { fileId, filesNamed, type Step } from "../graph/plan.ts";
import type { Models } from "../node/context.ts";

/** Whether files are unchanged. Each is looked at once, however many results depend on it. */
export function stillTheSame(identify: Identify): (files: readonly Opened[]) => Promise<boolean> {
  const now = new Map<string, Promise<string | null>>();
  return async (files) => {
    for (const { file, identity } of files) {
      const id = JSON.stringify(file);
      const known = now.get(id) ?? identify(file);
      now.set(id, known);
      if ((await known) !== identity) return false;
    }
    return true;
  };
}

/** Each file once; the first mention counts. */
export function union(lists: readonly (readonly Opened[])[]): readonly Opened[] {
  const filled = lists.filter((list) => list.length > 0);
  const [only, another] = filled;
  if (!another) return only ?? [];
  const out = new Map<string, Opened>();
  for (const list of filled) for (const entry of list) if (!out.has(JSON.stringify(entry.file))) out.set(JSON.stringify(entry.file), entry);
  return [...out.values()];
}

export interface Recorder {
  readonly models: Models;
  readInput(name: string): Promise<Uint8Array>;
  /** What was opened so far. */
  opened(): readonly Opened[];
}

/** The same access to files, which also records what is opened. Files that the step's widgets name are left out: they are in its key. */
export function recordOpened(
  doors: Pick<Recorder, "models" | "readInput">,
  { type, widgets }: Step,
  catalogue: Catalogue,
  identify: Identify,
): Recorder {
  const seen = new Map<string, Opened>();
  const inputs = catalogue.get(type)?.inputs ?? new Map<string, CatalogueInput>();
  const named = new Set([...filesNamed(inputs.values(), widgets)].map(({ kind, name }) => fileId(kind, name)));
  const note = (file: OpenedFile, identity: string | null): void => {
    const id = JSON.stringify(file);
    if (!seen.has(id)) seen.set(id, { file, identity });
  };
  /** Records a file that was not found: it may be there next time. */
  const orAbsent = async <T>(file: OpenedFile, open: () => Promise<T>): Promise<T> => {
    try {
      return await open();
    } catch (error) {
      if (error instanceof AppError && /_NOT_FOUND$/.test(error.code)) note(file, null);
      throw error;
    }
  };
  const { models } = doors;
  return {
    opened: () => [...seen.values()],
    async readInput(name) {
      const file = { kind: "input", name } as const;
      const bytes = await orAbsent(file, () => doors.readInput(name));
      if (!named.has(fileId(file, name))) note(file, await identify(file));
      return bytes;
    },
    models: {
      list: (folder) => models.list(folder),
      async open(folder, name) {
        const file = { kind: "model", folder, name } as const;
        const weights = await orAbsent(file, () => models.open(folder, name));
        if (!named.has(fileId(file, name))) note(file, weights.fingerprint);
        return {
          ...weights,
          async text(path) {
            const text = await weights.text(path);
            note({ kind: "text", folder, name, path }, text === undefined ? null : sha256(text));
            return text;
          },
        };
      },
      async bytes(folder, name) {
        const file = { kind: "model", folder, name } as const;
        const found = await orAbsent(file, () => models.bytes(folder, name));
        if (!named.has(fileId(file, name))) note(file, found.fingerprint);
        return found;
      },
      async findExternal(folder, name, files) {
        const found = await models.findExternal(folder, name, files);
        for (const path of found.paths.values()) note({ kind: "external", path }, await identify({ kind: "external", path }));
        return found;
      },
    },
  };
}
