import { checkedState, eulerStep, towards } from "../../shared/diffusion/steps.ts";

export const SAMPLERS = ["euler", "heun"] as const;
export type Sampler = (typeof SAMPLERS)[number];

/** The guided x0 at a noise level. */
export type Denoise = (x: Float32Array, sigma: number) => Promise<Float32Array>;

/**
 * k-diffusion's sampler of that name, without churn.
 * @param sigmas descending, ending in 0
 * @param onStep called after step i
 * @throws AppError SAMPLING_NAN as soon as a state is not finite
 */
export async function sample(
  name: Sampler,
  denoise: Denoise,
  start: Float32Array,
  sigmas: ArrayLike<number>,
  onStep: (i: number) => void = () => undefined,
): Promise<Float32Array> {
  let x = start;
  for (let i = 0; i + 1 < sigmas.length; i++) {
    const [sigma = 0, next = 0] = [sigmas[i], sigmas[i + 1]];
    const d = towards(x, await denoise(x, sigma), sigma);
    const euler = eulerStep(x, d, sigma, next);
    if (name === "euler" || next === 0) x = euler;
    else {
      const d2 = towards(euler, await denoise(euler, next), next);
      x = eulerStep(
        x,
        d.map((value, k) => (value + (d2[k] ?? 0)) / 2),
        sigma,
        next,
      );
    }
    checkedState(x, i + 1, sigma);
    onStep(i);
  }
  return x;
}
