// The low-level statistics of a face, by name. Browser safe: declarations list them.

/** On which side of its band a statistic costs something. */
export type Side = "both" | "low" | "high";

export interface StatisticAbout {
  readonly side: Side;
  /** For reports and tooltips. */
  readonly label: string;
}

/**
 * What each of them measures stands at its formula (`build-statistics.ts`). Guards have one side: `laplacian_*` see blur alone, and more than in
 * a photograph is no fault that they could tell from noise.
 */
export const STATISTICS = {
  psd_slope: { side: "both", label: "spectrum slope" },
  nyquist: { side: "both", label: "power near Nyquist" },
  flat_gradient: { side: "both", label: "flat gradients" },
  gradient_kurtosis: { side: "both", label: "gradient kurtosis" },
  gradient_distribution: { side: "high", label: "gradient distribution" },
  local_sd_flat: { side: "both", label: "flat patches" },
  local_sd: { side: "both", label: "local contrast" },
  lbp_transitions: { side: "both", label: "binary pattern transitions" },
  noise_correlation: { side: "low", label: "noise correlation of colours" },
  laplacian_0: { side: "low", label: "Laplacian, scale 0" },
  laplacian_1: { side: "low", label: "Laplacian, scale 1.5" },
  laplacian_2: { side: "low", label: "Laplacian, scale 3" },
  highlights: { side: "high", label: "highlights" },
} as const satisfies Readonly<Record<string, StatisticAbout>>;

export type Statistic = keyof typeof STATISTICS;

export const STATISTIC_NAMES: readonly Statistic[] = [
  "psd_slope",
  "nyquist",
  "flat_gradient",
  "gradient_kurtosis",
  "gradient_distribution",
  "local_sd_flat",
  "local_sd",
  "lbp_transitions",
  "noise_correlation",
  "laplacian_0",
  "laplacian_1",
  "laplacian_2",
  "highlights",
];

export function isStatistic(name: string): name is Statistic {
  return Object.hasOwn(STATISTICS, name);
}

/** `a, b:2` → statistics with their weights (1 where none is written). Undefined when a name or a number is wrong. */
export function parseStatistics(text: string): ReadonlyMap<Statistic, number> | undefined {
  const out = new Map<Statistic, number>();
  for (const piece of text.split(",")) {
    const [name = "", number = "1", ...rest] = piece.split(":").map((s) => s.trim());
    const weight = number === "" ? Number.NaN : Number(number);
    if (!isStatistic(name) || rest.length > 0 || !Number.isFinite(weight) || weight < 0 || out.has(name)) return undefined;
    out.set(name, weight);
  }
  return out;
}
