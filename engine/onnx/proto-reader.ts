// Protobuf wire format, reading foreign bytes: every length is checked before it is used.
import { AppError } from "../base/errors.ts";

/** Messages inside messages. Real models need about 10. */
export const MAX_NESTING = 64;

const DAMAGED = { hint: "the file is damaged, incomplete or not an ONNX model: get it again" };

/** ONNX_PROTO: the bytes are not protobuf. */
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

/** The fields of one message, in the order of the file. Nothing is copied. @throws AppError ONNX_PROTO */
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

/** How many numbers a repeated integer field holds, packed or one. @throws AppError ONNX_PROTO when the last is cut off */
export function countIntegers(field: Field): number {
  if (field.wire === 0) return 1;
  const bytes = content(field);
  if (bytes.length > 0 && (bytes[bytes.length - 1] ?? 0) >= 0x80) throw protoError("it ends inside a number");
  let count = 0;
  for (let i = 0; i < bytes.length; i++) if ((bytes[i] ?? 0) < 0x80) count++;
  return count;
}

/** Gives the numbers of a repeated integer field one by one as two unsigned halves of 64 bits. */
export function eachInteger(field: Field, give: (low: number, high: number) => void): void {
  if (field.wire === 0) {
    give(Number(field.int & 0xffffffffn), Number(field.int >> 32n));
    return;
  }
  const bytes = content(field);
  let [low, high, at] = [0, 0, 0];
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i] ?? 0;
    const bits = byte & 0x7f;
    if (at === 10) throw protoError("a number has more than ten bytes");
    if (at < 4) low |= bits << (7 * at);
    else if (at === 4) {
      low |= bits << 28;
      high = bits >>> 4;
    } else high |= bits << (7 * at - 32);
    at++;
    if (byte >= 0x80) continue;
    give(low >>> 0, high >>> 0);
    [low, high, at] = [0, 0, 0];
  }
}

/** Adds the numbers of a repeated integer field, as the nearest doubles. */
export function pushIntegers(field: Field, to: number[]): void {
  eachInteger(field, (low, high) => to.push((high | 0) * 2 ** 32 + low));
}

/** How many numbers a repeated float or double field holds, packed or one. @throws AppError ONNX_PROTO */
export function countFloats({ number, wire, bytes }: Field, width: 4 | 8): number {
  if (wire === 0 || (wire === 1) !== (width === 8 && wire !== 2) || bytes.length % width !== 0)
    throw protoError(`field ${number} holds no ${width}-byte floats`);
  return bytes.length / width;
}

/** Gives the numbers of a repeated float or double field one by one. */
export function eachFloat(field: Field, width: 4 | 8, give: (x: number) => void): void {
  countFloats(field, width);
  const { bytes } = field;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let i = 0; i < bytes.length; i += width) give(width === 4 ? view.getFloat32(i, true) : view.getFloat64(i, true));
}
