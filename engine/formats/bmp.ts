// Windows bitmaps (BITMAPCOREHEADER to BITMAPV5HEADER), without run-length coding.

export interface Bitmap {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3], top row first. */
  readonly rgb: Uint8Array;
  /** [height, width]; undefined where the file has none, or only zeros, which means the same in practice. */
  readonly alpha: Uint8Array | undefined;
}

interface Header {
  readonly width: number;
  readonly height: number;
  readonly isTopDown: boolean;
  readonly bits: number;
  /** Where the pixels begin. */
  readonly start: number;
  /** Red, green, blue, alpha of 16- and 32-bit pixels; 0 = absent. */
  readonly masks: readonly [number, number, number, number];
  /** Red, green, blue of each colour. */
  readonly palette: readonly (readonly [number, number, number])[];
}

/** Size without decoding. @throws Error where the header is not one. */
export function bmpSize(bytes: Uint8Array): { readonly width: number; readonly height: number } {
  const { width, height } = headerOf(bytes);
  return { width, height };
}

/** @throws Error when the file is damaged, or of a kind that is not read (run-length coded, or a JPEG or PNG within). */
export function decodeBmp(bytes: Uint8Array): Bitmap {
  const { width, height, isTopDown, bits, start, masks, palette } = headerOf(bytes);
  const stride = Math.ceil((width * bits) / 32) * 4;
  if (start + stride * height > bytes.length) throw new Error(`it ends before its ${height} rows do`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rgb = new Uint8Array(width * height * 3);
  const alpha = masks[3] === 0 ? undefined : new Uint8Array(width * height);
  const [red, green, blue, opacity] = [channelOf(masks[0]), channelOf(masks[1]), channelOf(masks[2]), channelOf(masks[3])];
  for (let y = 0; y < height; y++) {
    const row = start + stride * (isTopDown ? y : height - 1 - y);
    for (let x = 0; x < width; x++) {
      const at = (y * width + x) * 3;
      if (bits <= 8) {
        const byte = bytes[row + ((x * bits) >> 3)] ?? 0;
        const index = (byte >> (8 - bits - ((x * bits) & 7))) & (2 ** bits - 1);
        const colour = palette[index];
        if (!colour) throw new Error(`a pixel has colour ${index} of a palette of ${palette.length}`);
        rgb.set(colour, at);
      } else if (bits === 24) {
        const p = row + 3 * x;
        rgb[at] = bytes[p + 2] ?? 0;
        rgb[at + 1] = bytes[p + 1] ?? 0;
        rgb[at + 2] = bytes[p] ?? 0;
      } else {
        const pixel = bits === 16 ? view.getUint16(row + 2 * x, true) : view.getUint32(row + 4 * x, true);
        rgb[at] = red(pixel);
        rgb[at + 1] = green(pixel);
        rgb[at + 2] = blue(pixel);
        if (alpha) alpha[y * width + x] = opacity(pixel);
      }
    }
  }
  return { width, height, rgb, alpha: alpha?.some((a) => a > 0) ? alpha : undefined };
}

function headerOf(bytes: Uint8Array): Header {
  if (bytes.length < 26) throw new Error("it is too short for a bitmap");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = view.getUint32(10, true);
  const size = view.getUint32(14, true);
  const isCore = size === 12;
  if (!isCore && size < 40) throw new Error(`its header of ${size} bytes is of no known kind`);
  if (14 + size > bytes.length) throw new Error("its header is cut off");
  const width = isCore ? view.getUint16(18, true) : view.getInt32(18, true);
  const rows = isCore ? view.getUint16(20, true) : view.getInt32(22, true);
  const height = Math.abs(rows);
  const bits = view.getUint16(isCore ? 24 : 28, true);
  const compression = isCore ? 0 : view.getUint32(30, true);
  if (width <= 0 || rows === 0) throw new Error(`its size is ${width} × ${rows}`);
  if (![1, 4, 8, 16, 24, 32].includes(bits)) throw new Error(`it has ${bits} bits a pixel`);
  const isMasked = (compression === 3 || compression === 6) && (bits === 16 || bits === 32);
  if (compression !== 0 && !isMasked) throw new Error(compression <= 2 ? "it is run-length coded" : `its compression is ${compression}`);
  // A BITMAPINFOHEADER is followed by its masks, later ones hold them.
  const hasAlphaMask = size >= 56 || compression === 6;
  if (isMasked && (hasAlphaMask ? 70 : 66) > bytes.length) throw new Error("its header is cut off");
  const mask = (k: number): number => view.getUint32(54 + 4 * k, true);
  const masks: Header["masks"] = isMasked
    ? [mask(0), mask(1), mask(2), hasAlphaMask ? mask(3) : 0]
    : bits === 16
      ? [0x7c00, 0x03e0, 0x001f, 0]
      : [0xff0000, 0xff00, 0xff, bits === 32 ? 0xff000000 : 0];
  return {
    width,
    height,
    isTopDown: rows !== height,
    bits,
    start,
    masks,
    palette: paletteOf(bytes, bits, 14 + size, start, isCore ? 3 : 4),
  };
}

/** Blue, green, red (and nothing) of each colour, from behind the header to the pixels. */
function paletteOf(bytes: Uint8Array, bits: number, at: number, start: number, step: number): Header["palette"] {
  if (bits > 8) return [];
  const count = Math.max(0, Math.min(2 ** bits, Math.floor((start - at) / step)));
  if (count === 0 || at + count * step > bytes.length) throw new Error("its palette is cut off");
  return Array.from({ length: count }, (_, i) => {
    const p = at + i * step;
    return [bytes[p + 2] ?? 0, bytes[p + 1] ?? 0, bytes[p] ?? 0];
  });
}

/** The bits of a mask as 0..255. */
function channelOf(mask: number): (pixel: number) => number {
  if (mask === 0) return () => 0;
  const shift = 31 - Math.clz32(mask & -mask);
  const most = (mask >>> shift) >>> 0;
  return (pixel) => Math.round(((((pixel & mask) >>> 0) >>> shift) * 255) / most);
}
