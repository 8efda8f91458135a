import { AppError } from "../../engine/base/errors.ts";
import type { RunDirectory } from "../../engine/node/context.ts";
import type { Example, Image } from "../shared/contracts/data.ts";
import { encodePng } from "../shared/pictures/codec.ts";
import { pictureBytes } from "../shared/pictures/picture-bytes.ts";
import { observationNumbers } from "../shared/rewards/observation-numbers.ts";
import { readReward } from "../shared/rewards/read-reward.ts";
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
  if (!s.reward) return {};
  const { reward, parts, info } = await readReward(s.compute, s.reward, picture, contextOf(s.compute, s.example.example));
  const seen = observationNumbers(info, "reward.");
  if (reward === undefined) return { ...seen, reward_skipped: 1 };
  return {
    ...seen,
    reward,
    reward_skipped: 0,
    ...Object.fromEntries(Object.entries(parts).map(([name, value]) => [`reward.${name}`, value])),
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
