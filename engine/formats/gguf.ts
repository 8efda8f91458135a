// GGUF: magic, version, counts, key-value pairs, tensor descriptions, padding, data. Little endian.
// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. Everything is checked before anything is allocated for it.
import { AppError } from "../base/errors.ts";
import { type BlockFormat, isBlockFormat, packedBytes } from "../tensor/blocks.ts";
import { bytesOf, type DType } from "../tensor/dtype.ts";
import type { Shape } from "../tensor/shape.ts";
import { shown } from "./safetensors-header.ts";

/** One tensor of a file. */
export interface GgufEntry {
  /** `float32` where the weights are packed. */
  readonly dtype: DType;
  /** Outermost first, as everywhere but in the file. */
  readonly shape: Shape;
  /** How its blocks are packed; undefined for plain numbers. */
  readonly packing?: BlockFormat;
  /** Absolute, in bytes from the start of the file. */
  readonly offset: number;
  /** In bytes. */
  readonly length: number;
}

export interface GgufHeader {
  /** Texts, numbers and truth values as text. Other arrays than a tensor's shape are left out. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, GgufEntry>;
}

/** ggml_type → what it is. */
const TYPES: readonly (string | undefined)[] = [
  ...["F32", "F16", "Q4_0", "Q4_1", undefined, undefined, "Q5_0", "Q5_1", "Q8_0", "Q8_1"],
  ...["Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "Q8_K", "IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S"],
  ...["IQ4_NL", "IQ3_S", "IQ2_S", "IQ4_XS", "I8", "I16", "I32", "I64", "F64", "IQ1_M"],
  ...["BF16", undefined, undefined, undefined, "TQ1_0", "TQ2_0", undefined, undefined, undefined, "MXFP4"],
];
const PLAIN: Readonly<Record<string, DType>> = {
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  F64: "float64",
  I8: "int8",
  I16: "int16",
  I32: "int32",
  I64: "int64",
};

/** The header of a language model holds its vocabulary. */
const MAX_HEADER = 64 * 2 ** 20;
const CHUNK = 2 ** 20;
const MAX_RANK = 4;
const MAX_KEPT_RANK = 8;
/** A shape that ggml could not hold (more than four dimensions, or rows of no whole number of blocks), kept by the tools that make image models' files. */
const SHAPE_KEY = "comfy.gguf.orig_shape.";
const DAMAGED = { hint: "the file is damaged, incomplete or not a GGUF file: get it again" };

/**
 * Reads the descriptions at the start of a file, chunk by chunk.
 * @param read may answer with fewer bytes at the end of the file @param fileSize in bytes
 * @throws AppError FILE_GGUF_* naming the tensor or key
 */
export async function readGgufHeader(read: (offset: number, length: number) => Promise<Uint8Array>, fileSize: number): Promise<GgufHeader> {
  let bytes = new Uint8Array(0);
  for (;;) {
    const wanted = Math.min(fileSize, MAX_HEADER, bytes.length === 0 ? CHUNK : bytes.length * 4);
    if (wanted > bytes.length) bytes = joined(bytes, await read(bytes.length, wanted - bytes.length));
    try {
      return decode(new Cursor(bytes), fileSize);
    } catch (error) {
      if (!(error instanceof Short)) throw error;
      if (bytes.length >= Math.min(fileSize, MAX_HEADER))
        throw new AppError(
          "FILE_GGUF_TRUNCATED",
          bytes.length < fileSize
            ? `the header is longer than ${MAX_HEADER} bytes`
            : `the file ends inside its header, after ${fileSize} bytes`,
          DAMAGED,
        );
      if (bytes.length < wanted) throw new AppError("FILE_GGUF_TRUNCATED", "the file has become shorter while it was read", DAMAGED);
    }
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}

/** More bytes than have been read are needed. */
class Short extends Error {}

class Cursor {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  take(length: number): number {
    if (length > this.#bytes.length - this.at) throw new Short();
    const from = this.at;
    this.at += length;
    return from;
  }
  u8(): number {
    return this.#view.getUint8(this.take(1));
  }
  u32(): number {
    return this.#view.getUint32(this.take(4), true);
  }
  /** @throws AppError FILE_GGUF_NUMBER beyond 2^53 */
  u64(what: string): number {
    const value = Number(this.#view.getBigUint64(this.take(8), true));
    if (!Number.isSafeInteger(value)) throw new AppError("FILE_GGUF_NUMBER", `${what} is ${value}: more than 2^53`, DAMAGED);
    return value;
  }
  string(what: string): string {
    const length = this.u64(`the length of ${what}`);
    if (length > MAX_HEADER) throw new AppError("FILE_GGUF_NUMBER", `${what} claims ${length} bytes`, DAMAGED);
    const from = this.take(length);
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.#bytes.subarray(from, from + length));
    } catch (cause) {
      throw new AppError("FILE_GGUF_UTF8", `${what} is not UTF-8 text`, { ...DAMAGED, cause });
    }
  }
  number(type: number): number | bigint {
    switch (type) {
      case 0:
        return this.u8();
      case 1:
        return this.#view.getInt8(this.take(1));
      case 2:
        return this.#view.getUint16(this.take(2), true);
      case 3:
        return this.#view.getInt16(this.take(2), true);
      case 4:
        return this.u32();
      case 5:
        return this.#view.getInt32(this.take(4), true);
      case 6:
        return this.#view.getFloat32(this.take(4), true);
      case 10:
        return this.#view.getBigUint64(this.take(8), true);
      case 11:
        return this.#view.getBigInt64(this.take(8), true);
      default:
        return this.#view.getFloat64(this.take(8), true);
    }
  }
}

const BOOL = 7;
const STRING = 8;
const ARRAY = 9;
const LAST_TYPE = 12;
const NUMBER_BYTES: Readonly<Record<number, number>> = { 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 };

function decode(c: Cursor, fileSize: number): GgufHeader {
  // "GGUF" in little endian.
  if (c.u32() !== 0x46554747) throw new AppError("FILE_GGUF_MAGIC", "the file does not begin with GGUF", DAMAGED);
  const version = c.u32();
  if (version !== 2 && version !== 3)
    throw new AppError("FILE_GGUF_VERSION", `GGUF of version ${version}; versions 2 and 3, little endian, are read`, {
      hint: "convert the file anew with current tools",
    });
  const count = c.u64("the number of tensors");
  const pairs = c.u64("the number of keys");
  const values = new Map<string, string>();
  const arrays = new Map<string, readonly number[] | undefined>();
  for (let k = 0; k < pairs; k++) {
    const key = c.string(`key ${k + 1}`);
    if (values.has(key) || arrays.has(key)) throw new AppError("FILE_GGUF_DUPLICATE", `key ${shown(key)} is in the file twice`, DAMAGED);
    const type = c.u32();
    if (type === ARRAY) arrays.set(key, array(c, key));
    else values.set(key, scalar(c, key, type));
  }
  const described: { readonly name: string; readonly shape: Shape; readonly type: string; readonly offset: number }[] = [];
  for (let k = 0; k < count; k++) described.push(tensor(c, k, arrays));
  const alignment = Number(values.get("general.alignment") ?? 32);
  if (!Number.isInteger(alignment) || alignment < 1 || alignment > 2 ** 20)
    throw new AppError("FILE_GGUF_NUMBER", `general.alignment is ${shown(String(values.get("general.alignment")))}`, DAMAGED);
  const base = Math.ceil(c.at / alignment) * alignment;
  const tensors = new Map<string, GgufEntry>();
  for (const { name, shape, type, offset } of described) {
    if (tensors.has(name)) throw new AppError("FILE_GGUF_DUPLICATE", `tensor ${shown(name)} is in the file twice`, DAMAGED);
    const entry = { ...typed(name, shape, type), offset: base + offset };
    if (entry.offset + entry.length > fileSize)
      throw new AppError(
        "FILE_GGUF_TRUNCATED",
        `tensor ${shown(name)} ends at byte ${entry.offset + entry.length}, the file at ${fileSize}`,
        DAMAGED,
      );
    tensors.set(name, entry);
  }
  // Object.fromEntries defines own properties, so that a key `__proto__` stays a plain key.
  return { metadata: Object.fromEntries(values), tensors };
}

function scalar(c: Cursor, key: string, type: number): string {
  if (type > LAST_TYPE) throw new AppError("FILE_GGUF_TYPE", `key ${shown(key)} is of the unknown type ${type}`, DAMAGED);
  if (type === STRING) return c.string(`the value of ${shown(key)}`);
  return type === BOOL ? String(c.u8() !== 0) : String(c.number(type));
}

/** Numbers of a short array; others are passed over. Arrays in arrays are in no file. */
function array(c: Cursor, key: string): readonly number[] | undefined {
  const type = c.u32();
  const length = c.u64(`the length of ${shown(key)}`);
  if (type > LAST_TYPE || type === ARRAY)
    throw new AppError("FILE_GGUF_TYPE", `key ${shown(key)} is an array of the unknown type ${type}`, DAMAGED);
  if (type === STRING) {
    for (let k = 0; k < length; k++) c.take(c.u64(`the length of a text of ${shown(key)}`));
    return undefined;
  }
  const bytes = length * (NUMBER_BYTES[type] ?? 1);
  if (type === BOOL || length > MAX_KEPT_RANK) {
    c.take(bytes);
    return undefined;
  }
  return Array.from({ length }, () => Number(c.number(type)));
}

function tensor(c: Cursor, index: number, arrays: ReadonlyMap<string, readonly number[] | undefined>) {
  const name = c.string(`the name of tensor ${index + 1}`);
  const rank = c.u32();
  if (rank > MAX_RANK) throw new AppError("FILE_GGUF_SHAPE", `tensor ${shown(name)} has ${rank} dimensions`, DAMAGED);
  const stored = Array.from({ length: rank }, () => c.u64(`a dimension of ${shown(name)}`)).reverse();
  const number = c.u32();
  const type = TYPES[number];
  if (type === undefined) throw new AppError("FILE_GGUF_TYPE", `tensor ${shown(name)} is of the unknown type ${number}`, DAMAGED);
  const shape = arrays.get(SHAPE_KEY + name) ?? stored;
  const product = (of: Shape) => of.reduce((n, d) => n * d, 1);
  if (shape.some((d) => !Number.isInteger(d) || d < 0) || product(shape) !== product(stored) || !Number.isSafeInteger(product(stored)))
    throw new AppError("FILE_GGUF_SHAPE", `tensor ${shown(name)} of [${stored}] cannot have the shape [${shape}]`, DAMAGED);
  return { name, shape, type, offset: c.u64(`the place of ${shown(name)}`) };
}

function typed(name: string, shape: Shape, type: string): Omit<GgufEntry, "offset"> {
  const weights = shape.reduce((n, d) => n * d, 1);
  const plain = PLAIN[type];
  if (plain !== undefined) return { dtype: plain, shape, length: weights * bytesOf(plain) };
  if (!isBlockFormat(type))
    throw new AppError("FILE_GGUF_TYPE", `tensor ${shown(name)} is packed as ${type}, which is not read`, {
      hint: "take the model as Q8_0, Q6_K, Q5_K, Q4_K or another of the plain formats",
    });
  const length = packedBytes(type, weights);
  if (length === undefined)
    throw new AppError("FILE_GGUF_SHAPE", `tensor ${shown(name)} of ${weights} weights is no whole number of ${type} blocks`, DAMAGED);
  return { dtype: "float32", shape, packing: type, length };
}
