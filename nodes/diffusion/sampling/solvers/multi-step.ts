// Solvers that remember what earlier steps saw. Source: k-diffusion and ComfyUI, with the papers named below.
import { towards } from "../../../shared/diffusion/steps.ts";
import { halfLogSnr, mix, offsetFirst, type Solver } from "../solver.ts";
import { solveVandermonde } from "./vandermonde.ts";

/** DPM-Solver++(2M) (arXiv 2211.01095), in −log σ as ComfyUI runs it for flow models too. */
export const dpmpp2m: Solver = async ({ start, sigmas, denoise, done }) => {
  let x = start;
  let old: Float32Array | undefined;
  for (let i = 0; i + 1 < sigmas.length; i++) {
    const [sigma = 0, next = 0] = [sigmas[i], sigmas[i + 1]];
    const x0 = await denoise(x, sigma);
    const h = Math.log(sigma / next);
    if (next === 0) x = x0;
    else if (!old) x = mix([next / sigma, x], [-Math.expm1(-h), x0]);
    else {
      const r = Math.log((sigmas[i - 1] ?? 1) / sigma) / h;
      x = mix([next / sigma, x], [-Math.expm1(-h) * (1 + 1 / (2 * r)), x0], [Math.expm1(-h) / (2 * r), old]);
    }
    old = x0;
    x = done(i, x);
  }
  return x;
};

/** Second-order multistep of "Refined Exponential Solver" (arXiv 2308.02157). @param eta 1 adds ancestral noise */
function resMultistep(eta: 0 | 1): Solver {
  return async ({ start, sigmas, denoise, noise, done }) => {
    let x = start;
    let old: { readonly x0: Float32Array; readonly down: number } | undefined;
    for (let i = 0; i + 1 < sigmas.length; i++) {
      const [sigma = 0, next = 0] = [sigmas[i], sigmas[i + 1]];
      const x0 = await denoise(x, sigma);
      const up = Math.min(next, eta * Math.sqrt((next ** 2 * (sigma ** 2 - next ** 2)) / sigma ** 2));
      const down = Math.sqrt(Math.max(0, next ** 2 - up ** 2));
      if (down === 0 || !old) x = mix([1, x], [down - sigma, towards(x, x0, sigma)]);
      else {
        const h = Math.log(sigma / down);
        const c2 = Math.log(old.down / (sigmas[i - 1] ?? 1)) / h;
        const phi1 = Math.expm1(-h) / -h;
        const phi2 = (phi1 - 1) / -h;
        const [b1, b2] = [phi1 - phi2 / c2, phi2 / c2].map((b) => (Number.isNaN(b) ? 0 : b));
        x = mix([Math.exp(-h), x], [h * (b1 ?? 0), x0], [h * (b2 ?? 0), old.x0]);
      }
      if (next > 0 && up > 0) x = mix([1, x], [up, noise()]);
      old = { x0, down };
      x = done(i, x);
    }
    return x;
  };
}
export const resMultistepPlain = resMultistep(0);
export const resMultistepAncestral = resMultistep(1);

/** Adams–Bashforth weights, newest slope first. */
const ADAMS: readonly (readonly number[])[] = [[1], [3 / 2, -1 / 2], [23 / 12, -16 / 12, 5 / 12], [55 / 24, -59 / 24, 37 / 24, -9 / 24]];

/** iPNDM: up to four slopes as if the steps were equal (arXiv 2202.09778). */
export const ipndm: Solver = async ({ start, sigmas, denoise, done }) => {
  let x = start;
  const slopes: Float32Array[] = [];
  for (let i = 0; i + 1 < sigmas.length; i++) {
    const [sigma = 0, next = 0] = [sigmas[i], sigmas[i + 1]];
    const x0 = await denoise(x, sigma);
    slopes.unshift(towards(x, x0, sigma));
    slopes.splice(4);
    const weights = ADAMS[slopes.length - 1] ?? [];
    x = done(i, next === 0 ? x0 : mix([1, x], ...slopes.map((d, k) => [(next - sigma) * (weights[k] ?? 0), d] as const)));
  }
  return x;
};

/** Linear multistep (Adams–Bashforth with steps of any size): up to four slopes, integrated as a polynomial in σ. */
export const lms: Solver = async ({ start, sigmas, denoise, done }) => {
  let x = start;
  const slopes: Float32Array[] = [];
  for (let i = 0; i + 1 < sigmas.length; i++) {
    const [sigma = 0, next = 0] = [sigmas[i], sigmas[i + 1]];
    const x0 = await denoise(x, sigma);
    slopes.unshift(towards(x, x0, sigma));
    slopes.splice(4);
    if (next === 0) x = x0;
    else {
      // In σ − σᵢ, where the powers stay small.
      const points = slopes.map((_, k) => (sigmas[i - k] ?? 0) - sigma);
      const weights = solveVandermonde(
        points,
        points.map((_, p) => (next - sigma) ** (p + 1) / (p + 1)),
      );
      x = mix([1, x], ...slopes.map((d, k) => [weights[k] ?? 0, d] as const));
    }
    x = done(i, x);
  }
  return x;
};

/** Euler with the slope extrapolated from the last two (openreview o2ND9v0CeK, γ = 2). */
export const gradientEstimation: Solver = async ({ start, sigmas, denoise, done }) => {
  let x = start;
  let old: Float32Array | undefined;
  for (let i = 0; i + 1 < sigmas.length; i++) {
    const [sigma = 0, next = 0] = [sigmas[i], sigmas[i + 1]];
    const x0 = await denoise(x, sigma);
    const d = towards(x, x0, sigma);
    const dt = next - sigma;
    x = done(i, next === 0 ? x0 : old ? mix([1, x], [2 * dt, d], [-dt, old]) : mix([1, x], [dt, d]));
    old = d;
  }
  return x;
};

/** Points of the integral in ER-SDE-Solver's higher stages. */
const POINTS = 200;

/** VP ER-SDE-Solver-3 (arXiv 2309.06169): extended reverse-time SDE, three stages. */
export const erSde: Solver = async ({ start, sigmas: given, denoise, noise, sampling, done }) => {
  const sigmas = offsetFirst(given, sampling);
  const lambdas = sigmas.map((sigma) => Math.exp(-halfLogSnr(sigma)));
  const scale = (lambda: number): number => lambda * (Math.exp(lambda ** 0.3) + 10);
  let x = start;
  let old: Float32Array | undefined;
  let oldSlope: Float32Array | undefined;
  for (let i = 0; i + 1 < sigmas.length; i++) {
    const [sigma = 0, next = 0] = [sigmas[i], sigmas[i + 1]];
    const x0 = await denoise(x, sigma);
    if (next === 0) x = x0;
    else {
      const [s = 0, t = 0] = [lambdas[i], lambdas[i + 1]];
      const alpha = next / t;
      const r = scale(t) / scale(s);
      const terms: [number, Float32Array][] = [
        [(alpha / (sigma / s)) * r, x],
        [alpha * (1 - r), x0],
      ];
      if (old) {
        const dt = t - s;
        const width = -dt / POINTS;
        let [sum, sumU] = [0, 0];
        for (let k = 0; k < POINTS; k++) {
          const at = t + k * width;
          sum += width / scale(at);
          sumU += ((at - s) / scale(at)) * width;
        }
        const span = s - (lambdas[i - 1] ?? 0);
        const slope = mix([1 / span, x0], [-1 / span, old]);
        terms.push([alpha * (dt + sum * scale(t)), slope]);
        if (oldSlope) {
          const curve = alpha * (dt ** 2 / 2 + sumU * scale(t)) * (2 / (s - (lambdas[i - 2] ?? 0)));
          terms.push([curve, slope], [-curve, oldSlope]);
        }
        oldSlope = slope;
      }
      const up = alpha * Math.sqrt(Math.max(0, t ** 2 - s ** 2 * r ** 2));
      x = mix(...terms, [up, noise()]);
    }
    old = x0;
    x = done(i, x);
  }
  return x;
};
