// Looks at a run's numbers while it goes, and says what a trainer would want to be told, once each: the only rules there are for that.
import { AppError } from "../../../engine/base/errors.ts";
import type { TrainingAlarm } from "../../../engine/graph/events.ts";
import { HACKED_HINT, hackAlarm, type SampleHistory } from "./hack-alarm.ts";

export interface WatchOptions {
  /** `stop` ends the run at the first finding. */
  readonly onTrouble: "warn" | "stop";
  readonly warn: (message: string, alarm?: TrainingAlarm) => void;
}

/** A finding, with what to do about it. */
export interface Finding extends TrainingAlarm {
  readonly message: string;
}

/** Updates in a row without something before it is taken as missing. */
const IN_A_ROW = 5;
/** Updates at either end of the run so far that are compared. */
const WINDOW = 10;
/** How many times its first value a loss may reach. */
const LOSS_RISE = 3;
/** Measurements on held-out examples in a row that are worse than the best by more than {@link FALL} of what was gained. */
const WORSE_IN_A_ROW = 3;
const FALL = 0.2;
const NOT_FINITE = "not finite";

/** An update's metrics; what was not finite is null in a line that is read back. */
type Row = Readonly<Record<string, number | null>>;

export class TrainingWatch {
  readonly #options: WatchOptions;
  readonly #told = new Set<string>();
  /** Steps in a row that the reward's scorer should have made, and did not. */
  #notRefreshed = 0;
  readonly #rows: { readonly step: number; readonly row: Row }[] = [];

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** @param key findings of one key are told once @throws AppError TRAIN_WATCH where the run is to stop */
  tell(key: string, { message, ...alarm }: Finding): void {
    if (this.#told.has(key)) return;
    this.#told.add(key);
    if (this.#options.onTrouble === "stop")
      throw new AppError("TRAIN_WATCH", message, {
        hint: [alarm.hint, "or set on_trouble to warn to continue anyway"].filter((part) => part !== "").join(", "),
      });
    this.#options.warn(message, alarm);
  }

  /** Every time, but only the first is an alarm. The loop itself ends a run in which it happens again and again. */
  leftOut(step: number, why: string): void {
    const message = `update ${step} was left out: ${why}`;
    const hint = "lower learning_rate, set max_grad_norm, or check the model's weights";
    this.#options.warn(message, this.#told.has(NOT_FINITE) ? undefined : { code: "TRAIN_NOT_FINITE", update: step, hint });
    this.#told.add(NOT_FINITE);
  }

  /**
   * @param step the update's number, from 1
   * @param row the update's metrics: means over its examples. @throws AppError TRAIN_WATCH
   */
  update(step: number, row: Row): void {
    this.#rows.push({ step, row });
    if (row.skipped_update === 1 && !this.#told.has(NOT_FINITE)) this.leftOut(step, "numbers that are not finite");
    // Of an update that was left out it has been said.
    if (row.skipped_update !== 1)
      for (const [name, value] of Object.entries(row))
        if (typeof value !== "number" || !Number.isFinite(value))
          this.tell(`${name} not finite`, {
            code: "TRAIN_NOT_FINITE",
            update: step,
            message: `${name} is ${value === null ? "not a finite number" : value} in update ${step}: what it measures is lost, the update itself was made`,
            hint: "look at the reward that measures it, and at its networks' weights",
          });
    const refresh = row["refresh.left_out"];
    if (refresh !== undefined) this.#notRefreshed = refresh === 1 ? this.#notRefreshed + 1 : 0;
    if (this.#notRefreshed === IN_A_ROW)
      this.tell("refresh", {
        code: "TRAIN_NOT_REFRESHED",
        update: step,
        message: `the reward's scorer has not learned in its last ${IN_A_ROW} steps, up to update ${step}: it stays as it is`,
        hint: "it needs pictures as large as the true ones, faces as large as its window, and finite numbers: look at the samples, or set refresh_every to 0",
      });
    const recent = this.#rows.slice(-IN_A_ROW);
    const since = recent[0]?.step ?? step;
    if (recent.length === IN_A_ROW) {
      if (recent.every(({ row: r }) => r.grad_norm === 0))
        this.tell("gradient", {
          code: "TRAIN_NOTHING_LEARNED",
          update: since,
          message: `the gradient has been exactly 0 for ${IN_A_ROW} updates: nothing is learned`,
          hint: "a cap, hinge or gate may always be closed, a weight 0, or every picture skipped: look at the reward's parts in metrics.jsonl",
        });
      if (recent.every(({ row: r }) => r.lr === 0))
        this.tell("rate", {
          code: "TRAIN_NOTHING_LEARNED",
          update: since,
          message: `the learning rate has been 0 for ${IN_A_ROW} updates: nothing is learned`,
          hint: "set learning_rate, or shorten the warm-up",
        });
      for (const name of Object.keys(row).filter((n) => n === "reward_skipped" || n.endsWith(".skipped")))
        if (recent.every(({ row: r }) => r[name] === 1)) this.tell(name, skipped(name, row, since));
    }
    if (typeof row["held_out.reward"] === "number") this.#overfit();
    if (this.#rows.length >= 2 * WINDOW && this.#rows.length % WINDOW === 0) this.#compare(step);
  }

  /**
   * Whether the reward is being fooled: see {@link hackAlarm}. @param history of the samples, from update 0 on
   * @throws AppError TRAIN_WATCH
   */
  samples(step: number, history: readonly SampleHistory[]): void {
    const message = hackAlarm(history);
    if (message !== undefined) this.tell("hacked", { code: "TRAIN_HACKED", update: step, message, hint: HACKED_HINT });
  }

  /** The first updates against the last. */
  #compare(step: number): void {
    const [first, last] = [this.#rows.slice(0, WINDOW), this.#rows.slice(-WINDOW)].map((part) => part.map(({ row }) => row));
    if (!first || !last) return;
    const names = new Set(last.flatMap((row) => Object.keys(row)));
    const falling: string[] = [];
    const rising: string[] = [];
    for (const name of names) {
      const [before, after] = [statistics(first, name), statistics(last, name)];
      if (!before || !after) continue;
      if (name.startsWith("loss") && before.mean > 0 && !(after.mean <= LOSS_RISE * before.mean))
        this.tell(name, {
          code: "TRAIN_LOSS_GREW",
          update: step,
          message: `${name} is ${(after.mean / before.mean).toFixed(1)} times what it was at the start (${before.mean.toPrecision(3)} → ${after.mean.toPrecision(3)}): the model is coming apart`,
          hint: "lower learning_rate, or raise lambda or anchor_beta",
        });
      // Rewards added by weight stand one level below `reward`.
      if (!/^reward\.[^.]+$/.test(name) || /skipped$|faces_(found|asked)$/.test(name)) continue;
      const change = after.mean - before.mean;
      const noise = Math.sqrt(before.error ** 2 + after.error ** 2);
      if (change < -2 * noise) falling.push(`${name} ${before.mean.toPrecision(3)} → ${after.mean.toPrecision(3)}`);
      if (change > 2 * noise) rising.push(`${name} ${before.mean.toPrecision(3)} → ${after.mean.toPrecision(3)}`);
    }
    if (falling.length > 0 && rising.length > 0)
      this.tell("traded", {
        code: "TRAIN_TRADED",
        update: step,
        message: `one reward is paid for with another: ${falling.join(", ")} falls while ${rising.join(", ")} rises`,
        hint: "give the falling one more weight, or make it a constraint",
      });
  }

  /** Held out fell by more than a fifth of what it had gained (or spread over), three times in a row, while training's own went on rising. */
  #overfit(): void {
    const held = this.#points("held_out.reward");
    const own = this.#points("reward");
    const least = Math.min(...held.map(([, v]) => v));
    let best = held[0];
    let worse = 0;
    for (const point of held.slice(1)) {
      if (!best || point[1] >= best[1]) {
        best = point;
        worse = 0;
        continue;
      }
      worse = point[1] < best[1] - FALL * (best[1] - least) ? worse + 1 : 0;
      const [from, to] = [best[0], point[0]];
      const before = own.flatMap(([s, v]) => (s > from - (to - from) && s <= from ? [v] : []));
      const after = own.flatMap(([s, v]) => (s > from && s <= to ? [v] : []));
      if (worse < WORSE_IN_A_ROW || before.length === 0 || after.length === 0 || mean(after) <= mean(before)) continue;
      this.tell("overfit", {
        code: "TRAIN_OVERFIT",
        update: from,
        message: "the reward still rises while the held-out reward falls: the model learns the training pictures by heart",
        hint: `the best update so far is ${from}: stop and keep it, lower learning_rate, or train on more people`,
      });
    }
  }

  #points(name: string): (readonly [number, number])[] {
    return this.#rows.flatMap(({ step, row }) => {
      const value = row[name];
      return typeof value === "number" && Number.isFinite(value) ? [[step, value] as const] : [];
    });
  }
}

function skipped(name: string, row: Row, since: number): Finding {
  const part = name === "reward_skipped" ? "the reward" : name.slice("reward.".length, -".skipped".length);
  const prefix = name === "reward_skipped" ? "reward." : name.slice(0, -"skipped".length);
  const none = row[`${prefix}faces_found`] === 0;
  return {
    code: "TRAIN_NO_FACE",
    update: since,
    message: `${part} had nothing to say about any picture of ${IN_A_ROW} updates${none ? ": no face was found in any of them" : ""}`,
    hint: "train at later steps (window_end, sigma_max), at a larger size, or on a reward that needs no detection (IdentityLoss)",
  };
}

/** Mean and its standard error; undefined where the number is missing or not finite. */
function statistics(rows: readonly Row[], name: string): { readonly mean: number; readonly error: number } | undefined {
  const values = rows.flatMap((row) => row[name] ?? []);
  if (values.length < WINDOW / 2 || !values.every(Number.isFinite)) return undefined;
  const middle = mean(values);
  const variance = values.reduce((a, b) => a + (b - middle) ** 2, 0) / Math.max(1, values.length - 1);
  return { mean: middle, error: Math.sqrt(variance / values.length) };
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
