import { describe, expect, it } from "vitest";
import { randomSource } from "../base/random.ts";
import { decodeBmp } from "./bmp.ts";

interface Wanted {
  readonly bits: number;
  readonly rows: readonly (readonly number[])[];
  readonly width: number;
  readonly headerSize?: number;
  readonly compression?: number;
  readonly masks?: readonly number[];
  readonly palette?: readonly (readonly [number, number, number])[];
  readonly isTopDown?: boolean;
}

/** A bitmap whose rows hold the given raw pixel values, as the format's description lays them out. */
function bitmap({ bits, rows, width, headerSize = 40, compression = 0, masks = [], palette = [], isTopDown = false }: Wanted): Uint8Array {
  const isCore = headerSize === 12;
  const loose = headerSize === 40 ? masks : [];
  const entry = isCore ? 3 : 4;
  const start = 14 + headerSize + loose.length * 4 + palette.length * entry;
  const stride = Math.ceil((width * bits) / 32) * 4;
  const out = Buffer.alloc(start + stride * rows.length);
  out.write("BM", "latin1");
  out.writeUInt32LE(start, 10);
  out.writeUInt32LE(headerSize, 14);
  if (isCore) {
    out.writeUInt16LE(width, 18);
    out.writeUInt16LE(rows.length, 20);
    out.writeUInt16LE(bits, 24);
  } else {
    out.writeInt32LE(width, 18);
    out.writeInt32LE(isTopDown ? -rows.length : rows.length, 22);
    out.writeUInt16LE(bits, 28);
    out.writeUInt32LE(compression, 30);
    if (bits <= 8) out.writeUInt32LE(palette.length, 46);
  }
  masks.forEach((mask, i) => {
    out.writeUInt32LE(mask, 54 + 4 * i);
  });
  palette.forEach(([r, g, b], i) => {
    out.set([b, g, r], start - (palette.length - i) * entry);
  });
  (isTopDown ? rows : [...rows].reverse()).forEach((row, y) => {
    row.forEach((pixel, x) => {
      for (let bit = 0; bit < bits; bit++) {
        // Below a byte, the leftmost pixel has the highest bits; above, bytes are little endian.
        const at = bits < 8 ? x * bits + (bits - 1 - bit) : x * bits + bit;
        const byte = start + y * stride + (at >> 3);
        const place = bits < 8 ? 7 - (at & 7) : at & 7;
        if (Math.floor(pixel / 2 ** bit) % 2 === 1) out[byte] = (out[byte] ?? 0) | (1 << place);
      }
    });
  });
  return out;
}

const COLOURS = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [9, 8, 7],
] as const;

describe("decodeBmp", () => {
  it.each([1, 4, 8])("%i bits with a palette, rows that are padded, either way up", (bits) => {
    const palette = COLOURS.slice(0, bits === 1 ? 2 : 4);
    const rows = [0, 1].map((y) => Array.from({ length: 11 }, (_, x) => (x * 3 + y) % palette.length));
    const expected = rows.flat().flatMap((i) => palette[i] ?? []);
    for (const isTopDown of [false, true])
      expect([...decodeBmp(bitmap({ bits, rows, width: 11, palette, isTopDown })).rgb]).toEqual(expected);
    expect([...decodeBmp(bitmap({ bits, rows, width: 11, palette, headerSize: 12 })).rgb]).toEqual(expected);
  });

  it("24 bits, 16 bits of 5 each, 16 bits of 5, 6 and 5", () => {
    expect([...decodeBmp(bitmap({ bits: 24, rows: [[0xff8001], [0x010203]], width: 1 })).rgb]).toEqual([255, 128, 1, 1, 2, 3]);
    expect([...decodeBmp(bitmap({ bits: 16, rows: [[0x7c00, 0x03e0, 0x001f, 0x4210]], width: 4 })).rgb]).toEqual([
      255, 0, 0, 0, 255, 0, 0, 0, 255, 132, 132, 132,
    ]);
    const masks = [0xf800, 0x07e0, 0x001f];
    expect([...decodeBmp(bitmap({ bits: 16, rows: [[0xf800, 0x07e0, 0x8410]], width: 3, compression: 3, masks })).rgb]).toEqual([
      255, 0, 0, 0, 255, 0, 132, 130, 132,
    ]);
  });

  it("32 bits with and without alpha, in any order", () => {
    const opaque = decodeBmp(bitmap({ bits: 32, rows: [[0x00102030, 0x00405060]], width: 2 }));
    expect(opaque).toMatchObject({ alpha: undefined, width: 2, height: 1 });
    expect([...opaque.rgb]).toEqual([0x10, 0x20, 0x30, 0x40, 0x50, 0x60]);
    const plain = decodeBmp(bitmap({ bits: 32, rows: [[0x80102030, 0xff405060]], width: 2 }));
    expect([[...plain.rgb], [...(plain.alpha ?? [])]]).toEqual([
      [0x10, 0x20, 0x30, 0x40, 0x50, 0x60],
      [0x80, 0xff],
    ]);
    // Four masks behind the short header, which its compression (6) says.
    const four = { bits: 32, rows: [[0x80302010, 0x40605040]], width: 2, compression: 6, masks: [0xff, 0xff00, 0xff0000, 0xff000000] };
    const loose = decodeBmp(bitmap(four));
    expect([[...loose.rgb], [...(loose.alpha ?? [])]]).toEqual([
      [0x10, 0x20, 0x30, 0x40, 0x50, 0x60],
      [0x80, 0x40],
    ]);
    expect(() => decodeBmp(bitmap(four).subarray(0, 69))).toThrow(/cut off/);
    const masks = [0xff, 0xff00, 0xff0000, 0xff000000];
    const clear = decodeBmp(bitmap({ bits: 32, rows: [[0x80302010, 0xff000000]], width: 2, compression: 3, masks, headerSize: 108 }));
    expect([...clear.rgb]).toEqual([0x10, 0x20, 0x30, 0, 0, 0]);
    expect([...(clear.alpha ?? [])]).toEqual([0x80, 0xff]);
    const rows = [
      [0x80302010, 0x40605040],
      [0x20908070, 0x10c0b0a0],
    ];
    for (const isTopDown of [false, true]) {
      const picture = decodeBmp(bitmap({ bits: 32, rows, width: 2, compression: 3, masks, headerSize: 108, isTopDown }));
      expect([...picture.rgb]).toEqual([0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70, 0x80, 0x90, 0xa0, 0xb0, 0xc0]);
      expect([...(picture.alpha ?? [])]).toEqual([0x80, 0x40, 0x20, 0x10]);
    }
  });

  it("refuses what is damaged or not read, before it takes memory", () => {
    const good = bitmap({ bits: 8, rows: [[0, 1]], width: 2, palette: [...COLOURS] });
    for (let n = 0; n < good.length - 1; n++) expect(() => decodeBmp(good.subarray(0, n))).toThrow(/short|cut off|ends before/);
    expect(() => decodeBmp(bitmap({ bits: 8, rows: [[3]], width: 1, palette: COLOURS.slice(0, 2) }))).toThrow(/colour 3 of a palette of 2/);
    expect(() => decodeBmp(bitmap({ bits: 8, rows: [[0]], width: 1, palette: [...COLOURS], compression: 1 }))).toThrow(/run-length/);
    expect(() => decodeBmp(bitmap({ bits: 7, rows: [[0]], width: 1 }))).toThrow(/7 bits/);
    const large = Buffer.from(good);
    large.writeInt32LE(2 ** 31 - 1, 18);
    expect(() => decodeBmp(large)).toThrow(/ends before/);
    const random = randomSource(4);
    for (let i = 0; i < 2000; i++) {
      const bytes = Buffer.from(good);
      for (let k = 0; k < 3; k++) bytes[2 + Math.floor(random.uniform() * (bytes.length - 2))] = Math.floor(random.uniform() * 256);
      try {
        const { rgb, width, height } = decodeBmp(bytes);
        expect(rgb.length).toBe(3 * width * height);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
        expect(error).not.toBeInstanceOf(RangeError);
      }
    }
  });
});
