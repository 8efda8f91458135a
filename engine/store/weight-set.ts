// Opens weights in place: headers are checked, nothing is loaded.
import { createHash } from "node:crypto";
import { readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import { z } from "zod";
import { AppError } from "../base/errors.ts";
import { parseJson } from "../base/json.ts";
import { readGgufHeader } from "../formats/gguf.ts";
import { readSafetensorsHeader, type SafetensorsEntry, tensorOfBytes } from "../formats/safetensors.ts";
import type { WeightEntry, WeightFile } from "../node/context.ts";
import { type BlockFormat, packedBytes, unpackBlocks } from "../tensor/blocks.ts";
import { bytesOf, type DType } from "../tensor/dtype.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import { f32, type Tensor } from "../tensor/tensor.ts";
import { isInside, isSafeName, linkHops, openRegular } from "./safe-path.ts";

const INDEX = ".safetensors.index.json";
const GGUF = /\.gguf$/i;
const MAX_TEXT = 64 * 2 ** 20;
/** Files up to this size are identified by content, larger ones by path, size and time. */
const HASHED = 32 * 2 ** 20;
/** Other files of a folder that decide what its weights mean. */
const RELEVANT = /\.(safetensors|json|txt|model|onnx)$/;

/**
 * Opens a `.safetensors` file, a `.safetensors.index.json`, a folder with either, or a `.gguf` file.
 * @param path where the user put it; it may be a link, and so may what belongs to it
 * @param roots folders that a text's relative path may lead into
 * @throws AppError MODEL_SHARDS, MODEL_FORMAT, FILE_SAFETENSORS_*, FILE_GGUF_*, PATH_UNSAFE, STORE_*
 */
export async function openWeightSet(name: string, path: string, roots: readonly string[]): Promise<WeightFile> {
  const tensors = new Map<string, WeightEntry>();
  const metadata: Record<string, string> = {};
  const isGguf = (await linkHops(path)).some((hop) => GGUF.test(hop));
  for (const full of isGguf ? [await realpath(path)] : await shardsOf(name, path)) {
    const header = await readHeader(full, isGguf);
    Object.assign(metadata, header.metadata);
    for (const [key, { dtype, shape, packing, offset, length }] of header.tensors) {
      if (tensors.has(key)) throw new AppError("MODEL_SHARDS", `${name}: tensor ${key} is in two files`, { hint: "name one of the files" });
      tensors.set(key, { name: key, dtype, shape, source: { kind: "file", path: full, offset, length, packing } });
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
    text: (relativePath) => textBeside(path, relativePath, roots),
    async read(key) {
      const { source, ...type } = entry(key);
      return numbersOf(type, source.packing, await readRange(source.path, [[source.offset, source.length]], source.length));
    },
    async readRows(key, rows) {
      const { source, dtype, shape } = entry(key);
      const [count = 0, ...rest] = shape;
      const { packing } = source;
      const width = packing === undefined ? sizeOf(rest) * bytesOf(dtype) : packedBytes(packing, sizeOf(rest));
      if (width === undefined) throw new AppError("MODEL_ROW", `${name}: a row of tensor ${key} is no whole number of ${packing} blocks`);
      for (const row of rows)
        if (!Number.isInteger(row) || row < 0 || row >= count)
          throw new AppError("MODEL_ROW", `${name}: tensor ${key} of shape [${shape}] has no row ${row}`);
      const ranges = rows.map((row) => [source.offset + row * width, width] as const);
      return numbersOf({ dtype, shape: [rows.length, ...rest] }, packing, await readRange(source.path, ranges, rows.length * width));
    },
  };
}

function numbersOf(type: { readonly dtype: DType; readonly shape: Shape }, packing: BlockFormat | undefined, bytes: Uint8Array): Tensor {
  return packing === undefined ? tensorOfBytes(type, bytes) : f32(type.shape, unpackBlocks(packing, bytes));
}

/**
 * Identity of a model and all that belongs to it: shards behind an index, `config.json` beside a file, whatever of a folder decides what its
 * weights mean. By content where files are small, else by path, size and time.
 */
export async function fingerprintOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  for (const [name, file] of await partsOf(path)) {
    const full = await realpath(file).catch(() => undefined);
    hash.update(`\n${name}:`);
    if (full === undefined) continue;
    const { file: opened, size, mtimeMs } = await openRegular(full);
    try {
      if (size <= HASHED)
        hash.update(
          createHash("sha256")
            .update(await opened.readFile())
            .digest(),
        );
      else hash.update(JSON.stringify([full, size, mtimeMs]));
    } finally {
      await opened.close();
    }
  }
  return hash.digest("hex");
}

async function partsOf(path: string): Promise<(readonly [name: string, path: string])[]> {
  if ((await stat(path)).isDirectory())
    return (await readdir(path))
      .filter((name) => RELEVANT.test(name))
      .sort()
      .map((name) => [name, join(path, name)]);
  const hops = await linkHops(path);
  const parts: [string, string][] = [["", path]];
  const config = await firstBeside(hops.map(dirname), "config.json");
  if (config !== undefined) parts.push(["config.json", config]);
  const index = hops.find((hop) => hop.endsWith(INDEX));
  if (index !== undefined)
    for (const shard of await indexedShards(basename(path), path).catch(() => []))
      parts.push([shard, (await firstBeside(hops.map(dirname), shard)) ?? ""]);
  return parts;
}

/** The first of some folders that holds a file. */
async function firstBeside(folders: readonly string[], name: string): Promise<string | undefined> {
  for (const folder of folders) {
    const path = join(folder, name);
    if (
      await stat(path).then(
        (s) => s.isFile(),
        () => false,
      )
    )
      return path;
  }
  return undefined;
}

interface Header {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, SafetensorsEntry & { readonly packing?: BlockFormat }>;
}

async function readHeader(path: string, isGguf: boolean): Promise<Header> {
  const { file, size } = await openRegular(path);
  const read = async (offset: number, length: number) => {
    const bytes = new Uint8Array(length);
    const { bytesRead } = await file.read(bytes, 0, length, offset);
    return bytes.subarray(0, bytesRead);
  };
  try {
    return isGguf ? await readGgufHeader(read, size) : await readSafetensorsHeader(read, size);
  } catch (error) {
    if (!(error instanceof AppError && error.code.startsWith("FILE_"))) throw error;
    const start = new Uint8Array(256);
    const { bytesRead } = await file.read(start, 0, start.length, 0);
    const other = otherContent(start.subarray(0, bytesRead));
    // Behind GGUF's own magic it is a damaged GGUF file.
    if (other && (!isGguf || error.code === "FILE_GGUF_MAGIC"))
      throw new AppError("MODEL_FORMAT", `${path} is ${other.what}, whatever its name says`, { hint: other.remedy, cause: error });
    throw new AppError(error.code, `${path}: ${error.message}`, { ...(error.hint !== undefined && { hint: error.hint }), cause: error });
  } finally {
    await file.close();
  }
}

/** Real paths of the files that hold the tensors. */
async function shardsOf(name: string, path: string): Promise<readonly string[]> {
  const hops = await linkHops(path);
  if ((await stat(path)).isDirectory()) return found(name, [path], await shardsInFolder(name, path));
  // A cache keeps files under names without an ending: any link on the way may tell what it is.
  if (hops.some((hop) => hop.endsWith(INDEX))) return found(name, hops.map(dirname), await indexedShards(name, path));
  if (hops.some((hop) => hop.endsWith(".safetensors"))) return [await realpath(path)];
  throw new AppError("MODEL_FORMAT", `${name} is neither a .safetensors nor a .gguf file`, { hint: otherFormat(hops) });
}

const NO_PICKLE = "convert it to safetensors: pickled checkpoints can run code and are not read";

/** What a file that is no safetensors file really is, by its first bytes: what downloads that went wrong leave, and renamed files. */
function otherContent(start: Uint8Array): { readonly what: string; readonly remedy: string } | undefined {
  const text = Buffer.from(start).toString("latin1");
  if (text.startsWith("version https://git-lfs"))
    return {
      what: "a pointer of Git LFS, not the model",
      remedy: "fetch the file itself: git lfs pull, or download it from the model's page",
    };
  if (/^\s*(<!doctype html|<html|<\?xml|<head)/i.test(text))
    return {
      what: "a web page, not the model",
      remedy: "download it again: the page that asks for it may want you to log in or to accept a licence",
    };
  if (/^\s*\{"?(error|message|detail)/i.test(text)) return { what: "a server's error message, not the model", remedy: "download it again" };
  if (text.startsWith("GGUF")) return { what: "a GGUF file", remedy: "give it a name that ends with .gguf" };
  const [first = 0, second = 0] = start;
  if (text.startsWith("PK\u0003\u0004") || (first === 0x80 && second >= 2 && second <= 5))
    return { what: "a pickled checkpoint", remedy: NO_PICKLE };
  return undefined;
}

function otherFormat(hops: readonly string[]): string {
  if (hops.some((hop) => /\.(ckpt|pt|pth|bin)$/i.test(hop))) return NO_PICKLE;
  return "name a .safetensors or .gguf file, a .safetensors.index.json, or a diffusers folder";
}

async function found(name: string, folders: readonly string[], shards: readonly string[]): Promise<readonly string[]> {
  const out: string[] = [];
  for (const shard of shards) {
    const path = await firstBeside(folders, shard);
    if (path === undefined)
      throw new AppError("MODEL_SHARDS", `${name}: the file ${shard} is missing`, { hint: "download the model again" });
    out.push(await realpath(path));
  }
  return out;
}

async function shardsInFolder(name: string, path: string): Promise<readonly string[]> {
  const names = (await readdir(path)).sort();
  const indices = names.filter((n) => n.endsWith(INDEX));
  // diffusers puts variants side by side (`model.fp16.safetensors.index.json`); the one without a variant is the default.
  const index = indices.find((n) => /^[^.]+\.safetensors\.index\.json$/.test(n)) ?? indices[0];
  if (index !== undefined) return indexedShards(name, join(path, index));
  const files = names.filter((n) => n.endsWith(".safetensors"));
  const plain = files.filter((n) => /^[^.]+\.safetensors$/.test(n));
  const [only, another] = plain.length > 0 ? plain : files;
  if (only === undefined) throw new AppError("MODEL_FORMAT", `the folder ${name} holds no .safetensors file`);
  if (another !== undefined)
    throw new AppError("MODEL_SHARDS", `the folder ${name} holds several models: ${files.join(", ")}`, { hint: "name one of the files" });
  return [only];
}

const indexFile = z.object({ weight_map: z.record(z.string(), z.string()) });

async function indexedShards(name: string, path: string): Promise<readonly string[]> {
  const parsed = indexFile.safeParse(parseJson(await readText(path), { maxCharacters: MAX_TEXT, maxDepth: 8 }));
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

/**
 * A small text file of a model. `..` may lead to a neighbour (a diffusers checkpoint keeps the tokenizer beside the text encoder), but not
 * out of the model's own surroundings and the roots. @returns undefined when there is none
 */
export async function textBeside(model: string, relativePath: string, roots: readonly string[]): Promise<string | undefined> {
  if (relativePath.includes("\0") || isAbsolute(relativePath)) throw new AppError("PATH_UNSAFE", "a file name contains NUL or is absolute");
  const isFolder = (await stat(model)).isDirectory();
  for (const hop of await linkHops(model)) {
    const folder = isFolder ? hop : dirname(hop);
    const path = join(folder, relativePath);
    if (![dirname(folder), ...roots].some((root) => isInside(root, path)))
      throw new AppError("PATH_UNSAFE", `${relativePath} leads out of the model folders`);
    if (
      await stat(path).then(
        () => true,
        () => false,
      )
    )
      return readText(path);
  }
  return undefined;
}

async function readText(path: string): Promise<string> {
  const { file, size } = await openRegular(await realpath(path));
  try {
    if (size > MAX_TEXT) throw new AppError("MODEL_FORMAT", `${path} has ${size} bytes; ${MAX_TEXT} are allowed for a text`);
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
