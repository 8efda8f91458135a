import { AppError } from "../../engine/base/errors.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { readReward } from "../shared/rewards/read-reward.ts";
import { exampleAt, streamOf } from "./loop/data-order.ts";
import { ModelRunner } from "./model/model-runner.ts";
import { prepareExample } from "./model/prepared-example.ts";
import { contextOf } from "./modes/reward-gradient.ts";
import { rollout } from "./modes/rollout.ts";
import declaration from "./reward-baseline.node.ts";

export default implementNode(declaration, {
  async run(i, ctx) {
    const runner = new ModelRunner(ctx.compute, i.model, i.vae, new Map(), new Map());
    const count = Math.min(i.examples, i.dataset.train);
    const values: number[] = [];
    for (let k = 0; k < count; k++) {
      const example = await i.dataset.example("train", exampleAt(i.seed, i.dataset.train, k));
      const prepared = await prepareExample(ctx.compute, i, example, { guidanceScale: 1, negativePrompt: " ", visionSize: i.vision_size });
      const sigmas = i.model.schedule.sigmas(i.denoise_steps, prepared.target);
      const states = await rollout({ runner, example: prepared, guidance: null, sigmas, rng: streamOf(i.seed, 12, k) }, i.denoise_steps);
      const picture = await runner.decode(prepared.target, states.at(-1) ?? new Float32Array());
      const { reward, skip } = await readReward(ctx.compute, i.reward, picture, contextOf(ctx.compute, example));
      if (reward === undefined) ctx.log("warn", `${i.reward.name} has nothing to say about ${example.id}: ${skip}`);
      else values.push(reward);
      ctx.progress(k + 1, count, `picture ${k + 1}`);
    }
    if (values.length === 0)
      throw new AppError("REWARD_BASELINE", `${i.reward.name} had nothing to say about any of ${count} pictures: there is no baseline`, {
        hint: "look at the pictures (EvaluateEdits), or use a reward that needs no detection",
      });
    const mean = values.reduce((s, v) => s + v, 0) / values.length;
    const error = Math.sqrt(values.reduce((s, v) => s + (v - mean) ** 2, 0) / (values.length - 1) / values.length);
    const numbers = { baseline: mean, ...(values.length > 1 && { standard_error: error }), pictures: values.length };
    ctx.score("baseline", numbers);
    return { FLOAT: mean - i.margin, METRICS: { values: numbers, details: values } };
  },
});
