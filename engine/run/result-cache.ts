// Results of nodes by cache key, in memory: least recently used first out when the byte budget is spent.
import type { Effect } from "../graph/events.ts";
import { measureValue } from "../store/measure-value.ts";

/** What a finished node left behind. */
export interface Result {
  /** By output name; null when only the effects could be kept (a module can't be written down). */
  readonly outputs: Readonly<Record<string, unknown>> | null;
  readonly effects: readonly Effect[];
}

/** Results that outlive the process. Implemented by engine/store; never throws for a damaged or unwritable entry. */
export interface StoredResults {
  /** What is known without reading the outputs. */
  peek(key: string): Promise<readonly Effect[] | undefined>;
  read(key: string): Promise<Result | undefined>;
  /** @param ms what making it took: what is made faster than it is read back is not kept */
  write(key: string, result: Result, ms: number): Promise<void>;
}

interface Entry {
  readonly result: Result;
  readonly bytes: number;
}

export class ResultCache {
  readonly #budget: number;
  /** In order of last use: a Map iterates in insertion order. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  /** @param budgetBytes what all outputs together may weigh; a larger single result is not kept at all */
  constructor(budgetBytes: number) {
    this.#budget = budgetBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): Result | undefined {
    const entry = this.#entries.get(key);
    if (!entry) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.result;
  }

  set(key: string, result: Result): void {
    this.delete(key);
    const { bytes } = measureValue([result.outputs, result.effects]);
    if (bytes > this.#budget) return;
    this.#entries.set(key, { result, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#budget) return;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }
}
