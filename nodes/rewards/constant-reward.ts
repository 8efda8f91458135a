import { f32 } from "../../engine/tensor/tensor.ts";
import type { Image } from "../shared/contracts/data.ts";
import type { Reward, RewardContext } from "../shared/contracts/modules.ts";
import { constantOf } from "../shared/rewards/constant-of.ts";

/** A reward without a gradient: a number that `measure` reads off the picture. */
export function constantReward(
  id: string,
  name: string,
  measure: (image: Image, context: RewardContext) => Promise<{ readonly value: number; readonly info: Readonly<Record<string, unknown>> }>,
): Reward {
  return {
    id,
    name,
    async observe(image, context) {
      const { value, info } = await measure(image, context);
      return { structure: "constant", constants: { value: f32([], [value]) }, info };
    },
    build: (_b, _image, constants) => ({ reward: constantOf(constants, "value"), parts: {} }),
  };
}
