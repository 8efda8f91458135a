// What the statistics are in real pictures: their middle and spread at each window side.
import { z } from "zod";
import { AppError } from "../../../engine/base/errors.ts";
import { GRADIENT_LEVELS } from "./build-statistics.ts";
import { type Side, STATISTIC_NAMES, STATISTICS, type Statistic } from "./names.ts";

/** Steps of the quantiles kept for every statistic: 0, 5 … 100 %. */
const QUANTILES = 21;
/** Fewer faces than this make no spread. */
export const MIN_FACES = 8;
/** Largest file read. */
const MAX_BYTES = 4 * 2 ** 20;

const Measured = z.strictObject({
  /** µ: the median. */
  mu: z.number(),
  /** s: the larger of half the distance of the quantiles at 15.9 and 84.1 % and that of 5 and 95 % over 3.29: both are the standard deviation of a normal distribution, the second sees long tails. */
  s: z.number().positive(),
  /** At 0, 5 … 100 %. */
  quantiles: z.array(z.number()).length(QUANTILES),
});
const Row = z.strictObject({
  side: z.number().int().min(8).max(4096),
  faces: z.number().int().min(1),
  gradient_cdf: z.array(z.number().min(0).max(1)).length(GRADIENT_LEVELS.length),
  statistics: z.record(z.enum(STATISTIC_NAMES), Measured),
});
const File = z.strictObject({
  format: z.literal("realism-bands-1"),
  /** What was measured, in words for people. */
  about: z.string().max(20_000),
  sources: z.array(z.strictObject({ name: z.string(), licence: z.string(), pictures: z.number().int().min(0) })),
  sizes: z.array(Row).min(1),
});

export type MeasuredStatistic = z.infer<typeof Measured>;
export type BandRow = z.infer<typeof Row>;
export type BandFile = z.infer<typeof File>;

/** Reference statistics as a socket carries them. */
export interface RealismBands extends BandFile {
  readonly id: string;
}

/** @throws AppError REALISM_BANDS with every problem */
export function parseBands(bytes: Uint8Array, name: string): BandFile {
  const refuse = (why: string): AppError =>
    new AppError("REALISM_BANDS", `${name} is no file of realism bands: ${why}`, { hint: "make one with the node MeasureRealism" });
  if (bytes.length > MAX_BYTES) throw refuse(`it has ${bytes.length} bytes; ${MAX_BYTES} are the limit`);
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw refuse(cause instanceof Error ? cause.message : String(cause));
  }
  const parsed = File.safeParse(value);
  if (parsed.success) return parsed.data;
  throw refuse(
    parsed.error.issues
      .slice(0, 5)
      .map((issue) => `${issue.path.join(".")}: ${issue.message}`)
      .join("; "),
  );
}

/** The row of the nearest side, by ratio. */
export function bandRow({ sizes }: Pick<BandFile, "sizes">, side: number): BandRow {
  const distance = (row: BandRow) => Math.abs(Math.log(row.side / side));
  return sizes.reduce((best, row) => (distance(row) < distance(best) ? row : best));
}

/** (q − µ)/s on the side where the statistic costs something, else 0: beyond 1 it is out of its band. */
export function deviation(side: Side, z: number): number {
  return side === "low" ? Math.max(0, -z) : side === "high" ? Math.max(0, z) : Math.abs(z);
}

/** Share of the real faces that lie at least as far out as q, on the sides where the statistic costs something. */
export function realShareBeyond(name: Statistic, { mu, quantiles }: MeasuredStatistic, q: number): number {
  const below = (x: number): number => {
    const at = quantiles.findIndex((v) => v >= x);
    if (at === 0) return 0;
    if (at < 0) return 1;
    const [from = 0, to = 0] = [quantiles[at - 1], quantiles[at]];
    return (at - 1 + (to > from ? (x - from) / (to - from) : 0)) / (QUANTILES - 1);
  };
  const { side } = STATISTICS[name];
  if (side === "low") return below(q);
  if (side === "high") return 1 - below(q);
  const out = Math.abs(q - mu);
  return below(mu - out) + (1 - below(mu + out));
}

/** One face, measured. */
export interface MeasuredFace {
  readonly side: number;
  readonly values: ReadonlyMap<Statistic, number>;
  readonly gradientCdf: readonly number[];
}

/** The mean distribution of these faces' gradients. */
export function meanCdf(faces: readonly Pick<MeasuredFace, "gradientCdf">[]): number[] {
  return GRADIENT_LEVELS.map((_, k) => faces.reduce((s, f) => s + (f.gradientCdf[k] ?? 0), 0) / Math.max(1, faces.length));
}

/**
 * Rows for every side with at least {@link MIN_FACES} faces. `gradient_distribution` is each face's distance to the mean of its side,
 * whatever it was measured against. A statistic without spread gets one so small that rounding decides: such a set is no reference.
 */
export function bandRows(faces: readonly MeasuredFace[]): BandRow[] {
  const sides = [...new Set(faces.map((f) => f.side))].sort((a, c) => a - c);
  return sides.flatMap((side) => {
    const own = faces.filter((f) => f.side === side);
    if (own.length < MIN_FACES) return [];
    const cdf = meanCdf(own);
    const read = (f: MeasuredFace, name: Statistic) =>
      name === "gradient_distribution"
        ? f.gradientCdf.reduce((s, c, k) => s + Math.abs(c - (cdf[k] ?? 0)), 0) / cdf.length
        : (f.values.get(name) ?? Number.NaN);
    const measured = Object.fromEntries(
      STATISTIC_NAMES.map((name) => {
        const sorted = own.map((f) => read(f, name)).sort((a, c) => a - c);
        const at = (share: number): number => {
          const place = share * (sorted.length - 1);
          const low = sorted[Math.floor(place)] ?? 0;
          return low + (place % 1) * ((sorted[Math.ceil(place)] ?? 0) - low);
        };
        const round = (x: number) => Number(x.toPrecision(6));
        const quantiles = Array.from({ length: QUANTILES }, (_, k) => round(at(k / (QUANTILES - 1))));
        return [
          name,
          { mu: round(at(0.5)), s: Math.max(1e-4, round(Math.max((at(0.841) - at(0.159)) / 2, (at(0.95) - at(0.05)) / 3.29))), quantiles },
        ];
      }),
    );
    return [Row.parse({ side, faces: own.length, gradient_cdf: cdf.map((c) => Number(c.toPrecision(6))), statistics: measured })];
  });
}
