// Protobuf wire format, writing only (https://protobuf.dev/programming-guides/encoding). Field numbers are those of onnx.proto3.

/** Grows by doubling; numbers are written as they come. */
export class ProtoWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  /** The message so far: a view, valid until the next write. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** An integer field (varint). Negative numbers are written as 64-bit two's complement. */
  int(field: number, value: number | bigint): void {
    this.#varint(field << 3);
    this.#varint(value);
  }

  /** A 32-bit float field. */
  float(field: number, value: number): void {
    this.#varint((field << 3) | 5);
    this.#reserve(4);
    new DataView(this.#bytes.buffer).setFloat32(this.#length, value, true);
    this.#length += 4;
  }

  /** A length-delimited field: text, raw bytes or a nested message. */
  data(field: number, value: string | Uint8Array | ProtoWriter): void {
    const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value instanceof ProtoWriter ? value.bytes : value;
    this.#varint((field << 3) | 2);
    this.#varint(bytes.length);
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.#length);
    this.#length += bytes.length;
  }

  #varint(value: number | bigint): void {
    this.#reserve(10);
    if (typeof value === "number" && value >= 0 && value <= 0x7fffffff) {
      let v = value;
      for (; v > 0x7f; v >>>= 7) this.#bytes[this.#length++] = (v & 0x7f) | 0x80;
      this.#bytes[this.#length++] = v;
      return;
    }
    let v = BigInt.asUintN(64, BigInt(value));
    for (; v > 0x7fn; v >>= 7n) this.#bytes[this.#length++] = Number(v & 0x7fn) | 0x80;
    this.#bytes[this.#length++] = Number(v);
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const bigger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + more));
    bigger.set(this.bytes);
    this.#bytes = bigger;
  }
}

/** Builds a nested message. */
export function message(fill: (w: ProtoWriter) => void): ProtoWriter {
  const w = new ProtoWriter();
  fill(w);
  return w;
}
