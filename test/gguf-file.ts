// A GGUF file made in memory.
import { float16FromFloat32 } from "../engine/tensor/convert.ts";

export interface GgufTensor {
  readonly name: string;
  /** Outermost first. */
  readonly shape: readonly number[];
  /** ggml_type. */
  readonly type: number;
  readonly bytes: Uint8Array;
}

/** ggml_type of what tests write. */
export const GGML = { F32: 0, Q4_0: 2, Q8_0: 8, Q4_K: 12, IQ4_XS: 23 } as const;

/** Weights as blocks of Q8_0, rounded as ggml rounds them. @param row a multiple of 32 */
export function packQ8(row: Float32Array): Uint8Array {
  const out = new Uint8Array((row.length / 32) * 34);
  for (let block = 0; block < row.length / 32; block++) {
    const values = row.subarray(block * 32, block * 32 + 32);
    const scale = Math.max(...values.map(Math.abs)) / 127;
    out.set(new Uint8Array(float16FromFloat32(Float32Array.of(scale)).buffer), block * 34);
    out.set(
      Uint8Array.from(values, (x) => (scale > 0 ? Math.round(x / scale) : 0)),
      block * 34 + 2,
    );
  }
  return out;
}

/** Version 3, data at multiples of 32 or of `alignment`; keys with texts, or with lists of numbers as float64. */
export function ggufFile(
  tensors: readonly GgufTensor[],
  metadata: Readonly<Record<string, string | readonly number[]>> = {},
  alignment = 32,
): Uint8Array<ArrayBuffer> {
  const parts: Uint8Array[] = [];
  const padded = (length: number) => Math.ceil(length / alignment) * alignment;
  const u32 = (n: number) => parts.push(new Uint8Array(Uint32Array.of(n).buffer));
  const u64 = (n: number) => parts.push(new Uint8Array(BigUint64Array.of(BigInt(n)).buffer));
  const text = (s: string) => {
    const bytes = new TextEncoder().encode(s);
    u64(bytes.length);
    parts.push(bytes);
  };
  parts.push(new TextEncoder().encode("GGUF"));
  u32(3);
  u64(tensors.length);
  u64(Object.keys(metadata).length);
  for (const [key, value] of Object.entries(metadata)) {
    text(key);
    u32(typeof value === "string" ? 8 : 9);
    if (typeof value === "string") {
      text(value);
    } else {
      u32(12);
      u64(value.length);
      parts.push(new Uint8Array(Float64Array.from(value).buffer));
    }
  }
  let offset = 0;
  for (const { name, shape, type, bytes } of tensors) {
    text(name);
    u32(shape.length);
    for (const d of [...shape].reverse()) u64(d);
    u32(type);
    u64(offset);
    offset += padded(bytes.length);
  }
  const head = parts.reduce((n, p) => n + p.length, 0);
  parts.push(new Uint8Array(padded(head) - head));
  for (const { bytes } of tensors) parts.push(bytes, new Uint8Array(padded(bytes.length) - bytes.length));
  return new Uint8Array(Buffer.concat(parts));
}
