import type { Situation } from "../objective.ts";

/** Velocity used by the sampler, and how strongly the conditional velocity enters it (per element; null = 1). */
export interface Guided {
  readonly v: Float32Array;
  readonly factor: Float32Array | null;
}

/**
 * True CFG with diffusers' norm rescale (pipeline_qwenimage_edit.py): comb = u + s·(c − u), v = comb·‖c‖/‖comb‖ per token of
 * 64 channels. Without gradient through u and the norms, ∂v/∂c = s·‖c‖/‖comb‖.
 */
export async function guidedVelocity(s: Situation, x: Float32Array, sigma: number): Promise<Guided> {
  const c = await s.runner.velocity(s.example, x, sigma);
  const scale = s.options.trueCfgScale;
  if (scale === 1 || !s.example.negative) return { v: c, factor: null };
  const u = await s.runner.velocity(s.example, x, sigma, "negative");
  const v = new Float32Array(c.length);
  const factor = new Float32Array(c.length);
  for (let at = 0; at < c.length; at += 64) {
    let cc = 0;
    let mm = 0;
    for (let i = at; i < at + 64; i++) {
      const comb = (u[i] ?? 0) + scale * ((c[i] ?? 0) - (u[i] ?? 0));
      v[i] = comb;
      cc += (c[i] ?? 0) ** 2;
      mm += comb * comb;
    }
    const ratio = mm > 0 ? Math.sqrt(cc / mm) : 1;
    for (let i = at; i < at + 64; i++) {
      v[i] = (v[i] ?? 0) * ratio;
      factor[i] = scale * ratio;
    }
  }
  return { v, factor };
}

/** ∂v/∂c of {@link guidedVelocity} per element; null = 1 everywhere. */
export async function guidanceFactor(s: Situation, x: Float32Array, sigma: number): Promise<Float32Array | null> {
  return s.options.trueCfgScale === 1 ? null : (await guidedVelocity(s, x, sigma)).factor;
}

/** Euler steps from pure noise, without gradient: returns x at σ_0 … σ_end (`end` + 1 states). */
export async function rollout(s: Situation, end: number): Promise<readonly Float32Array[]> {
  let x = s.rng.normals(new Float32Array(s.example.x0.length));
  const states = [x];
  for (let i = 0; i < end; i++) {
    const { v } = await guidedVelocity(s, x, s.sigmas[i] ?? 1);
    x = euler(x, v, (s.sigmas[i + 1] ?? 0) - (s.sigmas[i] ?? 0));
    states.push(x);
  }
  return states;
}

/** x + Δσ·v. */
export function euler(x: Float32Array, v: Float32Array, dSigma: number): Float32Array {
  return x.map((z, i) => z + dSigma * (v[i] ?? 0));
}

/** Multiplies elementwise by a number and, where given, a per-element factor. */
export function scaled(g: Float32Array, by: number, factor: Float32Array | null): Float32Array {
  return g.map((z, i) => z * by * (factor ? (factor[i] ?? 1) : 1));
}
