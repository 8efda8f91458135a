// How Qwen-Image-Edit configures diffusers' scheduler.
import type { SchedulerConfig } from "../../shared/diffusion/flow-match-sigmas.ts";

/** The scheduler_config.json of Qwen-Image-Edit. */
export const QWEN_SCHEDULER = {
  baseSeqLen: 256,
  maxSeqLen: 8192,
  baseShift: 0.5,
  maxShift: 0.9,
  shiftTerminal: 0.02,
} as const satisfies SchedulerConfig;

/** The Lightning LoRAs' scheduler: a constant shift of ln 3, no terminal stretch. */
export const LIGHTNING_SCHEDULER = {
  baseSeqLen: 256,
  maxSeqLen: 8192,
  baseShift: Math.log(3),
  maxShift: Math.log(3),
  shiftTerminal: null,
} as const satisfies SchedulerConfig;
