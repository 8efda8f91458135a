// Curves and samples of a training, while it runs and afterwards.
import { z } from "zod";
import { trainingAlarm } from "../graph/events.ts";
import { fileRef } from "./files.ts";

export const curve = z.object({
  /** As in metrics.jsonl: `reward`, `mimr`, `grad_norm`, `lr` … */
  name: z.string(),
  group: z.enum(["reward", "loss", "gradient", "schedule", "cost", "other"]),
  /** Measured on examples that are not trained on. */
  isHeldOut: z.boolean(),
  /** Update numbers, ascending. */
  x: z.array(z.number()),
  /** null where the value was not finite. */
  y: z.array(z.number().nullable()),
});

/** As the training itself raised it. */
export const alarm = trainingAlarm.extend({ message: z.string() });

export const curves = z.object({
  curves: z.array(curve),
  alarms: z.array(alarm),
  /** Updates made, and asked for (0 when that is not known yet). */
  updates: z.object({ done: z.number().int(), total: z.number().int() }),
  secondsLeft: z.number().nullable(),
  /** Update with the best held-out reward so far. */
  best: z.object({ update: z.number().int(), value: z.number() }).nullable(),
  /** Widget values of the train node: for comparing two runs. */
  settings: z.record(z.string(), z.unknown()),
});
export type Curves = z.infer<typeof curves>;

export const samples = z.object({
  samples: z.array(
    z.object({
      /** One seed and one example per row. */
      row: z.number().int(),
      kind: z.enum(["reference", "target", "sample"]),
      /** Update the sample was made at: 0 = before training. */
      update: z.number().int().nullable(),
      file: fileRef,
    }),
  ),
});
export type Samples = z.infer<typeof samples>;
