// How long a run will take and how much memory, from one measured update; at its end, how wrong that was.
import type { NodeContext, RunDirectory } from "../../../engine/node/context.ts";
import type { TrainState } from "../loop/checkpoint.ts";
import type { UpdateCost } from "../loop/train-loop.ts";
import type { ModelRunner, Spent, Times } from "../model/model-runner.ts";
import type { Evaluations } from "./cost-model.ts";

export interface EstimateOptions {
  readonly steps: number;
  readonly accumulate: number;
  readonly perExample: Evaluations;
  readonly perSample: Evaluations;
  /** Pictures per sampling, and updates between samplings; 0 = only at the end. */
  readonly samples: number;
  readonly sampleEvery: number;
  readonly stateBytes: number;
  /** Examples to train on: each is encoded when it is first drawn. */
  readonly train: number;
}

/** The update that is measured: the first one also compiles and allocates. */
const MEASURED = 2;

export const ESTIMATE = "estimate.json";

interface Prediction {
  /** The update after which it was made. */
  readonly step: number;
  readonly at: number;
  readonly seconds: number;
  readonly memoryBytes: number;
  readonly perUpdate: { readonly seconds: number; readonly evaluations: number; readonly other: number };
}

/** Writes `estimate.json`: the prediction after the second update, and at the end how good it was. */
export class RunEstimate {
  readonly #ctx: NodeContext;
  readonly #dir: RunDirectory;
  readonly #runner: Pick<ModelRunner, "times" | "predictedBytes">;
  readonly #options: EstimateOptions;
  readonly #encoding: Spent;
  readonly #baseline: number;
  #peak = 0;
  #before = 0;
  #prediction: Prediction | undefined;

  /** @param encoding time spent encoding examples, kept up to date by its owner. */
  constructor(
    ctx: NodeContext,
    dir: RunDirectory,
    runner: Pick<ModelRunner, "times" | "predictedBytes">,
    encoding: Spent,
    options: EstimateOptions,
  ) {
    this.#ctx = ctx;
    this.#dir = dir;
    this.#runner = runner;
    this.#options = options;
    this.#encoding = encoding;
    this.#baseline = ctx.memory();
  }

  async update(step: number, cost: UpdateCost): Promise<void> {
    this.#peak = Math.max(this.#peak, this.#ctx.memory());
    const spent = total(this.#runner.times) + this.#encoding.seconds;
    if (cost.made === MEASURED && step < this.#options.steps) {
      const { seconds, perUpdate } = predict(
        this.#runner.times,
        this.#encoding,
        this.#options,
        step,
        Math.max(0, cost.seconds - (spent - this.#before)),
      );
      const memoryBytes = Math.max(this.#peak, this.#baseline + this.#runner.predictedBytes + this.#options.stateBytes);
      this.#prediction = { step, at: this.#ctx.now(), seconds, memoryBytes, perUpdate };
      await this.#write({});
    }
    this.#before = spent;
    if (step === this.#options.steps && this.#prediction) await this.#judge(this.#prediction);
  }

  async #judge(prediction: Prediction): Promise<void> {
    const seconds = (this.#ctx.now() - prediction.at) / 1000;
    const error = (predicted: number, measured: number) => Math.round(1000 * (predicted / measured - 1)) / 10;
    const errors = { seconds: error(prediction.seconds, seconds), memory: error(prediction.memoryBytes, this.#peak) };
    await this.#write({ measured: { seconds, memoryBytes: this.#peak }, errorPercent: errors });
    this.#ctx.score("estimate error, %", errors);
    const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(2)} GiB`;
    this.#ctx.log(
      "info",
      `estimated after update ${prediction.step}: ${prediction.seconds.toFixed(1)} s and ${gib(prediction.memoryBytes)}; ` +
        `it took ${seconds.toFixed(1)} s and ${gib(this.#peak)}`,
    );
  }

  async #write(more: Readonly<Record<string, unknown>>): Promise<void> {
    if (!this.#prediction) return;
    const { at: _at, ...predicted } = this.#prediction;
    await this.#dir.write(ESTIMATE, new TextEncoder().encode(`${JSON.stringify({ predicted, ...more }, null, 2)}\n`));
  }
}

/** Seconds for the updates and samplings after `step`. @param other seconds of an update beside model and reward */
export function predict(
  times: Times,
  encoding: Spent,
  o: Omit<EstimateOptions, "stateBytes">,
  step: number,
  other: number,
): { readonly seconds: number; readonly perUpdate: Prediction["perUpdate"] } {
  const of = ({ forward, backward, reward }: Evaluations): number =>
    forward * usual(times.forward) + backward * usual(times.backward) + reward * (usual(times.decode) + usual(times.reward));
  const evaluations = o.accumulate * of(o.perExample);
  const samplings = 1 + (o.sampleEvery > 0 ? Math.floor((o.steps - 1) / o.sampleEvery) - Math.floor(step / o.sampleEvery) : 0);
  const perSampling = o.samples * (of(o.perSample) + usual(times.decode));
  const seconds = evaluations + other;
  const toEncode = Math.max(0, Math.min(o.train, o.steps * o.accumulate) - encoding.runs) + o.samples;
  return {
    seconds: (o.steps - step) * seconds + samplings * perSampling + toEncode * usual(encoding),
    perUpdate: { seconds, evaluations, other },
  };
}

/** Mean without the first run, which allocates. */
function usual({ runs, seconds, first }: Spent): number {
  return runs > 1 ? (seconds - first) / (runs - 1) : first;
}

function total({ compileSeconds, forward, backward, decode, reward }: Times): number {
  return compileSeconds + forward.seconds + backward.seconds + decode.seconds + reward.seconds;
}

/** Parameters, moments, average and one set of gradients. */
export function stateBytes({ params, ema }: Pick<TrainState, "params" | "ema">): number {
  return [...params.values()].reduce((n, p) => n + p.byteLength, 0) * (ema ? 5 : 4);
}
