/** Shapes of the learning rate over a run, after a linear warm-up. */
export const LR_SCHEDULES = ["constant", "linear", "cosine"] as const;
export type LrSchedule = (typeof LR_SCHEDULES)[number];

/**
 * Learning rate of update `step` (0-based). Warm-up rises linearly to `lr` over `warmup` updates; then constant, linear to
 * zero, or half a cosine to zero at `steps`.
 */
export function learningRate(schedule: LrSchedule, lr: number, step: number, steps: number, warmup: number): number {
  if (step < warmup) return (lr * (step + 1)) / warmup;
  const progress = steps > warmup ? Math.min(1, (step - warmup) / (steps - warmup)) : 1;
  if (schedule === "linear") return lr * (1 - progress);
  if (schedule === "cosine") return (lr * (1 + Math.cos(Math.PI * progress))) / 2;
  return lr;
}
