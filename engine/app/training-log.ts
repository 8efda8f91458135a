// Curves and samples of a training, from the files in its run directory.

import { z } from "zod";
import type { Curves, Samples } from "../api/training.ts";

const line = z.record(z.string(), z.union([z.number(), z.null()]));

type Curve = Curves["curves"][number];
type Alarm = Curves["alarms"][number];

/** @param text of metrics.jsonl and timings.jsonl @param after only later updates */
export function curvesOf(
  metrics: string,
  timings: string,
  after: number,
): Pick<Curves, "curves" | "alarms" | "best"> & { readonly done: number } {
  const curves = new Map<string, Curve>();
  const alarms: Alarm[] = [];
  let done = 0;
  let best: Curves["best"] = null;
  let faceless = 0;
  for (const row of linesOf(metrics)) {
    const { step: update, ...values } = row;
    if (typeof update !== "number") continue;
    done = Math.max(done, update);
    const held = values["held_out.reward"];
    if (typeof held === "number" && (best === null || held > best.value)) best = { update, value: held };
    if (values.skipped_update === 1)
      alarms.push({
        code: "TRAIN_NOT_FINITE",
        update,
        message: "The gradient was not finite; this update changed nothing.",
        hint: "Lower the learning rate, or set max_grad_norm.",
      });
    faceless = (values.reward_skipped ?? 0) === 1 ? faceless + 1 : 0;
    if (faceless === 3)
      alarms.push({
        code: "TRAIN_NO_FACE",
        update,
        message: "Three updates in a row had no example whose reward could be told: no face was found.",
        hint: "Lower the detector's min_score, or train on later denoising steps.",
      });
    add(curves, update, values, after);
  }
  alarms.push(...overfit(curves));
  for (const { step: update, ...values } of linesOf(timings)) if (typeof update === "number") add(curves, update, values, after);
  return { curves: [...curves.values()], alarms: alarms.slice(-200), best, done };
}

/** Files of the run directory's `samples`: `<row>-step-<update>.png`, `<row>-target.png`, `<row>-reference-<n>.png`. */
export function samplesOf(directory: string, files: readonly string[]): Samples {
  const found = files.flatMap((file) => {
    const match = /^samples\/(\d+)-(?:step-(\d+)|(target)|(reference)-\d+)\.png$/.exec(file);
    if (!match) return [];
    const kind = match[3] ? ("target" as const) : match[4] ? ("reference" as const) : ("sample" as const);
    const filename = file.slice("samples/".length);
    return [
      {
        row: Number(match[1]),
        kind,
        update: match[2] === undefined ? null : Number(match[2]),
        file: { filename, subfolder: `${directory}/samples`, type: "output" as const },
      },
    ];
  });
  return {
    samples: found.sort((a, b) => a.row - b.row || (a.update ?? -1) - (b.update ?? -1) || (a.file.filename < b.file.filename ? -1 : 1)),
  };
}

/** A torn last line is not there yet. */
function* linesOf(text: string): Generator<Readonly<Record<string, number | null>>> {
  for (const one of text.split("\n")) {
    if (!one.endsWith("}")) continue;
    let value: unknown;
    try {
      value = JSON.parse(one);
    } catch {
      continue;
    }
    const parsed = line.safeParse(value);
    if (parsed.success) yield parsed.data;
  }
}

function add(curves: Map<string, Curve>, update: number, values: Readonly<Record<string, number | null>>, after: number): void {
  for (const [name, y] of Object.entries(values)) {
    let curve = curves.get(name);
    if (!curve) {
      curve = { name, group: groupOf(name), isHeldOut: name.startsWith("held_out."), x: [], y: [] };
      curves.set(name, curve);
    }
    if (update <= after) continue;
    curve.x.push(update);
    curve.y.push(y);
  }
}

function groupOf(name: string): Curve["group"] {
  const plain = name.replace(/^held_out\./, "");
  if (/^(lr|sigma)$/.test(plain)) return "schedule";
  if (/grad_norm|slope|lora_norm/.test(plain)) return "gradient";
  if (/loss|anchor|mse|psnr|moments/.test(plain)) return "loss";
  if (/^(seconds|rss)$/.test(plain)) return "cost";
  if (/skipped|constraint_dual|constraint_mean/.test(plain)) return "other";
  return "reward";
}

/** The reward still rises where it is trained on, and falls where it is not. */
function overfit(curves: ReadonlyMap<string, Curve>): Alarm[] {
  const raw = curves.get("reward");
  const held = curves.get("held_out.reward");
  if (!raw || !held || held.y.length < 3) return [];
  const last = held.y.slice(-3);
  const [a, b, c] = last;
  if (typeof a !== "number" || typeof b !== "number" || typeof c !== "number" || !(a > b && b > c)) return [];
  const [from = 0, , to = 0] = held.x.slice(-3);
  const mean = (lo: number, hi: number) => {
    const ys = raw.y.filter((y, i): y is number => typeof y === "number" && (raw.x[i] ?? 0) > lo && (raw.x[i] ?? 0) <= hi);
    return ys.length === 0 ? Number.NaN : ys.reduce((x, y) => x + y, 0) / ys.length;
  };
  const middle = held.x.at(-2) ?? to;
  return mean(middle, to) > mean(from, middle)
    ? [
        {
          code: "TRAIN_OVERFIT",
          update: to,
          message: "The reward rises on the examples trained on, and has fallen twice on those held out.",
          hint: "Stop at the best update so far, raise lambda or anchor_beta, or give more examples.",
        },
      ]
    : [];
}
