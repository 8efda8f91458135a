// Looks at a run's numbers while it goes, and says what a trainer would want to be told, once each.
import { AppError } from "../../../engine/base/errors.ts";

export interface WatchOptions {
  /** `stop` ends the run at the first finding. */
  readonly onTrouble: "warn" | "stop";
  readonly warn: (message: string) => void;
}

/** Updates in a row before something that did not happen is believed. */
const IN_A_ROW = 5;
/** Updates at either end of the run so far that are compared. */
const WINDOW = 10;
/** Times its start that a loss may reach. */
const LOSS_RISE = 3;

type Row = Readonly<Record<string, number>>;

export class TrainingWatch {
  readonly #options: WatchOptions;
  readonly #told = new Set<string>();
  readonly #rows: Row[] = [];

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** @throws AppError TRAIN_WATCH where the run is to stop */
  tell(key: string, message: string): void {
    if (this.#told.has(key)) return;
    this.#told.add(key);
    if (this.#options.onTrouble === "stop")
      throw new AppError("TRAIN_WATCH", message, { hint: "change the setting, or set on_trouble to warn to go on all the same" });
    this.#options.warn(message);
  }

  /** @param row the update's metrics: means over its examples. @throws AppError TRAIN_WATCH */
  update(row: Row): void {
    this.#rows.push(row);
    const recent = this.#rows.slice(-IN_A_ROW);
    if (recent.length === IN_A_ROW) {
      if (recent.every((r) => r.grad_norm === 0))
        this.tell(
          "gradient",
          `the gradient has been exactly 0 for ${IN_A_ROW} updates: nothing is learned. A cap, hinge or gate may always be closed, a weight 0, or every picture skipped: look at the reward's parts in metrics.jsonl`,
        );
      for (const name of Object.keys(row).filter((n) => n === "reward_skipped" || n.endsWith(".skipped")))
        if (recent.every((r) => r[name] === 1)) this.tell(name, skippedMessage(name, row));
    }
    if (this.#rows.length >= 2 * WINDOW && this.#rows.length % WINDOW === 0) this.#compare();
  }

  /** The first updates against the last. */
  #compare(): void {
    const [first, last] = [this.#rows.slice(0, WINDOW), this.#rows.slice(-WINDOW)];
    const names = new Set(last.flatMap((row) => Object.keys(row)));
    const falling: string[] = [];
    const rising: string[] = [];
    for (const name of names) {
      const [before, after] = [statistics(first, name), statistics(last, name)];
      if (!before || !after) continue;
      if (name.startsWith("loss") && before.mean > 0 && !(after.mean <= LOSS_RISE * before.mean))
        this.tell(
          name,
          `${name} is ${(after.mean / before.mean).toFixed(1)} times what it was at the start (${before.mean.toPrecision(3)} → ${after.mean.toPrecision(3)}): the model is coming apart; lower learning_rate, or raise lambda or anchor_beta`,
        );
      // Rewards added by weight stand one level below `reward`.
      if (!/^reward\.[^.]+$/.test(name) || /skipped$|faces_(found|asked)$/.test(name)) continue;
      const change = after.mean - before.mean;
      const noise = Math.sqrt(before.error ** 2 + after.error ** 2);
      if (change < -2 * noise && change < 0) falling.push(`${name} ${before.mean.toPrecision(3)} → ${after.mean.toPrecision(3)}`);
      if (change > 2 * noise && change > 0) rising.push(`${name} ${before.mean.toPrecision(3)} → ${after.mean.toPrecision(3)}`);
    }
    if (falling.length > 0 && rising.length > 0)
      this.tell(
        "traded",
        `one reward is paid for with another: ${falling.join(", ")} falls while ${rising.join(", ")} rises; give the falling one more weight, or make it a constraint`,
      );
  }
}

function skippedMessage(name: string, row: Row): string {
  const part = name === "reward_skipped" ? "the reward" : name.slice("reward.".length, -".skipped".length);
  const prefix = name === "reward_skipped" ? "reward." : name.slice(0, -"skipped".length);
  const none = row[`${prefix}faces_found`] === 0;
  return (
    `${part} had nothing to say about any picture of ${IN_A_ROW} updates${none ? ": no face was found in any of them" : ""}. ` +
    "Train at later steps (window_end, sigma_max), at a larger size, or on a reward that needs no detection (IdentityLoss)"
  );
}

/** Mean and its standard error; undefined where the number is missing or not finite. */
function statistics(rows: readonly Row[], name: string): { readonly mean: number; readonly error: number } | undefined {
  const values = rows.flatMap((row) => row[name] ?? []);
  if (values.length < WINDOW / 2 || !values.every(Number.isFinite)) return undefined;
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / Math.max(1, values.length - 1);
  return { mean, error: Math.sqrt(variance / values.length) };
}
