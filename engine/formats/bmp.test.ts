import { describe, expect, it } from "vitest";
import { randomSource } from "../base/random.ts";
import { bmpSize, decodeBmp } from "./bmp.ts";

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
function bitmap({ bits, rows, width, headerSize = 40, compression = 0, masks = [], palette = [], isTopDown = false }: Wanted): Buffer {
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
    for (let n = 0; n < good.length; n++) expect(() => decodeBmp(good.subarray(0, n))).toThrow(/short|cut off|ends before/);
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

describe("borders of a bitmap's header", () => {
  const size = (bytes: Uint8Array) => bmpSize(bytes);
  const plain = bitmap({ bits: 24, rows: [[1, 2, 3]], width: 3 });

  it("its size is known as soon as the header is whole, and its pixels as soon as the last row is", () => {
    expect(size(plain.subarray(0, 54))).toEqual({ width: 3, height: 1 });
    expect(() => size(plain.subarray(0, 53))).toThrow("its header is cut off");
    const core = bitmap({ bits: 24, rows: [[1], [2]], width: 1, headerSize: 12 });
    expect(size(core.subarray(0, 26))).toEqual({ width: 1, height: 2 });
    expect(() => size(core.subarray(0, 25))).toThrow("it is too short for a bitmap");
    expect([...decodeBmp(core).rgb]).toEqual([0, 0, 1, 0, 0, 2]);
    expect([...decodeBmp(plain).rgb]).toEqual([0, 0, 1, 0, 0, 2, 0, 0, 3]);
    expect(() => decodeBmp(plain.subarray(0, -1))).toThrow("it ends before its 1 rows do");
    expect(size(bitmap({ bits: 24, rows: [[1], [2]], width: 1, isTopDown: true }))).toEqual({ width: 1, height: 2 });
  });

  it("masks behind the header, and the palette, are whole or refused", () => {
    const masks = [0xff0000, 0xff00, 0xff, 0xff000000];
    const three = bitmap({ bits: 32, rows: [[0]], width: 1, compression: 3, masks: masks.slice(0, 3) });
    expect(size(three.subarray(0, 66))).toEqual({ width: 1, height: 1 });
    expect(() => size(three.subarray(0, 65))).toThrow("its header is cut off");
    const four = bitmap({ bits: 32, rows: [[0]], width: 1, compression: 6, masks });
    expect(size(four.subarray(0, 70))).toEqual({ width: 1, height: 1 });
    expect(() => size(four.subarray(0, 69))).toThrow("its header is cut off");
    for (const headerSize of [40, 12]) {
      const indexed = bitmap({ bits: 1, rows: [[1]], width: 1, palette: COLOURS.slice(0, 2), headerSize });
      const end = indexed.readUInt32LE(10);
      expect(size(indexed.subarray(0, end))).toEqual({ width: 1, height: 1 });
      expect(() => size(indexed.subarray(0, end - 1))).toThrow("its palette is cut off");
      indexed.writeUInt32LE(14 + headerSize, 10);
      expect(() => size(indexed)).toThrow("its palette is cut off");
    }
  });

  it("one colour is a palette", () => {
    expect([...decodeBmp(bitmap({ bits: 8, rows: [[0, 0]], width: 2, palette: [[1, 2, 3]] })).rgb]).toEqual([1, 2, 3, 1, 2, 3]);
  });

  it("a palette is as long as its bits can say, however far away the pixels are", () => {
    const near = bitmap({ bits: 1, rows: [[0, 1]], width: 2, palette: COLOURS.slice(0, 2) });
    const far = Buffer.concat([near.subarray(0, 62), Buffer.alloc(64), near.subarray(62)]);
    far.writeUInt32LE(62 + 64, 10);
    expect([...decodeBmp(far).rgb]).toEqual([255, 0, 0, 0, 255, 0]);
    expect(size(far.subarray(0, 62))).toEqual({ width: 2, height: 1 });
  });

  it("a size of nothing, and sizes and kinds of header that no bitmap has", () => {
    for (const [width, height] of [
      [0, 1],
      [-1, 1],
      [1, 0],
    ] as const) {
      const bytes = Buffer.from(plain);
      bytes.writeInt32LE(width, 18);
      bytes.writeInt32LE(height, 22);
      expect(() => size(bytes)).toThrow(`its size is ${width} × ${height}`);
    }
    // A header of 16 bytes has no room for the compression: nothing is read beyond the end.
    for (const headerSize of [0, 11, 13, 16, 39]) {
      const bytes = Buffer.from(plain.subarray(0, 32));
      bytes.writeUInt32LE(headerSize, 14);
      expect(() => size(bytes)).toThrow(`its header of ${headerSize} bytes is of no known kind`);
    }
  });

  it("what is not read says what it is", () => {
    const of = (compression: number, bits = 8) =>
      bitmap({ bits, rows: [[0]], width: 1, palette: bits === 8 ? [...COLOURS] : [], compression });
    for (const rle of [1, 2]) expect(() => size(of(rle))).toThrow("it is run-length coded");
    for (const other of [4, 5, 11]) expect(() => size(of(other))).toThrow(`its compression is ${other}`);
    // Masks are for 16 and 32 bits only.
    for (const bits of [8, 24]) for (const masked of [3, 6]) expect(() => size(of(masked, bits))).toThrow(`its compression is ${masked}`);
    for (const bits of [0, 2, 64]) {
      const bytes = Buffer.from(plain);
      bytes.writeUInt16LE(bits, 28);
      expect(() => size(bytes)).toThrow(`it has ${bits} bits a pixel`);
    }
  });
});

describe("masks", () => {
  const decode = (masks: readonly number[], row: readonly number[], more: Partial<Wanted> = {}) => {
    const { rgb, alpha } = decodeBmp(bitmap({ bits: 32, rows: [row], width: row.length, compression: 3, masks, ...more }));
    return [[...rgb], alpha && [...alpha]];
  };

  it("a header of 56 bytes has a mask of alpha, one of 52 or with the masks behind it has none", () => {
    const masks = [0xff0000, 0xff00, 0xff, 0xff000000];
    expect(decode(masks, [0x80102030], { headerSize: 56 })).toEqual([[0x10, 0x20, 0x30], [0x80]]);
    expect(decode(masks.slice(0, 3), [0x80102031], { headerSize: 52 })).toEqual([[0x10, 0x20, 0x31], undefined]);
    expect(decode(masks.slice(0, 3), [0x80102031])).toEqual([[0x10, 0x20, 0x31], undefined]);
    expect(decodeBmp(bitmap({ bits: 16, rows: [[0xffff]], width: 1 })).alpha).toBeUndefined();
    expect(decode([0xff0000, 0xff00, 0xfe, 1], [0x102001, 0x102000], { headerSize: 56 })).toEqual([
      [0x10, 0x20, 0, 0x10, 0x20, 0],
      [255, 0],
    ]);
  });

  it("a mask of no bit is a channel of zeros; masks of 1, 2, 10 and 32 bits fill 0 to 255", () => {
    expect(decode([0, 0xff00, 0xff], [0xffff2030])).toEqual([[0, 0x20, 0x30], undefined]);
    expect(decode([0x3ff00000, 0xffc00, 0x3ff, 0xc0000000], [0xffffffff, 0x40000000, 0x20080200], { headerSize: 56 })).toEqual([
      [255, 255, 255, 0, 0, 0, 128, 128, 128],
      [255, 85, 0],
    ]);
    expect(decode([0xffffffff, 1, 0x80000000], [0xffffffff, 0, 0x80000001])).toEqual([[255, 255, 255, 0, 0, 0, 128, 255, 255], undefined]);
    const bit = { bits: 16, headerSize: 56 };
    expect(decode([0x7c00, 0x3e0, 0x1f, 0x8000], [0xffff, 0x7c00], bit)).toEqual([
      [255, 255, 255, 255, 0, 0],
      [255, 0],
    ]);
  });

  it("one pixel that is not clear is enough for alpha to be taken", () => {
    const picture = decodeBmp(bitmap({ bits: 32, rows: [[0x00102030, 0x01405060]], width: 2 }));
    expect([...(picture.alpha ?? [])]).toEqual([0, 1]);
  });
});
