// What a trainer should be told while there is time: each alarm names the update it began at, and what to change.
import type { Curves } from "../../api/training.ts";

type Alarm = Curves["alarms"][number];
type Values = ReadonlyMap<number, number | null>;

/** So many updates in a row mean something. */
const STREAK = 5;

/** @param values of a curve by its name in metrics.jsonl; empty when there is none */
export function trainingAlarms(values: (name: string) => Values): Alarm[] {
  return [notFinite(values), noFace(values), nothingLearned(values), lossGrew(values), overfit(values)]
    .filter((a) => a !== undefined)
    .sort((a, b) => a.update - b.update);
}

function notFinite(values: (name: string) => Values): Alarm | undefined {
  const bad = [...values("skipped_update")].filter(([, v]) => v !== 0).map(([step]) => step);
  const nulls = ["loss", "reward", "grad_norm"].flatMap((name) => [...values(name)].flatMap(([step, v]) => (v === null ? [step] : [])));
  const all = [...new Set([...bad, ...nulls])].sort((a, b) => a - b);
  const [first] = all;
  if (first === undefined) return undefined;
  return {
    code: "TRAIN_NOT_FINITE",
    update: first,
    message:
      all.length === 1
        ? "A gradient was not finite; that update was skipped."
        : `Gradients were not finite; ${all.length} updates were skipped.`,
    hint: "Lower the learning rate, set max_grad_norm, or check the model's weights.",
  };
}

function noFace(values: (name: string) => Values): Alarm | undefined {
  const update = streak(values("reward_skipped"), (v) => v === 1);
  return update === undefined
    ? undefined
    : {
        code: "TRAIN_NO_FACE",
        update,
        message: `For ${STREAK} updates the reward had nothing to say about any picture: no face was found.`,
        hint: "Lower the detector's min_score, use larger pictures, or open the window at later steps, where faces can be seen.",
      };
}

function nothingLearned(values: (name: string) => Values): Alarm | undefined {
  const still = streak(values("grad_norm"), (v) => v === 0);
  if (still !== undefined)
    return {
      code: "TRAIN_NOTHING_LEARNED",
      update: still,
      message: `The gradient was zero for ${STREAK} updates: nothing is learned.`,
      hint: "A weight is 0, a cap is reached, a gate is closed, or the reward does not depend on the picture.",
    };
  const rate = streak(values("lr"), (v) => v === 0);
  if (rate !== undefined)
    return {
      code: "TRAIN_NOTHING_LEARNED",
      update: rate,
      message: `The learning rate was zero for ${STREAK} updates: nothing is learned.`,
      hint: "Set learning_rate, or shorten the warm-up.",
    };
  return undefined;
}

/** The first update of the first {@link STREAK} in a row for which it holds. */
function streak(values: Values, holds: (v: number | null) => boolean): number | undefined {
  let [count, first] = [0, 0];
  for (const [step, v] of [...values].sort(([a], [b]) => a - b)) {
    if (!holds(v)) count = 0;
    else if (count++ === 0) first = step;
    if (count === STREAK) return first;
  }
  return undefined;
}

function lossGrew(values: (name: string) => Values): Alarm | undefined {
  const losses = finite(values("loss"));
  if (losses.length < 4 * STREAK) return undefined;
  const start = mean(losses.slice(0, STREAK));
  if (start <= 0) return undefined;
  for (let i = 2 * STREAK; i <= losses.length; i++)
    if (mean(losses.slice(i - STREAK, i)) > 3 * start)
      return {
        code: "TRAIN_LOSS_GREW",
        update: losses[i - 1]?.[0] ?? 0,
        message: "The loss is three times what it began with.",
        hint: "Lower the learning rate, or go back to an earlier checkpoint.",
      };
  return undefined;
}

/** Held out fell by more than a fifth of what it had gained (or spread over), three times in a row, while training's own went on rising. */
function overfit(values: (name: string) => Values): Alarm | undefined {
  const held = finite(values("held_out.reward"));
  const own = finite(values("reward"));
  let best = held[0];
  let worse = 0;
  const least = Math.min(...held.map(([, v]) => v));
  for (const point of held.slice(1)) {
    if (!best || point[1] >= best[1]) {
      best = point;
      worse = 0;
      continue;
    }
    worse = point[1] < best[1] - 0.2 * (best[1] - least) ? worse + 1 : 0;
    const [from, to] = [best[0], point[0]];
    const before = own.filter(([s]) => s > from - (to - from) && s <= from);
    const after = own.filter(([s]) => s > from && s <= to);
    if (worse >= 3 && before.length > 0 && after.length > 0 && mean(after) > mean(before))
      return {
        code: "TRAIN_OVERFIT",
        update: from,
        message: "The reward still rises while the held-out reward falls: the model learns the training pictures by heart.",
        hint: `The best update so far is ${from}. Stop and keep it, lower the learning rate, or train on more people.`,
      };
  }
  return undefined;
}

function finite(values: Values): (readonly [number, number])[] {
  return [...values].flatMap(([step, v]) => (v === null ? [] : [[step, v] as const])).sort(([a], [b]) => a - b);
}

function mean(points: readonly (readonly [number, number])[]): number {
  return points.reduce((sum, [, v]) => sum + v, 0) / points.length;
}
