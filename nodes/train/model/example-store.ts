import { LRUCache } from "lru-cache";
import type { Compute } from "../../../engine/ir/compute.ts";
import type { Dataset, Example } from "../../shared/contracts/data.ts";
import { addSpent, type Spent } from "./model-runner.ts";
import { type Encoders, type PreparedExample, type PrepareOptions, prepareExample } from "./prepared-example.ts";

/** Encoded examples held in memory, pictures included: at 1024² with two references one takes about 42 MB. */
const KEPT_BYTES = 2 ** 30;

export type Split = "train" | "heldOut";

/** Examples, each encoded when it is first asked for; the least recently used are dropped beyond a number of bytes. */
export class ExampleStore {
  readonly #kept: LRUCache<string, PreparedExample>;
  readonly #make: (split: Split, index: number) => Promise<PreparedExample>;
  readonly #now: () => number;
  /** Seconds spent on encoding. */
  readonly times: Spent = { runs: 0, seconds: 0, first: 0 };

  /** @param now in milliseconds, for `times`. */
  constructor(
    compute: Compute,
    modules: Encoders & { readonly dataset: Dataset },
    options: PrepareOptions,
    { budget = KEPT_BYTES, now = () => 0 }: { readonly budget?: number; readonly now?: () => number } = {},
  ) {
    this.#now = now;
    // An example larger than the limit for all is kept alone.
    this.#kept = new LRUCache({
      maxSize: Math.ceil(budget),
      sizeCalculation: (example) => Math.ceil(Math.min(Math.max(1, bytesOf(example)), budget)),
    });
    this.#make = async (split, index) => prepareExample(compute, modules, await modules.dataset.example(split, index), options);
  }

  get bytes(): number {
    return this.#kept.calculatedSize;
  }

  async get(split: Split, index: number): Promise<PreparedExample> {
    const key = `${split}:${index}`;
    const known = this.#kept.get(key);
    if (known) return known;
    const started = this.#now();
    const example = await this.#make(split, index);
    addSpent(this.times, (this.#now() - started) / 1000);
    this.#kept.set(key, example);
    return example;
  }
}

function bytesOf({ example, x0, conditional, branches }: PreparedExample): number {
  // Branches may share tensors with the prompt.
  const tensors = new Set([conditional, ...branches].flatMap(({ feeds }) => Object.values(feeds)));
  return [x0, ...[...tensors].map((t) => t.data), ...pictures(example)].reduce((n, a) => n + a.byteLength, 0);
}

function pictures({ references, target }: Example): readonly Float32Array[] {
  return [target, ...references].map((image) => image.data);
}
