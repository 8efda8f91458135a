// A run that continues from another one's state, with settings of its own and a folder of its own.
import { z } from "zod";
import { AppError } from "../../../engine/base/errors.ts";
import type { NodeContext } from "../../../engine/node/context.ts";
import { decodeCheckpoint, type TrainState } from "./checkpoint.ts";
import { keptState } from "./kept-loras.ts";
import type { OtherTraining } from "./other-trainings.ts";
import { CHECKPOINT } from "./train-loop.ts";

/** Where a run came from: `forked_from` of its config.json. */
export const forkRecord = z.object({ directory: z.string(), update: z.int(), differences: z.array(z.string()) });
export type ForkRecord = z.infer<typeof forkRecord>;

/**
 * Reads another training's state into `state`.
 * @param from `train-…`, or `train-…@N`
 * @param steps updates of the new run
 * @throws AppError TRAIN_FORK with what would work
 */
export async function forkInto(
  ctx: NodeContext,
  from: string,
  others: readonly OtherTraining[],
  state: TrainState,
  steps: number,
): Promise<ForkRecord> {
  const [, directory = from, number] = /^(.*)@(\d{1,9})$/.exec(from) ?? [];
  const source = others.find((other) => other.directory === directory);
  if (!source)
    throw new AppError("TRAIN_FORK", `there is no training ${directory} in the output directory to continue from`, {
      hint:
        others.length > 0
          ? `there are ${others.map((o) => o.directory).join(", ")}`
          : "leave fork_from empty, or choose its output directory (--out)",
    });
  if (source.unfit.length > 0)
    throw new AppError(
      "TRAIN_FORK",
      `the state of ${directory} does not fit: ${source.differences.filter((d) => source.unfit.some((name) => d.includes(name))).join(", ")}`,
      {
        hint: `set ${source.unfit.join(", ")} as they were; or export its LoRA and connect it as init_lora`,
      },
    );
  const file = number === undefined ? CHECKPOINT : keptState(Number(number));
  const bytes = await (await ctx.runDirectory(directory)).read(file);
  if (!bytes)
    throw new AppError("TRAIN_FORK", `${directory} holds no ${file}`, {
      hint: number === undefined ? "it has not come to its first checkpoint" : "keep_every keeps states; without @N its newest is taken",
    });
  decodeCheckpoint(bytes, state, undefined, `${directory}/${file}`);
  const { step } = state.adam;
  if (step >= steps)
    throw new AppError("TRAIN_FORK", `${directory} has made ${step} updates already, and steps is ${steps}: nothing is left to do`, {
      hint: `set steps above ${step}`,
    });
  // Rewards of other settings cannot be compared.
  delete state.carried.best;
  state.carried.left_out = 0;
  return { directory, update: step, differences: [...source.differences] };
}
