import { AppError } from "../../engine/base/errors.ts";
import type { RunDirectory } from "../../engine/node/context.ts";
import type { Example, Image } from "../shared/contracts/data.ts";
import { encodePng } from "../shared/pictures/codec.ts";
import { pictureBytes } from "../shared/pictures/picture-bytes.ts";
import { observationNumbers } from "../shared/rewards/observation-numbers.ts";
import { type RewardReading, readReward } from "../shared/rewards/read-reward.ts";
import { contextOf } from "./modes/reward-gradient.ts";
import { rollout } from "./modes/rollout.ts";
import type { Situation } from "./objective.ts";

/**
 * Draws one held-out example from its fixed noise with the weights of the moment into `samples/<k>-step-<n>.png`.
 * @returns its reward and the reward's parts; `reward_skipped` = 1 without them when the reward had nothing to say.
 * @throws AppError TRAIN_NAN when the picture is not finite
 */
export async function drawSample(dir: RunDirectory, step: number, k: number, s: Situation): Promise<Record<string, number>> {
  const x0 = (await rollout(s, s.sigmas.length - 1)).at(-1) ?? new Float32Array();
  const picture = await s.runner.decode(s.example.target, x0);
  if (s.runner.notFinite !== undefined)
    throw new AppError("TRAIN_NAN", `sample ${k + 1} at update ${step} is lost: ${s.runner.notFinite}`, {
      hint: "look at the model and the LoRA this run started from, or lower learning_rate",
    });
  await dir.write(sampleFile(k, step), await pngOf(picture));
  const context = contextOf(s.compute, s.example.example);
  const watched = s.watched && (await readReward(s.compute, s.watched, picture, context));
  const numbers = watched ? namedNumbers("watched", watched) : {};
  if (!s.reward) return numbers;
  const own = await readReward(s.compute, s.reward, picture, context);
  const guard = s.guard && (await readReward(s.compute, s.guard, picture, context));
  return { ...numbers, ...namedNumbers("reward", guard ? bothReadings(own, guard) : own) };
}

/** A reading for the log: `<name>`, its parts, what was seen, and `<name>_skipped`. */
function namedNumbers(name: string, { reward, parts, info }: RewardReading): Record<string, number> {
  const seen = observationNumbers(info, `${name}.`);
  if (reward === undefined) return { ...seen, [`${name}_skipped`]: 1 };
  return {
    ...seen,
    [name]: reward,
    [`${name}_skipped`]: 0,
    ...Object.fromEntries(Object.entries(parts).map(([part, value]) => [`${name}.${part}`, value])),
  };
}

/** Objective and constraint under the names that they have while training. */
function bothReadings(objective: RewardReading, constraint: RewardReading): RewardReading {
  const parts = [
    ["objective", objective],
    ["constraint", constraint],
  ] as const;
  return {
    reward: objective.reward === undefined || constraint.reward === undefined ? undefined : objective.reward + constraint.reward,
    parts: Object.fromEntries(
      parts.flatMap(([name, r]) => [
        ...(r.reward === undefined ? [] : [[name, r.reward] as const]),
        ...Object.entries(r.parts).map(([part, value]) => [`${name}.${part}`, value] as const),
      ]),
    ),
    info: { objective: objective.info, constraint: constraint.info },
  };
}

export function sampleFile(k: number, step: number): string {
  return `samples/${k}-step-${String(step).padStart(6, "0")}.png`;
}

/** What a sample is held against: its references and its target, once. */
export async function saveExample(dir: RunDirectory, k: number, { references, target }: Example): Promise<void> {
  for (const [i, image] of references.entries()) await dir.write(`samples/${k}-reference-${i}.png`, await pngOf(image));
  await dir.write(`samples/${k}-target.png`, await pngOf(target));
}

async function pngOf(image: Image): Promise<Uint8Array> {
  const { rgb, width, height } = pictureBytes(image, 0);
  return encodePng(rgb, width, height);
}
