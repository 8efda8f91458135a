// Curves, from what the server sends to what is drawn. No DOM.
import type { Curves } from "../../../engine/api/training.ts";

export type Curve = Curves["curves"][number];
type Values = readonly (number | null)[];

/**
 * An exponential mean without a pull to zero at its start (as TensorBoard has it), over the curve's length instead of its points:
 * the same setting looks the same for 100 updates and for 10,000. Gaps stay gaps.
 * @param weight 0 = as it is, towards 1 = flatter
 */
export function smooth(x: readonly number[], y: Values, weight: number): (number | null)[] {
  const length = (x.at(-1) ?? 0) - (x[0] ?? 0);
  if (weight <= 0 || length <= 0) return [...y];
  let [last, sum] = [0, 0];
  let before = x[0] ?? 0;
  return y.map((value, i) => {
    if (value === null) return null;
    const at = x[i] ?? before;
    const w = weight ** ((100 * Math.max(at - before, sum === 0 ? length / 100 : 0)) / length);
    before = at;
    last = last * w + (1 - w) * value;
    sum = sum * w + (1 - w);
    return last / sum;
  });
}

/** Every x that any curve has, ascending, and each curve's values there; null where it has none. */
export function align(curves: readonly { readonly x: readonly number[]; readonly y: Values }[]): {
  readonly x: number[];
  readonly ys: (number | null)[][];
} {
  const x = [...new Set(curves.flatMap((c) => c.x))].sort((a, b) => a - b);
  const at = new Map(x.map((v, i) => [v, i]));
  const ys = curves.map((c) => {
    const y = new Array<number | null>(x.length).fill(null);
    c.x.forEach((v, i) => {
      y[at.get(v) ?? 0] = c.y[i] ?? null;
    });
    return y;
  });
  return { x, ys };
}

/**
 * Thins aligned curves to two rows for each of `buckets` stretches, in which every curve has its least and its greatest value in the
 * order they came: what is drawn at that width looks the same. Curves with few points keep them all.
 */
export function decimate(
  x: readonly number[],
  ys: readonly Values[],
  buckets: number,
): { readonly x: number[]; readonly ys: (number | null)[][] } {
  if (x.length <= 2 * buckets) return { x: [...x], ys: ys.map((y) => [...y]) };
  const outX: number[] = [];
  const outYs: (number | null)[][] = ys.map(() => []);
  for (let k = 0; k < buckets; k++) {
    const [from, to] = [Math.floor((k * x.length) / buckets), Math.floor(((k + 1) * x.length) / buckets)];
    outX.push(x[from] ?? 0, x[to - 1] ?? 0);
    ys.forEach((y, s) => {
      let [low, high] = [-1, -1];
      for (let i = from; i < to; i++) {
        const v = y[i];
        if (v === null || v === undefined) continue;
        if (low < 0 || v < (y[low] ?? 0)) low = i;
        if (high < 0 || v > (y[high] ?? 0)) high = i;
      }
      // A lone point is one point; a stretch of one row has only one place.
      const pair =
        low === high ? [y[low] ?? null, null] : low < high ? [y[low] ?? null, y[high] ?? null] : [y[high] ?? null, y[low] ?? null];
      outYs[s]?.push(...(to - from === 1 ? [pair[0] ?? null, pair[0] ?? null] : pair));
    });
  }
  // Two rows at one place would be a fault for whoever draws them.
  const kept = outX.flatMap((v, i) => (i === 0 || v > (outX[i - 1] ?? Number.NEGATIVE_INFINITY) ? [i] : []));
  return { x: kept.map((i) => outX[i] ?? 0), ys: outYs.map((y) => kept.map((i) => y[i] ?? null)) };
}

/**
 * The range to show: what a few outliers would stretch is cut off, as far as the bulk (5 to 95 %) is from its edge.
 * @returns undefined when there is nothing to show
 */
export function robustRange(
  values: Iterable<number | null>,
): { readonly min: number; readonly max: number; readonly outside: number } | undefined {
  const finite = Float64Array.from([...values].filter((v) => v !== null && Number.isFinite(v)) as number[]).sort();
  if (finite.length === 0) return undefined;
  const at = (q: number): number => finite[Math.round(q * (finite.length - 1))] ?? 0;
  const [least, low, high, greatest] = [at(0), at(0.05), at(0.95), at(1)];
  const spread = high - low;
  const min = Math.max(least, low - spread);
  const max = Math.min(greatest, high + spread);
  let outside = 0;
  for (const v of finite) if (v < min || v > max) outside++;
  // A flat line stands in the middle.
  const pad = max > min ? 0.06 * (max - min) : Math.abs(max) * 0.1 || 1;
  return { min: min - pad, max: max + pad, outside };
}

/** What lies beyond the robust range stands at its edge: one spike would stay in a mean for long. */
export function withoutOutliers(y: Values): (number | null)[] {
  const range = robustRange(y);
  return y.map((v) => (v === null || !range ? v : Math.min(range.max, Math.max(range.min, v))));
}

/** The range that holds the robust range of each curve: a short one counts as much as a long one. */
export function commonRange(curves: readonly Values[]): ReturnType<typeof robustRange> {
  const ranges = curves.flatMap((y) => robustRange(y) ?? []);
  if (ranges.length === 0) return undefined;
  return {
    min: Math.min(...ranges.map((r) => r.min)),
    max: Math.max(...ranges.map((r) => r.max)),
    outside: ranges.reduce((n, r) => n + r.outside, 0),
  };
}

export type GroupId = "reward" | "loss" | "schedule";
export interface ChartGroup {
  readonly id: GroupId;
  readonly title: string;
  /** Two scales: what is measured differently does not share one. */
  readonly left: readonly Curve[];
  readonly right: readonly Curve[];
  readonly leftTitle: string;
  readonly rightTitle: string;
}

/** The three charts. Curves that are the same number throughout and mean a count (skipped updates) are left to the alarms. */
export function chartGroups(curves: readonly Curve[]): readonly ChartGroup[] {
  const of = (...groups: Curve["group"][]): Curve[] => curves.filter((c) => groups.includes(c.group) && c.x.length > 0);
  return [
    { id: "reward", title: "Rewards", left: of("reward"), right: [], leftTitle: "reward", rightTitle: "" },
    {
      id: "loss",
      title: "Losses and gradient norms",
      left: of("loss"),
      right: of("gradient"),
      leftTitle: "loss",
      rightTitle: "gradient",
    },
    {
      id: "schedule",
      title: "Learning rate and σ",
      left: of("schedule").filter((c) => c.name === "lr"),
      right: of("schedule").filter((c) => c.name !== "lr"),
      leftTitle: "learning rate",
      rightTitle: "σ and weights",
    },
  ];
}

/** `held_out.reward.mimr` → `reward.mimr`: what it shares its colour with. */
export function baseName(name: string): string {
  return name.replace(/^held_out\./, "");
}

const MAIN = new Set(["reward", "loss", "grad_norm", "lr"]);

/** Of the curves of one chart, the one that says most. */
export function mainCurve(names: readonly string[]): string | undefined {
  return [...MAIN].find((name) => names.includes(name)) ?? names[0];
}

/** Of many curves, the ones to begin with: the sums, not the parts. */
export function shownAtFirst(curves: readonly Curve[]): ReadonlySet<string> {
  const main = curves.filter((c) => MAIN.has(baseName(c.name)));
  return new Set((curves.length <= 6 || main.length === 0 ? curves.slice(0, 6) : main).map((c) => c.name));
}

/** New points of a poll behind those that are there. */
export function appendCurves(before: Curves, more: Curves): Curves {
  const old = new Map(before.curves.map((c) => [c.name, c]));
  const curves = more.curves.map((c) => {
    const o = old.get(c.name);
    old.delete(c.name);
    if (!o || o.x.length === 0) return c;
    // A run that was resumed makes its last updates again.
    const first = c.x[0];
    const keep = first === undefined ? o.x.length : o.x.findLastIndex((x) => x < first) + 1;
    return { ...c, x: [...o.x.slice(0, keep), ...c.x], y: [...o.y.slice(0, keep), ...c.y] };
  });
  return { ...more, curves: [...curves, ...old.values()] };
}
