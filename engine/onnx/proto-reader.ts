// Protobuf wire format, reading foreign bytes: every length is checked before anything is made of it.
import { AppError } from "../base/errors.ts";

/** Messages inside messages. Real models need about 10. */
export const MAX_NESTING = 64;

const DAMAGED = { hint: "the file is damaged, incomplete or not an ONNX model: get it again" };

/** ONNX_PROTO: the bytes are no protobuf. */
export function protoError(why: string): AppError {
  return new AppError("ONNX_PROTO", `not a readable ONNX file: ${why}`, DAMAGED);
}

/** One field of a message; exactly one of the three is what the wire type says, the others are empty. */
export interface Field {
  readonly number: number;
  readonly wire: 0 | 1 | 2 | 5;
  /** Varint, as unsigned 64 bits. */
  readonly int: bigint;
  /** Length-delimited, 32-bit or 64-bit content: a view. */
  readonly bytes: Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** The fields of one message, in the order of the file. @throws AppError ONNX_PROTO */
export function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw protoError("it ends inside a number");
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw protoError("a number has more than ten bytes");
  };
  const take = (length: number): Uint8Array => {
    if (length > bytes.length - at) throw protoError(`a field of ${length} bytes has only ${bytes.length - at} left`);
    at += length;
    return bytes.subarray(at - length, at);
  };
  while (at < bytes.length) {
    const key = varint();
    const number = Number(key >> 3n);
    if (number < 1 || number > 0x1fffffff) throw protoError(`field number ${number}`);
    switch (Number(key & 7n)) {
      case 0:
        yield { number, wire: 0, int: varint(), bytes: NOTHING };
        break;
      case 1:
        yield { number, wire: 1, int: 0n, bytes: take(8) };
        break;
      case 2: {
        const length = varint();
        if (length > BigInt(bytes.length)) throw protoError(`a field of ${length} bytes is longer than the file`);
        yield { number, wire: 2, int: 0n, bytes: take(Number(length)) };
        break;
      }
      case 5:
        yield { number, wire: 5, int: 0n, bytes: take(4) };
        break;
      default:
        throw protoError(`wire type ${key & 7n}`);
    }
  }
}

/** Signed value of a varint field. */
export function signed(field: Field): bigint {
  if (field.wire !== 0) throw protoError(`field ${field.number} is not a number`);
  return BigInt.asIntN(64, field.int);
}

/** A varint field that must be an exact integer here. */
export function integer(field: Field): number {
  const value = Number(signed(field));
  if (!Number.isSafeInteger(value)) throw protoError(`${value} is beyond the exact integers`);
  return value;
}

/** Text of a length-delimited field. Invalid UTF-8 becomes replacement characters: names are only compared. */
export function text(field: Field): string {
  return new TextDecoder().decode(content(field));
}

/** Content of a length-delimited field. */
export function content(field: Field): Uint8Array {
  if (field.wire !== 2) throw protoError(`field ${field.number} is not length-delimited`);
  return field.bytes;
}

/** A 32-bit float field. */
export function float(field: Field): number {
  if (field.wire !== 5) throw protoError(`field ${field.number} is not a float`);
  return new DataView(field.bytes.buffer, field.bytes.byteOffset, 4).getFloat32(0, true);
}

/** Adds the numbers of a repeated integer field, packed or one by one. */
export function pushIntegers(field: Field, to: bigint[]): void {
  if (field.wire === 0) {
    to.push(signed(field));
    return;
  }
  const bytes = content(field);
  let [value, shift] = [0n, 0n];
  for (const byte of bytes) {
    if (shift >= 70n) throw protoError("a number has more than ten bytes");
    value |= BigInt(byte & 0x7f) << shift;
    shift += 7n;
    if (byte >= 0x80) continue;
    to.push(BigInt.asIntN(64, value));
    [value, shift] = [0n, 0n];
  }
  if (shift !== 0n) throw protoError("it ends inside a number");
}

/** Adds the numbers of a repeated float or double field, packed or one by one. */
export function pushFloats(field: Field, to: number[], width: 4 | 8): void {
  const { bytes } = field;
  if (field.wire === 0 || (field.wire === 1) !== (width === 8 && field.wire !== 2) || bytes.length % width !== 0)
    throw protoError(`field ${field.number} holds no ${width}-byte floats`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let i = 0; i < bytes.length; i += width) to.push(width === 4 ? view.getFloat32(i, true) : view.getFloat64(i, true));
}
