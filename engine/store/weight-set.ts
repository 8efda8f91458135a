// Opens weights where they lie: headers are checked, nothing is loaded.
import { createHash } from "node:crypto";
import { readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { AppError } from "../base/errors.ts";
import { parseJson } from "../base/json.ts";
import { readSafetensorsHeader, tensorOfBytes } from "../formats/safetensors.ts";
import type { WeightEntry, WeightFile } from "../node/context.ts";
import { bytesOf } from "../tensor/dtype.ts";
import { sizeOf } from "../tensor/shape.ts";
import { isInside, isSafeName, openRegular } from "./safe-path.ts";

const INDEX = ".safetensors.index.json";
const MAX_TEXT = 64 * 2 ** 20;
/** Files up to this size are identified by content, larger ones by path, size and time. */
const HASHED = 32 * 2 ** 20;
/** What else of a folder decides what its weights mean. */
const RELEVANT = /\.(safetensors|json|txt|model|onnx)$/;

/**
 * Opens a `.safetensors` file, a `.safetensors.index.json`, or a folder with either.
 * @param path real path, inside one of `roots`
 * @throws AppError MODEL_SHARDS, MODEL_FORMAT, FILE_SAFETENSORS_*, PATH_UNSAFE, STORE_*
 */
export async function openWeightSet(name: string, path: string, roots: readonly string[]): Promise<WeightFile> {
  const { folder, shards } = await shardsOf(name, path);
  const tensors = new Map<string, WeightEntry>();
  const metadata: Record<string, string> = {};
  for (const shard of shards) {
    const full = await realpath(join(folder, shard)).catch((cause: unknown) => {
      throw new AppError("MODEL_SHARDS", `${name}: the file ${shard} is missing`, { hint: "download the model again", cause });
    });
    if (!roots.some((root) => isInside(root, full))) throw new AppError("PATH_UNSAFE", `${name}: ${shard} leads out of the model folders`);
    const header = await readHeader(full);
    Object.assign(metadata, header.metadata);
    for (const [key, { dtype, shape, offset, length }] of header.tensors) {
      if (tensors.has(key)) throw new AppError("MODEL_SHARDS", `${name}: tensor ${key} is in two files`, { hint: "name one of the files" });
      tensors.set(key, { name: key, dtype, shape, source: { kind: "file", path: full, offset, length } });
    }
  }
  const entry = (key: string) => {
    const found = tensors.get(key);
    if (found?.source.kind !== "file") throw new AppError("MODEL_TENSOR", `${name} has no tensor ${key}`);
    return { ...found, source: found.source };
  };
  return {
    name,
    fingerprint: await fingerprintOf(path),
    tensors,
    metadata,
    text: (relativePath) => readText(folder, relativePath, roots),
    async read(key) {
      const { source, ...type } = entry(key);
      return tensorOfBytes(type, await readRange(source.path, [[source.offset, source.length]], source.length));
    },
    async readRows(key, rows) {
      const { source, dtype, shape } = entry(key);
      const [count = 0, ...rest] = shape;
      const width = sizeOf(rest) * bytesOf(dtype);
      for (const row of rows)
        if (!Number.isInteger(row) || row < 0 || row >= count)
          throw new AppError("MODEL_ROW", `${name}: tensor ${key} of shape [${shape}] has no row ${row}`);
      const ranges = rows.map((row) => [source.offset + row * width, width] as const);
      return tensorOfBytes({ dtype, shape: [rows.length, ...rest] }, await readRange(source.path, ranges, rows.length * width));
    },
  };
}

/** Identity of a model file or folder: content where it is small, else path, size and time. */
export async function fingerprintOf(path: string): Promise<string> {
  const isFolder = (await stat(path)).isDirectory();
  const names = isFolder ? (await readdir(path)).filter((name) => RELEVANT.test(name)).sort() : [""];
  const hash = createHash("sha256");
  for (const name of names) {
    const full = await realpath(join(path, name));
    const { file, size, mtimeMs } = await openRegular(full);
    try {
      hash.update(`\n${name}:`);
      if (size <= HASHED)
        hash.update(
          createHash("sha256")
            .update(await file.readFile())
            .digest(),
        );
      else hash.update(JSON.stringify([full, size, mtimeMs]));
    } finally {
      await file.close();
    }
  }
  return hash.digest("hex");
}

async function readHeader(path: string) {
  const { file, size } = await openRegular(path);
  try {
    return await readSafetensorsHeader(async (offset, length) => {
      const bytes = new Uint8Array(length);
      const { bytesRead } = await file.read(bytes, 0, length, offset);
      return bytes.subarray(0, bytesRead);
    }, size);
  } catch (error) {
    if (error instanceof AppError && error.code.startsWith("FILE_"))
      throw new AppError(error.code, `${path}: ${error.message}`, { ...(error.hint !== undefined && { hint: error.hint }), cause: error });
    throw error;
  } finally {
    await file.close();
  }
}

async function shardsOf(name: string, path: string): Promise<{ readonly folder: string; readonly shards: readonly string[] }> {
  if (path.endsWith(INDEX)) return { folder: dirname(path), shards: await indexedShards(name, path) };
  if (!(await stat(path)).isDirectory()) {
    if (path.endsWith(".safetensors")) return { folder: dirname(path), shards: [basename(path)] };
    throw new AppError("MODEL_FORMAT", `${name} is not a .safetensors file`, {
      hint: "convert it to safetensors: pickled checkpoints can run code and are not read",
    });
  }
  const names = (await readdir(path)).sort();
  const indices = names.filter((n) => n.endsWith(INDEX));
  // diffusers puts variants side by side (`model.fp16.safetensors.index.json`); the one without a variant is the default.
  const index = indices.find((n) => /^[^.]+\.safetensors\.index\.json$/.test(n)) ?? indices[0];
  if (index !== undefined) return { folder: path, shards: await indexedShards(name, join(path, index)) };
  const files = names.filter((n) => n.endsWith(".safetensors"));
  const plain = files.filter((n) => /^[^.]+\.safetensors$/.test(n));
  const [only, another] = plain.length > 0 ? plain : files;
  if (only === undefined) throw new AppError("MODEL_FORMAT", `the folder ${name} holds no .safetensors file`);
  if (another !== undefined)
    throw new AppError("MODEL_SHARDS", `the folder ${name} holds several models: ${files.join(", ")}`, { hint: "name one of the files" });
  return { folder: path, shards: [only] };
}

const indexFile = z.object({ weight_map: z.record(z.string(), z.string()) });

async function indexedShards(name: string, path: string): Promise<readonly string[]> {
  const text = await readText(dirname(path), basename(path), [dirname(path)]);
  const parsed = indexFile.safeParse(parseJson(text ?? "", { maxCharacters: MAX_TEXT, maxDepth: 8 }));
  if (!parsed.success)
    throw new AppError("MODEL_SHARDS", `${name}: ${basename(path)} has no weight_map of names to files`, { cause: parsed.error });
  const shards = [...new Set(Object.values(parsed.data.weight_map))].sort();
  for (const shard of shards)
    if (!isSafeName(shard) || shard.includes("/") || !shard.endsWith(".safetensors"))
      throw new AppError(
        "PATH_UNSAFE",
        `${name}: the index names ${JSON.stringify(shard.slice(0, 100))}, which is no .safetensors file beside it`,
      );
  return shards;
}

/** A small text file; `..` may lead to a neighbour, but not out of the roots. */
async function readText(folder: string, relativePath: string, roots: readonly string[]): Promise<string | undefined> {
  if (relativePath.includes("\0")) throw new AppError("PATH_UNSAFE", "a file name contains NUL");
  const full = await realpath(join(folder, relativePath)).catch(() => undefined);
  if (full === undefined) return undefined;
  if (!roots.some((root) => isInside(root, full))) throw new AppError("PATH_UNSAFE", `${relativePath} leads out of the model folders`);
  const { file, size } = await openRegular(full);
  try {
    if (size > MAX_TEXT) throw new AppError("MODEL_FORMAT", `${relativePath} has ${size} bytes; ${MAX_TEXT} are allowed for a text`);
    return await file.readFile("utf8");
  } finally {
    await file.close();
  }
}

async function readRange(path: string, ranges: readonly (readonly [offset: number, length: number])[], total: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(total);
  const { file } = await openRegular(path);
  try {
    let at = 0;
    for (const [offset, length] of ranges)
      for (const end = at + length; at < end; ) {
        const { bytesRead } = await file.read(bytes, at, end - at, offset + length - (end - at));
        if (bytesRead === 0)
          throw new AppError("MODEL_FORMAT", `${path} has become shorter while it was read`, {
            hint: "run again when nothing writes to it",
          });
        at += bytesRead;
      }
    return bytes;
  } finally {
    await file.close();
  }
}
