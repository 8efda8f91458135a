// Weights of segments between evaluations. Segments of equal structure share a session and take their weights as inputs, so
// without this every evaluation would read all of them from disk and widen them again.
import { LRUCache } from "lru-cache";
import type { Value } from "../ir/value.ts";
import { bytesOfTensor, type Tensor } from "../tensor/tensor.ts";
import { type Stamps, weightKey } from "./file-stamps.ts";
import { readWeight, widen } from "./weights.ts";

/** A weight that was not asked for in this many evaluations makes room for others. */
const STALE_AFTER = 16;

interface Kept {
  readonly tensor: Tensor;
  lastUse: number;
}

/**
 * Keeps as many weights as fit. Every evaluation asks for all of them in the same order: dropping the least recently used one
 * would then always drop the next to be asked for, so a weight that finds no room is read each time and the others stay.
 */
export class KeptWeights {
  readonly #kept: LRUCache<string, Kept>;
  readonly #maxBytes: number;
  #evaluation = 0;
  #reads = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#kept = new LRUCache({ maxSize: Math.max(1, maxBytes) });
  }

  get bytes(): number {
    return this.#kept.calculatedSize;
  }

  /** Weights read from files so far. */
  get reads(): number {
    return this.#reads;
  }

  /** Call this before asking for the weights of an evaluation. */
  begin(): void {
    this.#evaluation++;
  }

  /**
   * The numbers of a weight, widened to what a session takes. @param stamps of the file when the graph was compiled
   * @throws AppError ORT_WEIGHT when the file was replaced since, or cannot be read
   */
  get(v: Value, stamps: Stamps): Tensor {
    if (v.def.kind !== "weight" || v.def.source.kind === "host") return widen(readWeight(v));
    const key = weightKey(v, stamps);
    const known = this.#kept.get(key);
    if (known) {
      known.lastUse = this.#evaluation;
      return known.tensor;
    }
    this.#reads++;
    const tensor = widen(readWeight(v, stamps));
    const size = bytesOfTensor(tensor).byteLength;
    this.#makeRoom(size);
    if (this.bytes + size <= this.#maxBytes) this.#kept.set(key, { tensor, lastUse: this.#evaluation }, { size: Math.max(1, size) });
    return tensor;
  }

  clear(): void {
    this.#kept.clear();
  }

  #makeRoom(size: number): void {
    for (const key of this.#kept.rkeys()) {
      const lastUse = this.#kept.peek(key)?.lastUse ?? 0;
      if (this.bytes + size <= this.#maxBytes || lastUse > this.#evaluation - STALE_AFTER) return;
      this.#kept.delete(key);
    }
  }
}
