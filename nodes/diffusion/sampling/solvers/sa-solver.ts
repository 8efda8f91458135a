// SA-Solver (arXiv 2309.05019): stochastic Adams predictor and corrector in data prediction, as ComfyUI sets it up.
import { halfLogSnr, mix, offsetFirst, type Solver } from "../solver.ts";
import { solveVandermonde } from "./vandermonde.ts";

const PREDICTOR = 3;
const CORRECTOR = 4;
/** Steps that land between these times of the model's schedule are stochastic. */
const STOCHASTIC = [0.2, 0.8] as const;

export const saSolver: Solver = async ({ start, sigmas: given, denoise, noise, sampling, done }) => {
  const sigmas = offsetFirst(given, sampling);
  const lambdas = sigmas.map(halfLogSnr);
  const [from, to] = STOCHASTIC.map((time) => sampling.sigma(1 - time));
  const steps = sigmas.length - 1;
  const endsAtZero = sigmas.at(-1) === 0;
  const seen: Float32Array[] = [];
  let x = start;
  let predicted = start;
  let tau = 0;
  let h = 0;
  let added: Float32Array | undefined;
  for (let i = 0; i < steps; i++) {
    const [sigma = 0, next = 0] = [sigmas[i], sigmas[i + 1]];
    const x0 = await denoise(predicted, sigma);
    seen.push(x0);
    seen.splice(0, seen.length - Math.max(PREDICTOR, CORRECTOR));
    let predictor = Math.min(PREDICTOR, seen.length);
    let corrector = i === 0 || next === 0 ? 0 : Math.min(CORRECTOR, seen.length);
    // Lower orders near the end, for stability.
    if (endsAtZero) {
      predictor = Math.min(predictor, steps - 1 - i);
      corrector = Math.min(corrector, steps - i);
    }
    if (corrector === 0) x = predicted;
    else {
      const before = sigmas[i - 1] ?? 1;
      const weights = adams(sigma, lambdas.slice(i - corrector + 1, i + 1), lambdas[i - 1] ?? 0, lambdas[i] ?? 0, tau);
      x = mix(
        [(sigma / before) * Math.exp(-(tau ** 2) * h), x],
        ...seen.slice(-corrector).map((old, k) => [weights[k] ?? 0, old] as const),
        ...(tau > 0 && added ? [[1, added] as const] : []),
      );
    }
    if (next === 0) predicted = x0;
    else {
      tau = next <= (from ?? 1) && next >= (to ?? 0) ? 1 : 0;
      const weights = adams(next, lambdas.slice(i - predictor + 1, i + 1), lambdas[i] ?? 0, lambdas[i + 1] ?? 0, tau);
      h = (lambdas[i + 1] ?? 0) - (lambdas[i] ?? 0);
      const terms = seen.slice(-predictor).map((old, k) => [weights[k] ?? 0, old] as const);
      predicted = mix([(next / sigma) * Math.exp(-(tau ** 2) * h), x], ...terms);
      if (tau > 0) {
        added = mix([next * Math.sqrt(-Math.expm1(-2 * tau ** 2 * h)), noise()]);
        predicted = mix([1, predicted], [1, added]);
      }
    }
    predicted = done(i, predicted);
  }
  return predicted;
};

/** Weights of earlier x0 at the times `points`: ∫ of their Lagrange basis under exp((1 + τ²)·λ) from s to t (eqs. 15 and 18). */
function adams(sigma: number, points: readonly number[], s: number, t: number, tau: number): number[] {
  const rate = 1 + tau ** 2;
  const order = points.length;
  // (1 + τ²)·∫ exp((1 + τ²)·x)·x^p dx over exp((1 + τ²)·t), by parts.
  const moments: number[] = [];
  for (let p = 0; p < order; p++) {
    const term = t ** p - s ** p * Math.exp(-rate * (t - s));
    moments.push(p === 0 ? term : term - (p / rate) * (moments[p - 1] ?? 0));
  }
  const alpha = sigma * Math.exp(t);
  return solveVandermonde(points, moments).map((weight) => alpha * weight);
}
