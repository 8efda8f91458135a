import { implementNode } from "../../engine/node/define-node.ts";
import { batchOf } from "../shared/pictures/picture.ts";
import { readReward } from "../shared/rewards/read-reward.ts";
import { onePicture, rewardContext } from "../shared/rewards/reward-context.ts";
import declaration from "./evaluate-reward.node.ts";

export default implementNode(declaration, {
  async run({ reward, image, references, target }, ctx) {
    const context = rewardContext(ctx.compute, references, target);
    const readings = [];
    for (let i = 0; i < batchOf(image); i++) {
      readings.push(await readReward(ctx.compute, reward, onePicture(image, i), context));
      ctx.progress(i + 1, batchOf(image));
    }
    const means = new Map<string, { sum: number; count: number }>();
    for (const { reward: value, parts } of readings)
      for (const [name, x] of Object.entries({ ...(value === undefined ? {} : { "": value }), ...parts })) {
        const key = name === "" ? reward.name : `${reward.name}.${name}`;
        const { sum, count } = means.get(key) ?? { sum: 0, count: 0 };
        means.set(key, { sum: sum + x, count: count + 1 });
      }
    const skipped = readings.filter((r) => r.skip !== undefined);
    for (const { skip } of skipped) ctx.log("warn", `${reward.name} has nothing to say about a picture: ${skip}`);
    const values: Record<string, number> = { [`${reward.name}.skipped`]: skipped.length };
    for (const [name, { sum, count }] of means) values[name] = sum / count;
    const value = values[reward.name] ?? 0;
    ctx.score(reward.name, value);
    return { FLOAT: value, METRICS: { values, details: readings.map(({ info, skip }) => ({ ...info, ...(skip ? { skip } : {}) })) } };
  },
});
