// Results of finished nodes on disk, so that the next process continues where this one was killed. Content-addressed by cache key.
// An entry is: magic, length of the header, header (JSON), SHA-256 of the header, outputs (v8.serialize).
import { createHash } from "node:crypto";
import { dirname, join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { z } from "zod";
import { type Effect, effect } from "../graph/events.ts";
import { type Opened, opened } from "../graph/opened-file.ts";
import { writeAtomic } from "./atomic-write.ts";
import { codeOf, type FileSystem, nodeFileSystem } from "./file-system.ts";
import { measureValue } from "./measure-value.ts";
import { storeError } from "./store-error.ts";

export interface ResultStoreOptions {
  readonly folder: string;
  /** What all entries together may take on disk. */
  readonly budgetBytes: number;
  /** Everything besides the key that decides a result: the program's code, device, threads, versions. */
  readonly salt: string;
}

/** A `Result` of engine/run. */
interface Stored {
  readonly outputs: Readonly<Record<string, unknown>> | null;
  readonly effects: readonly Effect[];
  readonly opened: readonly Opened[];
}

const MAGIC = new TextEncoder().encode("WWRES002");
const HASH = 32;
const START = MAGIC.length + 4;
/** Results that took less time than this are computed again instead of kept. */
const MIN_MS = 20;
/** Outputs are kept when they are smaller than this, or took longer to make than they take to read. */
const SMALL_BYTES = 65_536;
const BYTES_PER_MS = 200_000;

/** Codes of errors that come from an entry's bytes. */
const DAMAGE = new Set(["ERR_BUFFER_OUT_OF_BOUNDS", "ERR_OUT_OF_RANGE", "ERR_ENCODING_INVALID_ENCODED_DATA"]);

const header = z.object({
  effects: z.array(effect),
  opened: z.array(opened),
  outputs: z.object({ bytes: z.number().int().nonnegative(), sha256: z.string() }).nullable(),
});
type Header = z.infer<typeof header>;

/** Never throws for a damaged entry: it is removed, as if it had not been there. Implements `StoredResults` of engine/run. */
export class ResultStore {
  readonly #options: ResultStoreOptions;
  readonly #fs: FileSystem;
  /** No less than the bytes on disk: what disappears is not subtracted before the next count. Undefined until counted. */
  #total: number | undefined;

  constructor(options: ResultStoreOptions, fs: FileSystem = nodeFileSystem) {
    this.#options = options;
    this.#fs = fs;
  }

  async peek(key: string): Promise<(Omit<Stored, "outputs"> & { readonly hasOutputs: boolean }) | undefined> {
    const path = this.#path(key);
    return this.#whole(path, async () => {
      const file = await this.#fs.open(path, "r");
      try {
        const start = await readExactly(file, 0, START);
        const { effects, opened, outputs } = headerOf(await readExactly(file, 0, START + headerLength(start) + HASH));
        return { effects, opened, hasOutputs: outputs !== null };
      } finally {
        await file.close();
      }
    });
  }

  async read(key: string): Promise<Stored | undefined> {
    const path = this.#path(key);
    const stored = await this.#whole(path, async () => {
      const bytes = await this.#fs.readFile(path);
      const { effects, outputs, opened } = headerOf(bytes);
      if (!outputs) return { outputs, effects, opened };
      const payload = bytes.subarray(bytes.length - outputs.bytes);
      if (payload.length !== outputs.bytes || sha256(payload) !== outputs.sha256) throw new Error("damaged");
      return { outputs: record(deserialize(payload)), effects, opened };
    });
    const now = new Date();
    // The time of last use is the file's own, so that every process evicts by it.
    if (stored) await this.#fs.utimes(path, now, now).catch(() => undefined);
    return stored;
  }

  /** @throws AppError STORE_* when the disk refuses */
  async write(key: string, { outputs, effects, opened }: Stored, ms: number): Promise<void> {
    const { bytes, isPlain } = measureValue(outputs);
    const isWorth = ms >= MIN_MS && (bytes <= SMALL_BYTES || bytes <= ms * BYTES_PER_MS) && bytes <= this.#options.budgetBytes / 2;
    const kept = outputs && isPlain && isWorth ? serialize(outputs) : null;
    if (!kept && effects.length === 0) return;
    const about = {
      effects: [...effects],
      opened: [...opened],
      outputs: kept && { bytes: kept.length, sha256: sha256(kept) },
    } satisfies Header;
    const text = new TextEncoder().encode(JSON.stringify(about));
    const entry = new Uint8Array(START + text.length + HASH + (kept?.length ?? 0));
    entry.set(MAGIC);
    new DataView(entry.buffer).setUint32(MAGIC.length, text.length, true);
    entry.set(text, START);
    entry.set(createHash("sha256").update(text).digest(), START + text.length);
    if (kept) entry.set(kept, START + text.length + HASH);
    const path = this.#path(key);
    await this.#fs.mkdir(dirname(path)).catch((error: unknown) => {
      throw storeError("make the folder", dirname(path), error);
    });
    await writeAtomic(path, entry, this.#fs);
    await this.#makeRoom(entry.length);
  }

  #path(key: string): string {
    const name = createHash("sha256").update(`${this.#options.salt}|${key}`).digest("hex");
    return join(this.#options.folder, name.slice(0, 2), name);
  }

  /** What `read` gives; undefined when there is no entry, it can't be read now, or it is damaged, which removes it. */
  async #whole<T>(path: string, read: () => Promise<T>): Promise<T | undefined> {
    try {
      await this.#fs.stat(path);
    } catch {
      return undefined;
    }
    try {
      return await read();
    } catch (error) {
      // The system's refusal (too many open files, a disk that fails for a moment) says nothing about the entry.
      if (codeOf(error) !== "" && !DAMAGE.has(codeOf(error))) return undefined;
      await this.#fs.unlink(path).catch(() => undefined);
      return undefined;
    }
  }

  /** Removes the least recently used entries, large ones first: scores are small, and run.json needs them all. */
  async #makeRoom(added: number): Promise<void> {
    if (this.#total !== undefined) this.#total += added;
    if (this.#total !== undefined && this.#total <= this.#options.budgetBytes) return;
    const entries: { path: string; size: number; mtimeMs: number }[] = [];
    for (const folder of await this.#fs.readdir(this.#options.folder).catch(() => []))
      for (const name of await this.#fs.readdir(join(this.#options.folder, folder)).catch(() => [])) {
        const path = join(this.#options.folder, folder, name);
        const stat = await this.#fs.stat(path).catch(() => undefined);
        if (stat?.isFile()) entries.push({ path, size: stat.size, mtimeMs: stat.mtimeMs });
      }
    let total = entries.reduce((sum, e) => sum + e.size, 0);
    const isLarge = (e: { size: number }): number => (e.size > SMALL_BYTES ? 0 : 1);
    entries.sort((a, b) => isLarge(a) - isLarge(b) || a.mtimeMs - b.mtimeMs);
    for (const { path, size } of entries) {
      if (total <= this.#options.budgetBytes) break;
      await this.#fs.unlink(path).catch(() => undefined);
      total -= size;
    }
    this.#total = total;
  }
}

function headerLength(start: Uint8Array): number {
  if (!MAGIC.every((byte, i) => start[i] === byte)) throw new Error("not an entry");
  return new DataView(start.buffer, start.byteOffset).getUint32(MAGIC.length, true);
}

function headerOf(bytes: Uint8Array): Header {
  const end = START + headerLength(bytes);
  const text = bytes.subarray(START, end);
  if (sha256(text) !== Buffer.from(bytes.subarray(end, end + HASH)).toString("hex")) throw new Error("damaged");
  return header.parse(JSON.parse(new TextDecoder().decode(text)));
}

async function readExactly(
  file: {
    read(bytes: Uint8Array, offset: number, length: number, position: number): Promise<{ readonly bytesRead: number }>;
    stat(): Promise<{ readonly size: number }>;
  },
  position: number,
  length: number,
): Promise<Uint8Array> {
  if (position + length > (await file.stat()).size) throw new Error("too short");
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; ) {
    const { bytesRead } = await file.read(bytes, at, length - at, position + at);
    if (bytesRead === 0) throw new Error("too short");
    at += bytesRead;
  }
  return bytes;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return z.record(z.string(), z.unknown()).parse(value);
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
