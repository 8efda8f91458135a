// ggml's block formats: some weights share a scale, and are stored in a few bits each. Layouts and formulas: ggml-quants.c, dequantize_row_*.

import { float32FromFloat16 } from "./convert.ts";

/** Weights per block, and bytes per block. */
const LAYOUTS = {
  Q4_0: { weights: 32, bytes: 18 },
  Q4_1: { weights: 32, bytes: 20 },
  Q5_0: { weights: 32, bytes: 22 },
  Q5_1: { weights: 32, bytes: 24 },
  Q8_0: { weights: 32, bytes: 34 },
  Q2_K: { weights: 256, bytes: 84 },
  Q3_K: { weights: 256, bytes: 110 },
  Q4_K: { weights: 256, bytes: 144 },
  Q5_K: { weights: 256, bytes: 176 },
  Q6_K: { weights: 256, bytes: 210 },
} as const;

export type BlockFormat = keyof typeof LAYOUTS;

export function isBlockFormat(name: string): name is BlockFormat {
  return Object.hasOwn(LAYOUTS, name);
}

export function blockLayout(format: BlockFormat): { readonly weights: number; readonly bytes: number } {
  return LAYOUTS[format];
}

/** Bytes that a row of `weights` takes; undefined when it is no whole number of blocks. */
export function packedBytes(format: BlockFormat, weights: number): number | undefined {
  const layout = LAYOUTS[format];
  return weights % layout.weights === 0 ? (weights / layout.weights) * layout.bytes : undefined;
}

/**
 * Blocks → float32, with the roundings of ggml's own float arithmetic.
 * @param bytes whole blocks @throws RangeError when they are not
 */
export function unpackBlocks(format: BlockFormat, bytes: Uint8Array): Float32Array {
  const { weights, bytes: size } = LAYOUTS[format];
  if (bytes.length % size !== 0) throw new RangeError(`${bytes.length} bytes are no whole number of ${format} blocks of ${size}`);
  const out = new Float32Array((bytes.length / size) * weights);
  const unpack = UNPACK[format];
  const block: Block = { bytes, at: 0, out, to: 0 };
  for (let n = 0; n < bytes.length / size; n++) {
    block.at = n * size;
    block.to = n * weights;
    unpack(block);
  }
  return out;
}

interface Block {
  readonly bytes: Uint8Array;
  /** First byte of the block. */
  at: number;
  readonly out: Float32Array;
  /** First weight of the block. */
  to: number;
}

const { fround } = Math;
const HALVES = float32FromFloat16(Uint16Array.from({ length: 65_536 }, (_, bits) => bits));

function byte({ bytes, at }: Block, offset: number): number {
  return bytes[at + offset] ?? 0;
}
function signed(block: Block, offset: number): number {
  return (byte(block, offset) << 24) >> 24;
}
function half(block: Block, offset: number): number {
  return HALVES[byte(block, offset) | (byte(block, offset + 1) << 8)] ?? 0;
}

/** 32 weights of 4 or 5 bits: the low halves of 16 bytes, then the high ones. */
function small({ bits, hasMin }: { readonly bits: 4 | 5; readonly hasMin: boolean }): (block: Block) => void {
  const fifth = hasMin ? 4 : 2;
  const first = fifth + (bits === 5 ? 4 : 0);
  const zero = hasMin ? 0 : 1 << (bits - 1);
  return (block) => {
    const d = half(block, 0);
    const min = hasMin ? half(block, 2) : 0;
    for (let j = 0; j < 32; j++) {
      const packed = byte(block, first + (j % 16));
      let q = j < 16 ? packed & 15 : packed >> 4;
      if (bits === 5) q |= ((byte(block, fifth + (j >> 3)) >> (j & 7)) & 1) << 4;
      const scaled = (q - zero) * d;
      // Adding 0 would turn −0 into 0.
      block.out[block.to + j] = hasMin ? fround(scaled) + min : scaled;
    }
  };
}

/** Scale and minimum of 32 weights, six bits each (get_scale_min_k4). @param from first of 12 bytes */
function scaleMin(block: Block, from: number, j: number): [scale: number, min: number] {
  const at = (k: number) => byte(block, from + k);
  if (j < 4) return [at(j) & 63, at(j + 4) & 63];
  return [(at(j + 4) & 15) | ((at(j - 4) >> 6) << 4), (at(j + 4) >> 4) | ((at(j) >> 6) << 4)];
}

/** 256 weights of 4 or 5 bits in eight groups, each with its scale and minimum. */
function grouped(bits: 4 | 5): (block: Block) => void {
  const first = bits === 5 ? 48 : 16;
  return (block) => {
    const [d, dmin] = [half(block, 0), half(block, 2)];
    for (let group = 0; group < 8; group++) {
      const [scale, min] = scaleMin(block, 4, group);
      const [dl, ml] = [fround(d * scale), fround(dmin * min)];
      for (let l = 0; l < 32; l++) {
        const packed = byte(block, first + (group >> 1) * 32 + l);
        let q = group % 2 === 0 ? packed & 15 : packed >> 4;
        if (bits === 5) q |= ((byte(block, 16 + l) >> group) & 1) << 4;
        block.out[block.to + group * 32 + l] = fround(dl * q) - ml;
      }
    }
  };
}

function q8(block: Block): void {
  const d = half(block, 0);
  for (let j = 0; j < 32; j++) block.out[block.to + j] = signed(block, 2 + j) * d;
}

function q2k(block: Block): void {
  const [d, dmin] = [half(block, 80), half(block, 82)];
  for (let group = 0; group < 16; group++) {
    const scale = byte(block, group);
    const [dl, ml] = [fround(d * (scale & 15)), fround(dmin * (scale >> 4))];
    const [from, shift] = [16 + (group >> 3) * 32 + (group % 2) * 16, 2 * ((group >> 1) % 4)];
    for (let l = 0; l < 16; l++) block.out[block.to + group * 16 + l] = fround(dl * ((byte(block, from + l) >> shift) & 3)) - ml;
  }
}

function q3k(block: Block): void {
  const d = half(block, 108);
  for (let group = 0; group < 16; group++) {
    // Low four bits of 16 scales in 8 bytes, their high two in the 4 bytes behind.
    const low = (byte(block, 96 + (group % 8)) >> (group < 8 ? 0 : 4)) & 15;
    const high = (byte(block, 104 + (group % 4)) >> (2 * (group >> 2))) & 3;
    const dl = fround(d * ((low | (high << 4)) - 32));
    const [column, shift] = [(group % 2) * 16, 2 * ((group >> 1) % 4)];
    for (let l = 0; l < 16; l++) {
      const q = (byte(block, 32 + (group >> 3) * 32 + column + l) >> shift) & 3;
      const isSet = (byte(block, column + l) >> (group >> 1)) & 1;
      block.out[block.to + group * 16 + l] = dl * (q - (isSet ? 0 : 4));
    }
  }
}

function q6k(block: Block): void {
  const d = half(block, 208);
  for (let j = 0; j < 256; j++) {
    const [half128, l, quarter] = [j >> 7, j & 31, (j >> 5) & 3];
    const packed = byte(block, half128 * 64 + (quarter % 2) * 32 + l);
    const low = quarter < 2 ? packed & 15 : packed >> 4;
    const high = (byte(block, 128 + half128 * 32 + l) >> (2 * quarter)) & 3;
    block.out[block.to + j] = fround(d * signed(block, 192 + (j >> 4))) * ((low | (high << 4)) - 32);
  }
}

const UNPACK: Readonly<Record<BlockFormat, (block: Block) => void>> = {
  Q4_0: small({ bits: 4, hasMin: false }),
  Q4_1: small({ bits: 4, hasMin: true }),
  Q5_0: small({ bits: 5, hasMin: false }),
  Q5_1: small({ bits: 5, hasMin: true }),
  Q8_0: q8,
  Q2_K: q2k,
  Q3_K: q3k,
  Q4_K: grouped(4),
  Q5_K: grouped(5),
  Q6_K: q6k,
};
