// FlowMatchEulerDiscreteScheduler's σ, as Qwen-Image-Edit configures it (diffusers scheduling_flow_match_euler_discrete.py).

/** The scheduler_config.json of Qwen-Image-Edit. */
export const QWEN_SCHEDULER = { baseSeqLen: 256, maxSeqLen: 8192, baseShift: 0.5, maxShift: 0.9, shiftTerminal: 0.02 } as const;

/** The Lightning LoRAs' scheduler: a constant shift of ln 3, no terminal stretch. */
export const LIGHTNING_SCHEDULER = {
  baseSeqLen: 256,
  maxSeqLen: 8192,
  baseShift: Math.log(3),
  maxShift: Math.log(3),
  shiftTerminal: null,
} as const;

export interface SchedulerConfig {
  readonly baseSeqLen: number;
  readonly maxSeqLen: number;
  readonly baseShift: number;
  readonly maxShift: number;
  readonly shiftTerminal: number | null;
}

/** μ, linear in the number of target tokens (references are not counted). */
export function shiftMu(tokens: number, config: SchedulerConfig = QWEN_SCHEDULER): number {
  const m = (config.maxShift - config.baseShift) / (config.maxSeqLen - config.baseSeqLen);
  return tokens * m + config.baseShift - m * config.baseSeqLen;
}

/**
 * σ_0 … σ_steps: linspace(1, 1/n, n) → e^μ/(e^μ + 1/s − 1) → stretched so that the last is `shiftTerminal` → 0 appended.
 * Rounded to float32 where diffusers does. Length steps + 1.
 */
export function flowMatchSigmas(steps: number, tokens: number, config: SchedulerConfig = QWEN_SCHEDULER): readonly number[] {
  const shift = Math.exp(shiftMu(tokens, config));
  const shifted = Array.from({ length: steps }, (_, i) => {
    const s = Math.fround(steps === 1 ? 1 : 1 + (i * (1 / steps - 1)) / (steps - 1));
    return Math.fround(shift / (shift + (1 / s - 1)));
  });
  const last = 1 - (shifted.at(-1) ?? 0);
  const stretch = config.shiftTerminal === null || last === 0 ? 1 : last / (1 - config.shiftTerminal);
  return [...shifted.map((s) => Math.fround(1 - (1 - s) / stretch)), 0];
}
