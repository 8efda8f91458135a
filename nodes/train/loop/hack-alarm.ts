// A reward that rises while a scorer it was not trained on falls is being fooled.

/** One evaluation of the samples, which are drawn from the same noise each time. */
export interface SampleHistory {
  readonly step: number;
  /** Numbers of each sample: `reward` or `reward.objective`, and `watched`. */
  readonly rows: readonly Readonly<Record<string, number>>[];
}

/** What to do about it. */
export const HACKED_HINT =
  "take the LoRA from before (checkpoints/), train the scorer with these samples as negatives, give it less weight, or stop earlier";

/** Evaluations in a row that must say the same. */
const IN_A_ROW = 2;
/** Standard errors beyond which a change is believed. */
const ERRORS = 2;

/**
 * What to tell a person, when in each of the last {@link IN_A_ROW} evaluations the reward is above and the watched one below update 0, both by more than
 * {@link ERRORS} standard errors of the paired differences; undefined otherwise. With fewer than three samples there is no error to speak
 * of: then three evaluations in a row must rise and fall without exception.
 */
export function hackAlarm(history: readonly SampleHistory[]): string | undefined {
  const [first, ...later] = history;
  const recent = later.slice(-IN_A_ROW);
  if (!first || recent.length < IN_A_ROW) return undefined;
  const seen = recent.map((h) => ({ reward: change(first, h, rewardOf), watched: change(first, h, watchedOf) }));
  const last = seen.at(-1);
  if (!last?.reward || !last.watched) return undefined;
  const isFew = last.reward.count < 3 || last.watched.count < 3;
  const holds = isFew
    ? later.length >= 3 && isMonotone(history.slice(-4), rewardOf, 1) && isMonotone(history.slice(-4), watchedOf, -1)
    : seen.every(
        ({ reward, watched }) => reward && watched && reward.mean > ERRORS * reward.error && watched.mean < -ERRORS * watched.error,
      );
  if (!holds) return undefined;
  const span = (c: Change) => `${c.before.toPrecision(3)} → ${c.after.toPrecision(3)}`;
  return (
    `the reward is being fooled: it rises (${span(last.reward)}) while the watched reward, which is not trained on, falls (${span(last.watched)}) on the same ${last.reward.count} samples, ` +
    `between update ${first.step} and ${recent.at(-1)?.step}`
  );
}

interface Change {
  readonly before: number;
  readonly after: number;
  readonly mean: number;
  /** Standard error of the mean of the paired differences; NaN of one. */
  readonly error: number;
  readonly count: number;
}

type Row = Readonly<Record<string, number>>;
const rewardOf = (row: Row): number | undefined => row["reward.objective"] ?? row.reward;
const watchedOf = (row: Row): number | undefined => row.watched;

/** Over the samples that have the number both times. */
function change(first: SampleHistory, now: SampleHistory, of: (row: Row) => number | undefined): Change | undefined {
  const pairs = first.rows.flatMap((row, k) => {
    const [a, c] = [of(row), of(now.rows[k] ?? {})];
    return a === undefined || c === undefined ? [] : [{ a, c }];
  });
  const count = pairs.length;
  if (count === 0) return undefined;
  const mean = pairs.reduce((s, { a, c }) => s + c - a, 0) / count;
  const variance = pairs.reduce((s, { a, c }) => s + (c - a - mean) ** 2, 0) / (count - 1);
  return {
    before: pairs.reduce((s, { a }) => s + a, 0) / count,
    after: pairs.reduce((s, { c }) => s + c, 0) / count,
    mean,
    error: Math.sqrt(variance / count),
    count,
  };
}

function isMonotone(history: readonly SampleHistory[], of: (row: Row) => number | undefined, sign: 1 | -1): boolean {
  return history.every((now, i) => {
    const before = history[i - 1];
    const c = before && change(before, now, of);
    return i === 0 || (c !== undefined && sign * c.mean > 0);
  });
}
