// Statistics of a face's pixels in which real photographs differ from smooth, waxy, noisy or over-sharpened ones. All are differentiable almost
// everywhere; soft steps (sigmoids) stand for counts. Formulas: shared/spec/umo.md §4.4.
import type { Builder } from "../../../engine/ir/builder.ts";
import type { Value } from "../../../engine/ir/value.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import { box, filter, filterSeparable, gaussianTaps } from "./filters.ts";
import type { Statistic } from "./names.ts";
import { buildSpectrum } from "./spectrum.ts";

/** |difference| of neighbours at which the distribution is read: 16 steps from 0.002 to 0.1, evenly in their logarithm. */
export const GRADIENT_LEVELS: readonly number[] = Array.from({ length: 16 }, (_, k) => 0.002 * 50 ** (k / 15));
/** Eight neighbours in ring order. */
const RING = [
  [-1, -1],
  [-1, 0],
  [-1, 1],
  [0, 1],
  [1, 1],
  [1, 0],
  [1, -1],
  [0, -1],
] as const;

export interface FaceStatistics {
  readonly values: Readonly<Record<Statistic, Value>>;
  /** Soft cumulative distribution of |difference| at {@link GRADIENT_LEVELS}, [16]: what `gradient_distribution` compares. */
  readonly gradientCdf: Value;
}

/**
 * Every statistic of one face, each a scalar.
 * @param crop [1, 3, S, S] RGB in 0..1 at native pixels
 * @param mask [S, S], sums to 1 over the skin
 * @param realCdf [16]: the distribution in real pictures of this size
 */
export function buildStatistics(b: Builder, crop: Value, mask: Value, realCdf: Value): FaceStatistics {
  const [, , side = 1] = crop.shape;
  const m = b.reshape(mask, [1, 1, side, side]);
  const over = (x: Value): Value => b.sum(b.mul(x, m), [], false);
  const luma = b.sum(b.mul(crop, b.constant(f32([1, 3, 1, 1], [0.299, 0.587, 0.114]))), [1]);
  const { slope, nyquist } = buildSpectrum(b, luma);

  // Sobel, in grey levels per pixel.
  const sobel = filter(b, luma, [[-1, 0, 1, -2, 0, 2, -1, 0, 1].map((w) => w / 8), [-1, -2, -1, 0, 0, 0, 1, 2, 1].map((w) => w / 8)]);
  const gradient = b.sqrt(b.add(b.sum(b.mul(sobel, sobel), [1]), 1e-8));
  const flat_gradient = over(below(b, gradient, 0.006, 0.0015));

  // Differences to the right and downward neighbour, as one population.
  const differences = filter(b, luma, [
    [0, 0, 0, 0, -1, 1, 0, 0, 0],
    [0, 0, 0, 0, -1, 0, 0, 1, 0],
  ]);
  const half = b.mul(m, 0.5);
  const overBoth = (x: Value): Value => b.sum(b.mul(x, half), [], false);
  const deviation = b.sub(differences, overBoth(differences));
  const squared = b.mul(deviation, deviation);
  const variance = overBoth(squared);
  const fourth = overBoth(b.mul(squared, squared));
  const gradient_kurtosis = b.sub(b.log(b.add(fourth, 1e-14)), b.mul(b.log(b.add(variance, 1e-7)), 2));
  const size = b.sqrt(b.add(b.mul(differences, differences), 1e-8));
  const gradientCdf = b.concat(
    GRADIENT_LEVELS.map((level) => b.reshape(overBoth(below(b, size, level, level / 4)), [1])),
    0,
  );
  const gradient_distribution = b.mean(b.abs(b.sub(gradientCdf, realCdf)), [], false);

  // About the mean of the skin, because a variance is a difference of squares; the floor is what rounding to 8 bits leaves, and far above float32's error.
  const local = b.sub(luma, over(luma));
  const around = box(b, local, 7);
  const spread = b.sqrt(b.add(b.relu(b.sub(box(b, b.mul(local, local), 7), b.mul(around, around))), 1e-6));
  const local_sd_flat = over(below(b, spread, 0.01, 0.002));
  const local_sd = over(b.log(spread));

  const bits = b.sigmoid(
    b.div(
      filter(
        b,
        luma,
        RING.map(([dy, dx]) => Array.from({ length: 9 }, (_, i) => (i === 4 ? -1 : i === 3 * (dy + 1) + dx + 1 ? 1 : 0))),
      ),
      2 / 255,
    ),
  );
  const next = b.concat([b.slice(bits, 1, 1, 8), b.slice(bits, 1, 0, 1)], 1);
  const lbp_transitions = over(b.sum(b.abs(b.sub(bits, next)), [1]));

  const noise_correlation = buildNoiseCorrelation(b, crop, m);
  const laplacian = (smooth: Value): Value => {
    const edges = filter(b, smooth, [[0, 1, 0, 1, -4, 1, 0, 1, 0]]);
    const centred = b.sub(edges, over(edges));
    return b.log(b.add(over(b.mul(centred, centred)), 1e-8));
  };
  const highlights = over(b.sigmoid(b.div(b.sub(luma, 0.92), 0.02)));
  return {
    values: {
      psd_slope: slope,
      nyquist,
      flat_gradient,
      gradient_kurtosis,
      gradient_distribution,
      local_sd_flat,
      local_sd,
      lbp_transitions,
      noise_correlation,
      laplacian_0: laplacian(luma),
      laplacian_1: laplacian(filterSeparable(b, luma, gaussianTaps(1.5))),
      laplacian_2: laplacian(filterSeparable(b, luma, gaussianTaps(3))),
      highlights,
    },
    gradientCdf,
  };
}

/** Mean correlation of the three colours' fine detail (what a 3×3 mean leaves): high in cameras' pictures, low in coloured noise. */
function buildNoiseCorrelation(b: Builder, crop: Value, m: Value): Value {
  const [, , side = 1] = crop.shape;
  const planes = b.reshape(crop, [3, 1, side, side]);
  const rest = b.sub(planes, box(b, planes, 3));
  const centred = b.sub(rest, b.sum(b.mul(rest, m), [1, 2, 3]));
  const scale = b.sqrt(b.add(b.sum(b.mul(b.mul(centred, centred), m), [1, 2, 3]), 1e-6));
  const unit = b.div(centred, scale);
  const [red, green, blue] = [b.slice(unit, 0, 0, 1), b.slice(unit, 0, 1, 2), b.slice(unit, 0, 2, 3)];
  const pairs = b.add(b.add(b.mul(red, green), b.mul(green, blue)), b.mul(blue, red));
  return b.div(b.sum(b.mul(pairs, m), [], false), 3);
}

/** A soft count of x < level: 1 well below it, 0 well above. */
function below(b: Builder, x: Value, level: number, width: number): Value {
  return b.sigmoid(b.div(b.sub(level, x), width));
}
