// Workflows inside PNG files: tEXt, zTXt and iTXt chunks (PNG specification, third edition, §11.3.3). Pixels are not looked at.
import { crc32, inflateSync } from "node:zlib";
import { AppError } from "../base/errors.ts";
import { stringifyJson } from "../base/json.ts";

const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
/** Bytes of all text in one file, after inflation. */
const MAX_TEXT_BYTES = 32 << 20;
const MAX_TEXT_CHUNKS = 256;
const IHDR_LENGTH = 13;

interface Chunk {
  readonly type: string;
  /** Offset of its length field. */
  readonly start: number;
  /** Offset behind its checksum. */
  readonly end: number;
  readonly data: Uint8Array;
}

/**
 * Keyword → text of every text chunk; of two with one keyword the first counts. `prompt` and `workflow` are the graph's.
 * @throws AppError FILE_PNG_SIGNATURE, FILE_PNG_TRUNCATED, FILE_PNG_CHUNK, FILE_PNG_CHECKSUM, FILE_PNG_TEXT, FILE_PNG_TOO_LARGE
 */
export function readPngText(png: Uint8Array): Map<string, string> {
  const texts = new Map<string, string>();
  let budget = MAX_TEXT_BYTES;
  let count = 0;
  for (const chunk of chunks(png)) {
    if (chunk.type !== "tEXt" && chunk.type !== "zTXt" && chunk.type !== "iTXt") continue;
    if (++count > MAX_TEXT_CHUNKS) throw new AppError("FILE_PNG_TOO_LARGE", `the PNG has more than ${MAX_TEXT_CHUNKS} text chunks`);
    checkSum(png, chunk);
    const { keyword, text, bytes } = readText(chunk, budget);
    budget -= bytes;
    if (!texts.has(keyword)) texts.set(keyword, text);
  }
  return texts;
}

/**
 * The PNG with `prompt` and `workflow` as JSON in text chunks, in front of the pixels; older chunks of these names are left out.
 * What is undefined is not written. JSON is written in ASCII (\u escapes), so that tEXt, which is Latin-1, holds it exactly.
 * @throws AppError as {@link readPngText}; JSON_UNWRITABLE
 */
export function writePngText(png: Uint8Array, metadata: { readonly prompt?: unknown; readonly workflow?: unknown }): Uint8Array {
  const texts = Object.entries(metadata).filter(([, value]) => value !== undefined);
  const names = new Set(texts.map(([name]) => name));
  const parts: Uint8Array[] = [png.subarray(0, SIGNATURE.length)];
  for (const chunk of chunks(png)) {
    const isText = chunk.type === "tEXt" || chunk.type === "zTXt" || chunk.type === "iTXt";
    if (isText && names.has(keywordOf(chunk))) continue;
    parts.push(png.subarray(chunk.start, chunk.end));
    if (chunk.type === "IHDR") for (const [name, value] of texts) parts.push(textChunk(name, ascii(stringifyJson(value))));
  }
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Walks the chunks up to IEND; everything is within the file and the first is IHDR, or it throws. */
function* chunks(png: Uint8Array): Generator<Chunk> {
  if (SIGNATURE.some((b, i) => png[i] !== b))
    throw new AppError("FILE_PNG_SIGNATURE", "the file is not a PNG", { hint: "give a PNG picture" });
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  for (let start = SIGNATURE.length; ; ) {
    if (start + 12 > png.length)
      throw new AppError("FILE_PNG_TRUNCATED", `the PNG ends at byte ${png.length}, without IEND`, { hint: "the file is not whole" });
    const length = view.getUint32(start);
    const type = String.fromCharCode(...png.subarray(start + 4, start + 8));
    if (!/^[A-Za-z]{4}$/.test(type))
      throw new AppError("FILE_PNG_CHUNK", `the PNG has a chunk of type ${JSON.stringify(type)} at byte ${start}`);
    const end = start + 12 + length;
    if (end > png.length)
      throw new AppError("FILE_PNG_TRUNCATED", `chunk ${type} at byte ${start} has ${length} bytes, the file ends before`, {
        hint: "the file is not whole",
      });
    const isFirst = start === SIGNATURE.length;
    if (isFirst !== (type === "IHDR") || (isFirst && length !== IHDR_LENGTH))
      throw new AppError(
        "FILE_PNG_CHUNK",
        `the PNG ${isFirst ? "does not begin with a header" : "has a second header"} (${type} of ${length} bytes at byte ${start})`,
      );
    yield { type, start, end, data: png.subarray(start + 8, end - 4) };
    if (type === "IEND") return;
    start = end;
  }
}

function checkSum(png: Uint8Array, { type, start, end }: Chunk): void {
  const stored = new DataView(png.buffer, png.byteOffset + end - 4, 4).getUint32(0);
  if (crc32(png.subarray(start + 4, end - 4)) !== stored)
    throw new AppError("FILE_PNG_CHECKSUM", `chunk ${type} at byte ${start} is damaged: its checksum differs`);
}

function keywordOf({ data }: Chunk): string {
  const zero = data.subarray(0, 80).indexOf(0);
  return zero < 1 ? "" : latin1(data.subarray(0, zero));
}

/** `bytes` is what the text takes from the file's budget. */
function readText(chunk: Chunk, budget: number): { readonly keyword: string; readonly text: string; readonly bytes: number } {
  const refuse = (why: string): AppError => new AppError("FILE_PNG_TEXT", `chunk ${chunk.type} at byte ${chunk.start}: ${why}`);
  const keyword = keywordOf(chunk);
  if (keyword === "") throw refuse("it has no keyword of 1 to 79 characters");
  let rest = chunk.data.subarray(keyword.length + 1);
  let isCompressed = false;
  if (chunk.type !== "tEXt") {
    const flag = chunk.type === "zTXt" ? 1 : rest[0];
    const method = chunk.type === "zTXt" ? rest[0] : rest[1];
    if ((flag !== 0 && flag !== 1) || (flag === 1 && method !== 0)) throw refuse("its compression is unknown");
    isCompressed = flag === 1;
    rest = rest.subarray(chunk.type === "zTXt" ? 1 : 2);
  }
  // Language tag and translated keyword.
  for (let skip = chunk.type === "iTXt" ? 2 : 0; skip > 0; skip--) {
    const zero = rest.indexOf(0);
    if (zero < 0) throw refuse("it ends before its text");
    rest = rest.subarray(zero + 1);
  }
  const raw = isCompressed ? inflate(rest, budget, refuse) : rest;
  if (raw.length > budget) throw tooLarge();
  try {
    return {
      keyword,
      text: chunk.type === "iTXt" ? new TextDecoder("utf-8", { fatal: true }).decode(raw) : latin1(raw),
      bytes: raw.length,
    };
  } catch {
    throw refuse("its text is not UTF-8");
  }
}

/** Of a text that is longer than the budget at most one byte more. */
function inflate(bytes: Uint8Array, budget: number, refuse: (why: string) => AppError): Uint8Array {
  try {
    return inflateSync(bytes, { maxOutputLength: budget + 1 });
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE") throw tooLarge();
    throw refuse("its compressed text is damaged");
  }
}

function tooLarge(): AppError {
  return new AppError("FILE_PNG_TOO_LARGE", `the text in the PNG takes more than ${MAX_TEXT_BYTES >> 20} MiB`);
}

function textChunk(keyword: string, text: string): Uint8Array {
  const data = Buffer.from(`tEXt${keyword}\0${text}`, "latin1");
  const out = new Uint8Array(data.length + 8);
  const view = new DataView(out.buffer);
  view.setUint32(0, data.length - 4);
  out.set(data, 4);
  view.setUint32(out.length - 4, crc32(data));
  return out;
}

function ascii(json: string): string {
  return json.replace(/[\u0080-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** True Latin-1: TextDecoder's "latin1" is windows-1252. */
function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
