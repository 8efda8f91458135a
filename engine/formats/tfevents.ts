// TensorBoard's event files: TFRecord framing (length, masked CRC-32C, payload, masked CRC-32C) round `tensorflow.Event` messages,
// of which only what a training tells is written: numbers and pictures.

const encoder = new TextEncoder();

/** Castagnoli, reflected. */
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  return c;
});

/** CRC-32C of bytes. */
export function crc32c(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) c = (CRC_TABLE[(c ^ byte) & 0xff] ?? 0) ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

function masked(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** One TFRecord. */
export function tfRecord(payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(payload.length + 16);
  const view = new DataView(out.buffer);
  view.setBigUint64(0, BigInt(payload.length), true);
  view.setUint32(8, masked(out.subarray(0, 8)), true);
  out.set(payload, 12);
  view.setUint32(12 + payload.length, masked(payload), true);
  return out;
}

/** The first record of every file. @param wallTime seconds since 1970 */
export function versionRecord(wallTime: number): Uint8Array {
  return tfRecord(concat([wall(wallTime), text(3, "brain.Event:2")]));
}

/** Numbers of one step by tag; what is not finite is written as NaN, and TensorBoard shows a gap. */
export function scalarsRecord(wallTime: number, step: number, values: Readonly<Record<string, number>>): Uint8Array {
  const summary = Object.entries(values).map(([tag, value]) => message(1, [text(1, tag), float(2, value)]));
  return tfRecord(concat([wall(wallTime), varint(2, step), message(5, summary)]));
}

/** One picture of a step. @param png its file's bytes */
export function pictureRecord(wallTime: number, step: number, tag: string, png: Uint8Array): Uint8Array {
  const { width, height } = pngSize(png);
  // Colour space 3 is RGB.
  const image = message(4, [varint(1, height), varint(2, width), varint(3, 3), bytes(4, png)]);
  return tfRecord(concat([wall(wallTime), varint(2, step), message(5, [message(1, [text(1, tag), image])])]));
}

/** From the IHDR chunk. */
function pngSize(png: Uint8Array): { readonly width: number; readonly height: number } {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  return png.length < 24 ? { width: 0, height: 0 } : { width: view.getUint32(16), height: view.getUint32(20) };
}

function wall(seconds: number): Uint8Array {
  const out = new Uint8Array(9);
  out[0] = (1 << 3) | 1;
  new DataView(out.buffer).setFloat64(1, seconds, true);
  return out;
}

function float(field: number, value: number): Uint8Array {
  const out = new Uint8Array(5);
  out[0] = (field << 3) | 5;
  new DataView(out.buffer).setFloat32(1, Number.isFinite(Math.fround(value)) ? value : Number.NaN, true);
  return out;
}

function varint(field: number, value: number): Uint8Array {
  return Uint8Array.from([field << 3, ...leb(value)]);
}

function leb(value: number): number[] {
  const out: number[] = [];
  let rest = value;
  while (rest >= 128) {
    out.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return [...out, rest];
}

function bytes(field: number, value: Uint8Array): Uint8Array {
  return concat([Uint8Array.from([(field << 3) | 2, ...leb(value.length)]), value]);
}

function text(field: number, value: string): Uint8Array {
  return bytes(field, encoder.encode(value));
}

function message(field: number, parts: readonly Uint8Array[]): Uint8Array {
  return bytes(field, concat(parts));
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
