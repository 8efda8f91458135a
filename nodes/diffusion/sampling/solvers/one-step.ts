// Solvers that look at the current step only. Source: k-diffusion and its forms for flow models in ComfyUI.
import { eulerStep, towards } from "../../../shared/diffusion/steps.ts";
import { type Denoise, halfLogSnr, mix, type Solver, type SolverRun } from "../solver.ts";

/** x + (σ' − σ)·(x − x0)/σ. */
export const euler: Solver = async ({ start, sigmas, denoise, done }) => {
  let x = start;
  for (let i = 0; i + 1 < sigmas.length; i++) {
    const [sigma = 0, next = 0] = [sigmas[i], sigmas[i + 1]];
    x = done(i, eulerStep(x, towards(x, await denoise(x, sigma), sigma), sigma, next));
  }
  return x;
};

/** Euler, then the slope again at its end: the mean of both. */
export const heun: Solver = async ({ start, sigmas, denoise, done }) => {
  let x = start;
  for (let i = 0; i + 1 < sigmas.length; i++) {
    const [sigma = 0, next = 0] = [sigmas[i], sigmas[i + 1]];
    const d = towards(x, await denoise(x, sigma), sigma);
    const ahead = eulerStep(x, d, sigma, next);
    if (next === 0) x = ahead;
    else {
      const d2 = towards(ahead, await denoise(ahead, next), next);
      x = eulerStep(
        x,
        d.map((value, k) => (value + (d2[k] ?? 0)) / 2),
        sigma,
        next,
      );
    }
    x = done(i, x);
  }
  return x;
};

/** Heun with up to three slopes, weighted by their σ (Carzit, sd-webui-samplers-scheduler). */
export const heunpp2: Solver = async ({ start, sigmas, denoise, done }) => {
  let x = start;
  const [first = 1] = sigmas;
  const end = sigmas.at(-1) ?? 0;
  for (let i = 0; i + 1 < sigmas.length; i++) {
    const [sigma = 0, next = 0, after = 0] = [sigmas[i], sigmas[i + 1], sigmas[i + 2]];
    const dt = next - sigma;
    const d = towards(x, await denoise(x, sigma), sigma);
    if (next === end) x = mix([1, x], [dt, d]);
    else {
      const x2 = mix([1, x], [dt, d]);
      const d2 = towards(x2, await denoise(x2, next), next);
      if (after === end) {
        const w2 = next / (2 * first);
        x = mix([1, x], [dt * (1 - w2), d], [dt * w2, d2]);
      } else {
        const x3 = mix([1, x2], [after - next, d2]);
        const d3 = towards(x3, await denoise(x3, after), after);
        const [w2, w3] = [next / (3 * first), after / (3 * first)];
        x = mix([1, x], [dt * (1 - w2 - w3), d], [dt * w2, d2], [dt * w3, d3]);
      }
    }
    x = done(i, x);
  }
  return x;
};

/** Below which σ an ancestral step of a flow model goes, and how much noise brings it back up. */
function ancestral(sigma: number, next: number): { readonly down: number; readonly keep: number; readonly renoise: number } {
  const down = next * (next / sigma);
  const keep = (1 - next) / (1 - down);
  return { down, keep, renoise: Math.sqrt(Math.max(0, next ** 2 - down ** 2 * keep ** 2)) };
}

/** Euler to a lower σ, then noise. */
export const eulerAncestral: Solver = async ({ start, sigmas, denoise, noise, done }) => {
  let x = start;
  for (let i = 0; i + 1 < sigmas.length; i++) {
    const [sigma = 0, next = 0] = [sigmas[i], sigmas[i + 1]];
    const x0 = await denoise(x, sigma);
    if (next === 0) x = x0;
    else {
      const { down, keep, renoise } = ancestral(sigma, next);
      const ratio = down / sigma;
      x = mix([keep * ratio, x], [keep * (1 - ratio), x0], [renoise, noise()]);
    }
    x = done(i, x);
  }
  return x;
};

/** DPM-Solver++(2S) to a lower σ, then noise. */
export const dpmpp2sAncestral: Solver = async ({ start, sigmas, denoise, noise, done }: SolverRun) => {
  let x = start;
  for (let i = 0; i + 1 < sigmas.length; i++) {
    const [sigma = 0, next = 0] = [sigmas[i], sigmas[i + 1]];
    const x0 = await denoise(x, sigma);
    if (next === 0) x = eulerStep(x, towards(x, x0, sigma), sigma, 0);
    else {
      const { down, keep, renoise } = ancestral(sigma, next);
      const middle = sigma === 1 ? 0.9999 : 1 / (Math.exp((halfLogSnr(sigma) + halfLogSnr(down)) / 2) + 1);
      const half = middle / sigma;
      const x0Middle = await denoise(mix([half, x], [1 - half, x0]), middle);
      const ratio = down / sigma;
      x = mix([keep * ratio, x], [keep * (1 - ratio), x0Middle], [renoise, noise()]);
    }
    x = done(i, x);
  }
  return x;
};

/** Each step is a whole picture, noised anew (Latent Consistency Models). */
export const lcm: Solver = async ({ start, sigmas, denoise, noise, done }) => {
  let x = start;
  for (let i = 0; i + 1 < sigmas.length; i++) {
    const next = sigmas[i + 1] ?? 0;
    const x0 = await denoise(x, sigmas[i] ?? 0);
    x = done(i, next > 0 ? mix([next, noise()], [1 - next, x0]) : x0);
  }
  return x;
};

/** DPM-Solver-2 of k-diffusion (Karras et al. 2022): the slope half way, in log σ. */
export const dpm2: Solver = async ({ start, sigmas, denoise, done }) => {
  let x = start;
  for (let i = 0; i + 1 < sigmas.length; i++) {
    const [sigma = 0, next = 0] = [sigmas[i], sigmas[i + 1]];
    x = done(i, await midpoint(denoise, x, sigma, next));
  }
  return x;
};

/** DPM-Solver-2 to a lower σ, then noise. */
export const dpm2Ancestral: Solver = async ({ start, sigmas, denoise, noise, done }) => {
  let x = start;
  for (let i = 0; i + 1 < sigmas.length; i++) {
    const [sigma = 0, next = 0] = [sigmas[i], sigmas[i + 1]];
    const { down, keep, renoise } = ancestral(sigma, next);
    x = await midpoint(denoise, x, sigma, down);
    x = done(i, down === 0 ? x : mix([keep, x], [renoise, noise()]));
  }
  return x;
};

async function midpoint(denoise: Denoise, x: Float32Array, sigma: number, next: number): Promise<Float32Array> {
  const d = towards(x, await denoise(x, sigma), sigma);
  if (next === 0) return eulerStep(x, d, sigma, 0);
  const middle = Math.sqrt(sigma * next);
  const ahead = eulerStep(x, d, sigma, middle);
  return eulerStep(x, towards(ahead, await denoise(ahead, middle), middle), sigma, next);
}
