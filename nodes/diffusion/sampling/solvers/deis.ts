// DEIS (arXiv 2204.13902), its "tab" form of third order, as diff-sampler and ComfyUI set it up.
import { towards } from "../../../shared/diffusion/steps.ts";
import { mix, type Solver } from "../solver.ts";

const ORDER = 3;
/** Points of the sum that stands for the integral. */
const POINTS = 10000;

export const deis: Solver = async ({ start, sigmas, denoise, done }) => {
  const times = sigmas.map(timeOf);
  const slopes: Float32Array[] = [];
  let x = start;
  for (let i = 0; i + 1 < sigmas.length; i++) {
    const [sigma = 0, next = 0] = [sigmas[i], sigmas[i + 1]];
    slopes.unshift(towards(x, await denoise(x, sigma), sigma));
    slopes.splice(ORDER);
    const weights =
      next === 0 || slopes.length === 1
        ? [next - sigma]
        : integrals(
            slopes.map((_, k) => times[i - k] ?? 0),
            times[i + 1] ?? 0,
          );
    x = done(i, mix([1, x], ...weights.map((weight, k) => [weight, slopes[k] ?? x] as const)));
  }
  return x;
};

// The variance-preserving schedule on which its times run: σ 0.002 at 0.001, σ 80 at 1.
const [LOW, HIGH, EARLY] = [Math.log(0.002 ** 2 + 1), Math.log(80 ** 2 + 1), 1e-3];
const BETA_D = (2 * (LOW / EARLY - HIGH)) / (EARLY - 1);
const BETA_0 = HIGH - BETA_D / 2;

function timeOf(sigma: number): number {
  return (Math.sqrt(BETA_0 ** 2 + 2 * BETA_D * Math.log(sigma ** 2 + 1)) - BETA_0) / BETA_D;
}

/** ∫ of each point's Lagrange basis times −½·d(log α)/dt ∕ √(α(1 − α)), from the first point to `end`. */
function integrals(points: readonly number[], end: number): number[] {
  const from = points[0] ?? 0;
  const sums = points.map(() => 0);
  for (let n = 0; n < POINTS; n++) {
    const t = from + ((end - from) * n) / (POINTS - 1);
    const alpha = Math.exp(-0.5 * t ** 2 * BETA_D - t * BETA_0);
    const density = (0.5 * (t * BETA_D + BETA_0)) / Math.sqrt(alpha * (1 - alpha));
    points.forEach((own, j) => {
      let basis = density;
      points.forEach((other, k) => {
        if (k !== j) basis *= (t - other) / (own - other);
      });
      sums[j] = (sums[j] ?? 0) + basis;
    });
  }
  return sums.map((sum) => (sum * (end - from)) / POINTS);
}
