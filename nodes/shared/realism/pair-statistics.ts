// How well scores order pairs, with intervals.

/** A share with its 95 % interval. */
export interface Share {
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly count: number;
}

/** Wilson's interval (1927) for `hits` of `count`; a tie is half a hit. 0 of 0 is 0 … 1. */
export function wilson(hits: number, count: number): Share {
  if (count === 0) return { value: Number.NaN, low: 0, high: 1, count };
  const z = 1.96;
  const p = hits / count;
  const middle = (p + (z * z) / (2 * count)) / (1 + (z * z) / count);
  const half = (z / (1 + (z * z) / count)) * Math.sqrt((p * (1 - p)) / count + (z * z) / (4 * count * count));
  return { value: p, low: Math.max(0, middle - half), high: Math.min(1, middle + half), count };
}

/** Share of pairs whose better one has the higher score. */
export function pairAccuracy(pairs: readonly { readonly win: number; readonly lose: number }[]): Share {
  return wilson(
    pairs.reduce((n, { win, lose }) => n + (win > lose ? 1 : win === lose ? 0.5 : 0), 0),
    pairs.length,
  );
}

/**
 * Area under the ROC curve: the probability that a positive scores above a negative (ties count half), with Hanley and McNeil's interval
 * (Radiology 143, 1982).
 */
export function auc(positives: readonly number[], negatives: readonly number[]): Share {
  const [m, n] = [positives.length, negatives.length];
  if (m === 0 || n === 0) return { value: Number.NaN, low: 0, high: 1, count: m + n };
  let above = 0;
  for (const p of positives) for (const q of negatives) above += p > q ? 1 : p === q ? 0.5 : 0;
  const a = above / (m * n);
  const [q1, q2] = [a / (2 - a), (2 * a * a) / (1 + a)];
  const error = Math.sqrt((a * (1 - a) + (m - 1) * (q1 - a * a) + (n - 1) * (q2 - a * a)) / (m * n));
  return { value: a, low: Math.max(0, a - 1.96 * error), high: Math.min(1, a + 1.96 * error), count: m + n };
}

/**
 * The T that makes σ(margin/T) fit best, by golden section on ln T in −4 … 4: least mean cross-entropy against p = (n + 1)/(n + 2) instead of 1 (Platt 1999),
 * because few margins that are all right would otherwise ask for a certainty that nobody has.
 */
export function temperatureOf(margins: readonly number[]): number {
  if (margins.length === 0) return 1;
  const p = (margins.length + 1) / (margins.length + 2);
  const loss = (logT: number) =>
    margins.reduce((s, x) => s + p * softplus(-x / Math.exp(logT)) + (1 - p) * softplus(x / Math.exp(logT)), 0);
  const golden = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [-4, 4];
  for (let i = 0; i < 60; i++) {
    const [a, b] = [high - golden * (high - low), low + golden * (high - low)];
    if (loss(a) < loss(b)) high = b;
    else low = a;
  }
  return Math.exp((low + high) / 2);
}

function softplus(x: number): number {
  return Math.max(0, x) + Math.log1p(Math.exp(-Math.abs(x)));
}
