// safetensors: 8 bytes of header length (little endian), a JSON header, then the tensors without gaps.
// Format: https://github.com/huggingface/safetensors#format. Everything is checked before anything is allocated for it.
import { AppError } from "../base/errors.ts";
import { bytesOf, copyOfBytes, type DType, viewAs } from "../tensor/dtype.ts";
import type { Shape } from "../tensor/shape.ts";
import { bytesOfTensor, type Tensor, tensor } from "../tensor/tensor.ts";
import { dtypeOfSafetensors, safetensorsNameOf } from "./safetensors-dtype.ts";
import { parseSafetensorsHeader, shown } from "./safetensors-header.ts";

/** One tensor of a file. */
export interface SafetensorsEntry {
  readonly dtype: DType;
  readonly shape: Shape;
  /** Absolute, in bytes from the start of the file. Not necessarily aligned. */
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
}

export interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, string>>;
  /** In the order of the file. */
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
}

const MAX_HEADER = 100_000_000;
const DAMAGED = { hint: "the file is damaged, incomplete or not a safetensors file: get it again" };

/** Bytes of a tensor, by multiplication that refuses to leave the exact integers. */
function byteLength(dtype: DType, shape: Shape, name: string): number {
  let n = bytesOf(dtype);
  for (const d of shape) {
    n *= d;
    if (!Number.isSafeInteger(n))
      throw new AppError("FILE_SAFETENSORS_OVERFLOW", `tensor ${shown(name)} of shape [${shape}] has more than 2^53 bytes`, DAMAGED);
  }
  return n;
}

function decodeHeader(bytes: Uint8Array, fileSize: number): SafetensorsHeader {
  if (bytes[0] !== 0x7b) throw new AppError("FILE_SAFETENSORS_HEADER_START", "the header does not begin with {", DAMAGED);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new AppError("FILE_SAFETENSORS_UTF8", "the header is not UTF-8 text", { ...DAMAGED, cause });
  }
  const { metadata, entries } = parseSafetensorsHeader(text);
  const base = 8 + bytes.length;
  const ordered = [...entries].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  const tensors = new Map<string, SafetensorsEntry>();
  let end = 0;
  for (const [name, raw] of ordered) {
    const dtype = dtypeOfSafetensors(raw.dtype, shown(name));
    if (raw.end < raw.begin)
      throw new AppError("FILE_SAFETENSORS_OFFSETS", `tensor ${shown(name)} ends (${raw.end}) before it begins (${raw.begin})`, DAMAGED);
    if (raw.begin > end)
      throw new AppError("FILE_SAFETENSORS_HOLE", `no tensor owns bytes ${end} to ${raw.begin}, before ${shown(name)}`, DAMAGED);
    if (raw.begin < end)
      throw new AppError("FILE_SAFETENSORS_OVERLAP", `tensor ${shown(name)} begins at ${raw.begin}, inside the one before it`, DAMAGED);
    const length = byteLength(dtype, raw.shape, name);
    if (length !== raw.end - raw.begin)
      throw new AppError(
        "FILE_SAFETENSORS_SIZE",
        `tensor ${shown(name)} of type ${raw.dtype} and shape [${raw.shape}] needs ${length} bytes, its offsets span ${raw.end - raw.begin}`,
        DAMAGED,
      );
    end = raw.end;
    tensors.set(name, { dtype, shape: raw.shape, offset: base + raw.begin, length });
  }
  if (base + end > fileSize)
    throw new AppError("FILE_SAFETENSORS_TRUNCATED", `the file has ${fileSize} bytes, its tensors need ${base + end}`, DAMAGED);
  if (base + end < fileSize)
    throw new AppError("FILE_SAFETENSORS_TRAILING", `${fileSize - base - end} bytes follow the last tensor`, DAMAGED);
  return { metadata, tensors };
}

/**
 * Reads and checks the header only.
 * @param read gives `length` bytes from the absolute `offset`; called twice, never beyond `fileSize`.
 * @throws AppError FILE_SAFETENSORS_*: TOO_SHORT, HEADER_SIZE, HEADER_TRUNCATED, READ, HEADER_START, UTF8, JSON, METADATA,
 * DUPLICATE, ENTRY, NUMBER, DTYPE, DTYPE_UNSUPPORTED, SHAPE, OFFSETS, HOLE, OVERLAP, OVERFLOW, SIZE, TRUNCATED, TRAILING.
 */
export async function readSafetensorsHeader(
  read: (offset: number, length: number) => Promise<Uint8Array> | Uint8Array,
  fileSize: number,
): Promise<SafetensorsHeader> {
  checkFileSize(fileSize);
  const length = headerLength(await read(0, 8), fileSize);
  const bytes = await read(8, length);
  if (bytes.length !== length)
    throw new AppError("FILE_SAFETENSORS_READ", `only ${bytes.length} of the header's ${length} bytes could be read`, DAMAGED);
  return decodeHeader(bytes, fileSize);
}

function checkFileSize(fileSize: number): void {
  if (fileSize < 8)
    throw new AppError("FILE_SAFETENSORS_TOO_SHORT", `a safetensors file has at least 8 bytes, this one ${fileSize}`, DAMAGED);
}

function headerLength(start: Uint8Array, fileSize: number): number {
  if (start.length < 8) throw new AppError("FILE_SAFETENSORS_READ", "the first 8 bytes could not be read", DAMAGED);
  const length = new DataView(start.buffer, start.byteOffset, 8).getBigUint64(0, true);
  if (length < 2n || length > BigInt(MAX_HEADER))
    throw new AppError("FILE_SAFETENSORS_HEADER_SIZE", `the header claims ${length} bytes; 2 to ${MAX_HEADER} are allowed`, DAMAGED);
  if (Number(length) > fileSize - 8)
    throw new AppError("FILE_SAFETENSORS_HEADER_TRUNCATED", `the header claims ${length} bytes, the file has ${fileSize}`, DAMAGED);
  return Number(length);
}

/**
 * Reads a whole file from memory. Tensors whose offset fits their type share memory with `bytes`; the others are copied.
 * @throws AppError FILE_SAFETENSORS_* as {@link readSafetensorsHeader}.
 */
export function readSafetensors(bytes: Uint8Array): {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, Tensor>;
} {
  checkFileSize(bytes.length);
  const header = decodeHeader(bytes.subarray(8, 8 + headerLength(bytes, bytes.length)), bytes.length);
  const tensors = new Map<string, Tensor>();
  for (const [name, entry] of header.tensors)
    tensors.set(name, tensorOfBytes(entry, bytes.subarray(entry.offset, entry.offset + entry.length)));
  return { metadata: header.metadata, tensors };
}

/** A tensor over (when aligned) or from a copy of its little-endian bytes. @throws AppError TENSOR_SHAPE when the length is wrong. */
export function tensorOfBytes(type: { readonly dtype: DType; readonly shape: Shape }, bytes: Uint8Array): Tensor {
  const size = bytesOf(type.dtype);
  const whole = bytes.byteOffset % size === 0 ? bytes : copyOfBytes(bytes);
  return tensor(type.dtype, type.shape, viewAs(type.dtype, whole.buffer, whole.byteOffset, Math.floor(whole.length / size)));
}

/** Where {@link safetensorsParts} will put things. */
export interface SafetensorsLayout {
  /** The first bytes of the file: length, JSON, padding. A multiple of 8. */
  readonly header: Uint8Array;
  readonly fileSize: number;
  /** In file order. */
  readonly tensors: ReadonlyMap<string, SafetensorsEntry>;
}

/**
 * Lays a file out. Canonical: the same tensors and metadata give the same bytes. Wide types come first, then names in code
 * unit order, so that every tensor is aligned to its element.
 * @throws AppError FILE_SAFETENSORS_NAME for a tensor called `__metadata__`, FILE_SAFETENSORS_HEADER_SIZE above 100 MB,
 * FILE_SAFETENSORS_OVERFLOW.
 */
export function layoutSafetensors(
  types: Iterable<readonly [string, { readonly dtype: DType; readonly shape: Shape }]>,
  metadata: Readonly<Record<string, string>> = {},
): SafetensorsLayout {
  const ordered = [...types].sort(([a, x], [b, y]) => bytesOf(y.dtype) - bytesOf(x.dtype) || (a < b ? -1 : a > b ? 1 : 0));
  const pairs: string[] = [];
  const meta = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  if (meta.length > 0) pairs.push(`"__metadata__":{${meta.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`).join(",")}}`);
  let end = 0;
  for (const [name, { dtype, shape }] of ordered) {
    if (name === "__metadata__") throw new AppError("FILE_SAFETENSORS_NAME", "a tensor cannot be called __metadata__");
    const begin = end;
    end += byteLength(dtype, shape, name);
    pairs.push(`${JSON.stringify(name)}:{"dtype":"${safetensorsNameOf(dtype)}","shape":[${shape}],"data_offsets":[${begin},${end}]}`);
  }
  const json = new TextEncoder().encode(`{${pairs.join(",")}}`);
  const length = Math.ceil(json.length / 8) * 8;
  if (length > MAX_HEADER)
    throw new AppError("FILE_SAFETENSORS_HEADER_SIZE", `the header would have ${length} bytes; ${MAX_HEADER} are allowed`);
  const header = new Uint8Array(8 + length).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  header.set(json, 8);
  const tensors = new Map<string, SafetensorsEntry>();
  let offset = header.length;
  for (const [name, { dtype, shape }] of ordered) {
    const bytes = byteLength(dtype, shape, name);
    tensors.set(name, { dtype, shape, offset, length: bytes });
    offset += bytes;
  }
  return { header, fileSize: offset, tensors };
}

/** The bytes of a whole file (see {@link layoutSafetensors}). */
export function writeSafetensors(tensors: ReadonlyMap<string, Tensor>, metadata: Readonly<Record<string, string>> = {}): Uint8Array {
  const layout = layoutSafetensors(tensors, metadata);
  const out = new Uint8Array(layout.fileSize);
  out.set(layout.header);
  for (const [name, entry] of layout.tensors) {
    const t = tensors.get(name);
    if (t) out.set(bytesOfTensor(t), entry.offset);
  }
  return out;
}

/** A tensor that is brought into memory only when its turn comes. */
export interface SafetensorsSource {
  readonly dtype: DType;
  readonly shape: Shape;
  /** Its little-endian bytes. */
  bytes(): Promise<Uint8Array> | Uint8Array;
}

/**
 * A file piece by piece, one tensor in memory at a time: write the pieces one after the other.
 * @throws AppError FILE_SAFETENSORS_SIZE when a source delivers a different number of bytes than its type needs.
 */
export async function* safetensorsParts(
  sources: ReadonlyMap<string, SafetensorsSource>,
  metadata: Readonly<Record<string, string>> = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  const layout = layoutSafetensors(sources, metadata);
  yield layout.header;
  for (const [name, entry] of layout.tensors) {
    const bytes = (await sources.get(name)?.bytes()) ?? new Uint8Array();
    if (bytes.length !== entry.length)
      throw new AppError("FILE_SAFETENSORS_SIZE", `tensor ${shown(name)} needs ${entry.length} bytes, its source gave ${bytes.length}`);
    yield bytes;
  }
}
