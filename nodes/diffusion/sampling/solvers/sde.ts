// Solvers of the stochastic equation in half the log of the signal-to-noise ratio, as ComfyUI runs them for flow models (η = 1).
import { halfLogSnr, mix, offsetFirst, type Solver } from "../solver.ts";

/** σ of {@link halfLogSnr}. */
function sigmaOf(lambda: number): number {
  return 1 / (1 + Math.exp(lambda));
}

/** DPM-Solver++ SDE with a look half way (arXiv 2211.01095): both parts of a step have their own noise of one Brownian path. */
export const dpmppSde: Solver = async ({ start, sigmas: given, denoise, brownian, sampling, done }) => {
  const sigmas = offsetFirst(given, sampling);
  let x = start;
  for (let i = 0; i + 1 < sigmas.length; i++) {
    const [sigma = 0, next = 0] = [sigmas[i], sigmas[i + 1]];
    const x0 = await denoise(x, sigma);
    if (next === 0) x = x0;
    else {
      const [from, to] = [halfLogSnr(sigma), halfLogSnr(next)];
      const half = (from + to) / 2;
      const middle = sigmaOf(half);
      const part = (x0: Float32Array, end: number, endSigma: number, noise: Float32Array): Float32Array => {
        const alpha = 1 - endSigma;
        const [down, up] = ancestral(Math.exp(-from), Math.exp(-end));
        const h = -Math.log(down) - from;
        return mix([(alpha / (1 - sigma)) * Math.exp(-h), x], [-alpha * Math.expm1(-h), x0], [alpha * up, noise]);
      };
      const x0Middle = await denoise(part(x0, half, middle, brownian(sigma, middle)), middle);
      x = part(x0Middle, to, next, brownian(sigma, next));
    }
    x = done(i, x);
  }
  return x;
};

/** Down to this σ without noise, then up again by this much (variance-exploding form). */
function ancestral(sigma: number, next: number): readonly [down: number, up: number] {
  const up = Math.min(next, Math.sqrt((next ** 2 * (sigma ** 2 - next ** 2)) / sigma ** 2));
  return [Math.sqrt(next ** 2 - up ** 2), up];
}

/** What two and three earlier steps add to a step of length h in log-SNR: weights of x0, and of the x0 before it. */
type Memory = (h: number, earlier: readonly { readonly h: number }[]) => readonly number[];

/** DPM-Solver++ SDE of several steps: an exponential step, what earlier x0 add, and noise of one Brownian path. */
function multistep(memory: Memory): Solver {
  return async ({ start, sigmas: given, denoise, brownian, sampling, done }) => {
    const sigmas = offsetFirst(given, sampling);
    let x = start;
    const earlier: { readonly x0: Float32Array; readonly h: number }[] = [];
    for (let i = 0; i + 1 < sigmas.length; i++) {
      const [sigma = 0, next = 0] = [sigmas[i], sigmas[i + 1]];
      const x0 = await denoise(x, sigma);
      if (next === 0) x = x0;
      else {
        const h = halfLogSnr(next) - halfLogSnr(sigma);
        const alpha = 1 - next;
        const weights = earlier.length > 0 ? memory(h, earlier) : [];
        x = mix(
          [(next / sigma) * Math.exp(-h), x],
          [-alpha * Math.expm1(-2 * h), x0],
          ...[x0, ...earlier.map((e) => e.x0)].map((old, k) => [alpha * (weights[k] ?? 0), old] as const),
          [next * Math.sqrt(-Math.expm1(-2 * h)), brownian(sigma, next)],
        );
        earlier.unshift({ x0, h });
        earlier.splice(2);
      }
      x = done(i, x);
    }
    return x;
  };
}

/** (1 − e^−z)/−z + 1 and the next one of its series. */
function phis(z: number): readonly [phi2: number, phi3: number] {
  const phi2 = Math.expm1(-z) / z + 1;
  return [phi2, phi2 / z - 0.5];
}

/** Two steps: half the change of x0, in steps of this length. */
export const dpmpp2mSde = multistep((h, [last]) => {
  const weight = (-0.5 * Math.expm1(-2 * h) * h) / (last?.h ?? h);
  return [weight, -weight];
});

/** Two steps, the change of x0 integrated. */
export const dpmpp2mSdeHeun = multistep((h, [last]) => {
  const weight = (phis(2 * h)[0] * h) / (last?.h ?? h);
  return [weight, -weight];
});

/** Three steps: change and curve of x0. */
export const dpmpp3mSde = multistep((h, [last, before]) => {
  const [phi2, phi3] = phis(2 * h);
  const r0 = (last?.h ?? h) / h;
  if (!before) return [phi2 / r0, -phi2 / r0];
  const r1 = before.h / h;
  // Slopes d0 = (x0 − x1)/r0 and d1 = (x1 − x2)/r1; φ2·(d0 + (d0 − d1)·r0/(r0 + r1)) − φ3·(d0 − d1)/(r0 + r1).
  const bend = (phi2 * r0 - phi3) / (r0 + r1);
  const [first, second] = [(phi2 + bend) / r0, bend / r1];
  return [first, -first - second, second];
});

/**
 * SEEDS-2 (arXiv 2305.14267): a look ahead, then the whole step.
 * @param r how far ahead, as part of the step
 * @param eta 1 = stochastic, 0 = the ordinary equation
 * @param kind `phi_1` mixes both looks, `phi_2` integrates the line through them
 */
function seeds2(r: number, eta: 0 | 1, kind: "phi_1" | "phi_2"): Solver {
  return async ({ start, sigmas: given, denoise, noise, sampling, done }) => {
    const sigmas = offsetFirst(given, sampling);
    let x = start;
    for (let i = 0; i + 1 < sigmas.length; i++) {
      const [sigma = 0, next = 0] = [sigmas[i], sigmas[i + 1]];
      const x0 = await denoise(x, sigma);
      if (next === 0) x = x0;
      else {
        const from = halfLogSnr(sigma);
        const h = halfLogSnr(next) - from;
        const rate = h * (eta + 1);
        const middle = sigmaOf(from + r * h);
        const spread = Math.sqrt(-Math.expm1(-2 * r * h * eta));
        const first = eta === 1 ? noise() : x;
        const ahead = mix(
          [(middle / sigma) * Math.exp(-r * h * eta), x],
          [-(1 - middle) * Math.expm1(-r * rate), x0],
          [middle * spread, first],
        );
        const x0Ahead = await denoise(ahead, middle);
        const phi1 = Math.expm1(-rate);
        const b2 = kind === "phi_1" ? phi1 / (2 * r) : (phi1 + rate) / -rate / r;
        const rest = (r - 1) * h * eta;
        x = mix(
          [(next / sigma) * Math.exp(-h * eta), x],
          [-(1 - next) * (phi1 - b2), x0],
          [-(1 - next) * b2, x0Ahead],
          [next * spread * Math.exp(rest), first],
          [next * Math.sqrt(Math.max(0, -Math.expm1(2 * rest))), eta === 1 ? noise() : x],
        );
      }
      x = done(i, x);
    }
    return x;
  };
}
export const seeds2Plain = seeds2(0.5, 1, "phi_1");
export const expHeun2 = seeds2(1, 0, "phi_2");
export const expHeun2Sde = seeds2(1, 1, "phi_2");
