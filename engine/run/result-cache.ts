// Results of nodes by cache key, in memory: the least recently used are dropped when the byte budget is spent.

import { LRUCache } from "lru-cache";
import type { Effect } from "../graph/events.ts";
import type { Opened } from "../graph/opened-file.ts";
import { heldBy, holding } from "../node/holding.ts";
import { measureValue } from "../store/measure-value.ts";

/** What a finished node left behind. */
export interface Result {
  /** By output name; null when only the effects could be kept (a module can't be written down). */
  readonly outputs: Readonly<Record<string, unknown>> | null;
  readonly effects: readonly Effect[];
  /** Files that it, or anything it came from, was made from and that no cache key covers. */
  readonly opened: readonly Opened[];
}

/** A result without its outputs. */
export interface AboutResult extends Omit<Result, "outputs"> {
  readonly hasOutputs: boolean;
}

/** Results that outlive the process. Implemented by engine/store; never throws for a damaged or unwritable entry. */
export interface StoredResults {
  /** Everything but the outputs, and whether there are any. */
  peek(key: string): Promise<AboutResult | undefined>;
  read(key: string): Promise<Result | undefined>;
  /** @param ms what making it took: what is made faster than it is read back is not kept */
  write(key: string, result: Result, ms: number): Promise<void>;
}

interface Entry {
  readonly result: Result;
  /** Bytes besides array buffers. */
  readonly bytes: number;
  readonly buffers: ReadonlyMap<object, number>;
}

export class ResultCache {
  readonly #budget: number;
  readonly #entries: LRUCache<string, Entry>;
  /** How many entries hold an array buffer: results share them, as a module does with those it was made from. */
  readonly #sharers = new Map<object, number>();
  #bytes = 0;

  /** @param budgetBytes what all results together may weigh; a larger single result is not kept at all */
  constructor(budgetBytes: number) {
    this.#budget = budgetBytes;
    // An entry's weight depends on the others, so room is made here and not by the library.
    this.#entries = new LRUCache({
      maxSize: Number.MAX_SAFE_INTEGER,
      sizeCalculation: () => 1,
      dispose: (entry) => this.#weigh(entry, -1),
    });
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Result | undefined {
    return this.#entries.get(key)?.result;
  }

  /** @param inputs what the result was made from: its functions may keep any of them alive */
  set(key: string, result: Result, inputs: readonly unknown[] = []): void {
    this.delete(key);
    for (const output of Object.values(result.outputs ?? {}))
      if (isReference(output) && !measureValue(output).isPlain)
        holding(output, ...inputs.filter((input) => isReference(input) && input !== output && !heldBy(output).includes(input)));
    const { bytes, buffers } = measureValue([result.outputs, result.effects]);
    if (bytes > this.#budget) return;
    const inBuffers = [...buffers.values()].reduce((sum, n) => sum + n, 0);
    const entry = { result, bytes: bytes - inBuffers, buffers };
    this.#entries.set(key, entry);
    this.#weigh(entry, 1);
    while (this.#bytes > this.#budget) this.#entries.pop();
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  #weigh({ bytes, buffers }: Entry, by: 1 | -1): void {
    this.#bytes += by * bytes;
    for (const [buffer, size] of buffers) {
      const before = this.#sharers.get(buffer) ?? 0;
      const after = before + by;
      if (before === 0) this.#bytes += size;
      if (after > 0) this.#sharers.set(buffer, after);
      else {
        this.#bytes -= size;
        this.#sharers.delete(buffer);
      }
    }
  }
}

function isReference(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
