// A file of random numbers that weights and activations are mapped from.
import { closeSync, openSync, writeSync } from "node:fs";
import { randomSource } from "../../engine/base/random.ts";
import type { WeightSource } from "../../engine/ir/value.ts";
import { fromFloat32 } from "../../engine/tensor/convert.ts";
import { bytesOf } from "../../engine/tensor/dtype.ts";

type Float = "float32" | "float16" | "bfloat16";

/** Numbers drawn; a file repeats them with a stride, which neither speed nor rounding can tell from fresh ones. */
const POOL = 1_000_003;

export class NumberFile {
  readonly #path: string;
  readonly #fd: number;
  readonly #regions = new Map<string, { readonly offset: number; readonly length: number }>();
  readonly #pool: Float32Array;
  #end = 0;

  constructor(path: string, seed: number) {
    this.#path = path;
    this.#fd = openSync(path, "w");
    this.#pool = randomSource(seed).normals(new Float32Array(POOL));
  }

  /** `count` numbers of this gain. @param reserve how many there are, written at the first asking */
  region(name: string, dtype: Float, count: number, gain: number, reserve = count): WeightSource {
    const length = count * bytesOf(dtype);
    let region = this.#regions.get(name);
    if (!region) {
      const all = reserve * bytesOf(dtype);
      region = { offset: this.#end, length: all };
      const bytes = fromFloat32(
        this.#pool.map((x) => gain * x),
        dtype,
      );
      const chunk = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let done = 0; done < all; ) done += writeSync(this.#fd, chunk, 0, Math.min(chunk.length, all - done), region.offset + done);
      // Every region starts elsewhere in a page; all at whole elements.
      this.#end += Math.ceil(all / 64) * 64;
      this.#regions.set(name, region);
    }
    if (length > region.length) throw new RangeError(`${name} has ${region.length} bytes, not ${length}`);
    return { kind: "file", path: this.#path, offset: region.offset, length };
  }

  close(): void {
    closeSync(this.#fd);
  }
}
