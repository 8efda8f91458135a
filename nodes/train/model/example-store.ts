import type { Compute } from "../../../engine/ir/compute.ts";
import type { Dataset, Example } from "../../shared/contracts/data.ts";
import type { TextEncoder, Vae } from "../../shared/contracts/modules.ts";
import { addSpent, type Spent } from "./model-runner.ts";
import { type PreparedExample, type PrepareOptions, prepareExample } from "./prepared-example.ts";

/** Encoded examples held in memory, pictures included: at 1024² with two references one takes about 42 MB. */
const KEPT_BYTES = 2 ** 30;

export type Split = "train" | "heldOut";

/** Examples, each encoded when it is first asked for; the least recently used are dropped beyond a number of bytes. */
export class ExampleStore {
  readonly #kept = new Map<string, PreparedExample>();
  readonly #make: (split: Split, index: number) => Promise<PreparedExample>;
  readonly #budget: number;
  readonly #now: () => number;
  /** Seconds spent on encoding. */
  readonly times: Spent = { runs: 0, seconds: 0, first: 0 };
  #bytes = 0;

  /** @param now in milliseconds, for `times`. */
  constructor(
    compute: Compute,
    modules: { readonly vae: Vae; readonly clip: TextEncoder; readonly dataset: Dataset },
    options: PrepareOptions,
    { budget = KEPT_BYTES, now = () => 0 }: { readonly budget?: number; readonly now?: () => number } = {},
  ) {
    this.#now = now;
    this.#budget = budget;
    this.#make = async (split, index) =>
      prepareExample(compute, modules.vae, modules.clip, await modules.dataset.example(split, index), options);
  }

  get bytes(): number {
    return this.#bytes;
  }

  async get(split: Split, index: number): Promise<PreparedExample> {
    const key = `${split}:${index}`;
    const known = this.#kept.get(key);
    const started = this.#now();
    const example = known ?? (await this.#make(split, index));
    if (!known) addSpent(this.times, (this.#now() - started) / 1000);
    this.#kept.delete(key);
    this.#kept.set(key, example);
    if (!known) this.#bytes += bytesOf(example);
    for (const [oldest, dropped] of this.#kept) {
      if (this.#bytes <= this.#budget || oldest === key) break;
      this.#kept.delete(oldest);
      this.#bytes -= bytesOf(dropped);
    }
    return example;
  }
}

function bytesOf({ example, x0, references, text, negative }: PreparedExample): number {
  return [x0, references?.data, text.data, negative?.data, ...pictures(example)].reduce((n, a) => n + (a?.byteLength ?? 0), 0);
}

function pictures({ references, target }: Example): readonly Float32Array[] {
  return [target, ...references].map((image) => image.data);
}
