// AdamW and gradient clipping on host arrays. Runs in the compute worker, away from every event loop that has to answer.
import { AppError } from "../base/errors.ts";

export interface AdamWOptions {
  /** β1, β2. Default 0.9, 0.999. */
  readonly betas?: readonly [number, number];
  /** Default 1e-8. */
  readonly eps?: number;
  /** Decoupled decay. Default 0.01. */
  readonly weightDecay?: number;
}

/** Parameters or gradients by name. */
export type Arrays = ReadonlyMap<string, Float32Array>;

/** First and second moments by parameter name. */
export interface AdamWState {
  /** Updates made so far. */
  step: number;
  readonly m: Map<string, Float32Array>;
  readonly v: Map<string, Float32Array>;
}

/** Zero moments for these parameters. */
export function adamWState(params: Arrays): AdamWState {
  const zeros = () => new Map([...params].map(([name, p]) => [name, new Float32Array(p.length)]));
  return { step: 0, m: zeros(), v: zeros() };
}

/**
 * One update in place (Loshchilov & Hutter 2019, as torch.optim.AdamW):
 * p ← p·(1 − lr·λ); m ← β1·m + (1−β1)·g; v ← β2·v + (1−β2)·g²; p ← p − lr/(1−β1ᵗ)·m / (√v/√(1−β2ᵗ) + ε).
 * @param lr learning rate of this step, ≥ 0. @throws AppError TRAIN_GRADIENT when a gradient is missing or of another length.
 */
export function adamWStep(params: Arrays, grads: Arrays, state: AdamWState, lr: number, options: AdamWOptions = {}): void {
  const [beta1, beta2] = options.betas ?? [0.9, 0.999];
  const eps = options.eps ?? 1e-8;
  const decay = 1 - lr * (options.weightDecay ?? 0.01);
  const t = ++state.step;
  const stepSize = lr / (1 - beta1 ** t);
  const rootCorrection = Math.sqrt(1 - beta2 ** t);
  for (const [name, p] of params) {
    const g = grads.get(name);
    const m = state.m.get(name);
    const v = state.v.get(name);
    if (!g || !m || !v || g.length !== p.length || m.length !== p.length || v.length !== p.length)
      throw new AppError("TRAIN_GRADIENT", `parameter ${name}: gradient or moments are missing or of another length`);
    for (let i = 0; i < p.length; i++) {
      const gi = g[i] ?? 0;
      const mi = beta1 * (m[i] ?? 0) + (1 - beta1) * gi;
      const vi = beta2 * (v[i] ?? 0) + (1 - beta2) * gi * gi;
      m[i] = mi;
      v[i] = vi;
      p[i] = (p[i] ?? 0) * decay - (stepSize * mi) / (Math.sqrt(vi) / rootCorrection + eps);
    }
  }
}

/** Euclidean norm over all arrays. */
export function globalNorm(arrays: Arrays): number {
  let sum = 0;
  for (const a of arrays.values()) for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) ** 2;
  return Math.sqrt(sum);
}

/**
 * Scales all gradients in place so that their global norm is at most `maxNorm` (torch.nn.utils.clip_grad_norm_).
 * @param maxNorm ≤ 0 means no clipping. @returns the norm before clipping.
 */
export function clipGradNorm(grads: Arrays, maxNorm: number): number {
  const norm = globalNorm(grads);
  const scale = maxNorm / (norm + 1e-6);
  if (maxNorm > 0 && scale < 1) for (const g of grads.values()) for (let i = 0; i < g.length; i++) g[i] = (g[i] ?? 0) * scale;
  return norm;
}

/** Exponential moving average in place: ema ← decay·ema + (1−decay)·p. */
export function emaStep(ema: Arrays, params: Arrays, decay: number): void {
  for (const [name, p] of params) {
    const e = ema.get(name);
    if (!e) continue;
    for (let i = 0; i < p.length; i++) e[i] = decay * (e[i] ?? 0) + (1 - decay) * (p[i] ?? 0);
  }
}
