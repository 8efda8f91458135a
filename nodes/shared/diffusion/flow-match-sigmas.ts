// FlowMatchEulerDiscreteScheduler's σ (diffusers scheduling_flow_match_euler_discrete.py).
import type { Schedule } from "../contracts/diffusion.ts";
import { tokensOf } from "./latent-space.ts";

/** What a scheduler_config.json of the kind says. */
export interface SchedulerConfig {
  readonly baseSeqLen: number;
  readonly maxSeqLen: number;
  readonly baseShift: number;
  readonly maxShift: number;
  readonly shiftTerminal: number | null;
}

/** μ, linear in the number of target tokens (references are not counted). */
export function shiftMu(tokens: number, config: SchedulerConfig): number {
  const m = (config.maxShift - config.baseShift) / (config.maxSeqLen - config.baseSeqLen);
  return tokens * m + config.baseShift - m * config.baseSeqLen;
}

/**
 * σ_0 … σ_steps: linspace(1, 1/n, n) → e^μ/(e^μ + 1/s − 1) → stretched so that the last is `shiftTerminal` → 0 appended.
 * Rounded to float32 where diffusers does. Length steps + 1.
 */
export function flowMatchSigmas(steps: number, tokens: number, config: SchedulerConfig): readonly number[] {
  const shift = Math.exp(shiftMu(tokens, config));
  const shifted = Array.from({ length: steps }, (_, i) => {
    const s = Math.fround(steps === 1 ? 1 : 1 + (i * (1 / steps - 1)) / (steps - 1));
    return Math.fround(shift / (shift + (1 / s - 1)));
  });
  const last = 1 - (shifted.at(-1) ?? 0);
  const stretch = config.shiftTerminal === null || last === 0 ? 1 : last / (1 - config.shiftTerminal);
  return [...shifted.map((s) => Math.fround(1 - (1 - s) / stretch)), 0];
}

/** The same scheduler as a model's schedule: dynamic shifting by the number of target tokens. */
export function flowMatchSchedule(config: SchedulerConfig): Schedule {
  return {
    sigmas: (steps, target) => flowMatchSigmas(steps, tokensOf(target), config),
    sigmaOfLogit(logit, target) {
      const shift = Math.exp(shiftMu(tokensOf(target), config));
      return shift / (shift + Math.exp(-logit));
    },
  };
}
