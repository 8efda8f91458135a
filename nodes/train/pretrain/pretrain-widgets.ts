// Widgets that the two pretrain nodes have in common.
import { z } from "zod";
import { LR_SCHEDULES } from "../../../engine/nn/lr-schedule.ts";
import { widget } from "../../../engine/node/define-node.ts";
import { outputName } from "../../shared/output-name.ts";
import { count, real } from "../train-options.ts";

/** Widgets for the schedule. */
export const scheduleWidgets = (learningRate: number, warmup: number) => ({
  learning_rate: widget(real(0, 1, learningRate), { step: 1e-5 }),
  lr_schedule: widget(z.enum(LR_SCHEDULES).default("cosine")),
  warmup: widget(count(0, 100_000, warmup)),
  max_grad_norm: widget(real(0, 1e6, 1), { tooltip: "0 = no clipping" }),
});

export const averageWidget = (decay: number) =>
  widget(real(0, 0.999999, decay), { tooltip: "0 = off; else the average is what comes out" });

/** Widgets for what is saved. */
export const outputWidgets = (every: number, prefix: string) => ({
  checkpoint_every: widget(count(1, 100_000, every)),
  prefix: widget(outputName(prefix), { tooltip: "Name of the weight file below the output directory" }),
  seed: widget(z.number().int().min(0).max(Number.MAX_SAFE_INTEGER).default(0)),
});
