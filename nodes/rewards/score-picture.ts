import type { NodeContext, SavedFile } from "../../engine/node/context.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import type { Image } from "../shared/contracts/data.ts";
import { encodePng } from "../shared/pictures/codec.ts";
import { gradientMap } from "../shared/pictures/gradient-map.ts";
import { pictureBytes } from "../shared/pictures/picture-bytes.ts";
import { readReward } from "../shared/rewards/read-reward.ts";
import { onePicture, rewardContext } from "../shared/rewards/reward-context.ts";
import declaration from "./score-picture.node.ts";

export default implementNode(declaration, {
  async run({ reward, image, references, target, gradient }, ctx) {
    const picture = onePicture(image, 0);
    const [, height = 1, width = 1] = picture.shape;
    const context = rewardContext(ctx.compute, references, target);
    const reading = await readReward(ctx.compute, reward, picture, context, { gradient });
    const { skip, parts, info } = reading;
    const value = reading.reward ?? 0;
    if (skip !== undefined) ctx.log("warn", `${reward.name} has nothing to say about this picture: ${skip}`);
    const map = reading.gradient
      ? gradientMap(reading.gradient, height, width)
      : f32([1, height, width, 3], new Float32Array(height * width * 3));
    if (gradient && skip === undefined && !reading.gradient)
      ctx.log("info", `${reward.name} does not depend on the picture: it has no gradient`);
    const prefix = `score/node-${ctx.nodeId.replace(/[^\w-]/g, "_")}`;
    ctx.score(reward.name, value);
    ctx.show({
      score: [
        {
          value,
          parts,
          picture: await save(ctx, `${prefix}-picture`, picture),
          gradient: reading.gradient ? await save(ctx, `${prefix}-gradient`, map) : null,
          ...(skip !== undefined && { skip }),
        },
      ],
    });
    const named = Object.entries(parts).map(([name, v]) => [`${reward.name}.${name}`, v] as const);
    return {
      FLOAT: value,
      METRICS: {
        values: { [reward.name]: value, ...Object.fromEntries(named) },
        details: [{ ...info, ...(skip !== undefined && { skip }) }],
      },
      gradient: map,
    };
  },
});

async function save(ctx: NodeContext, prefix: string, image: Image): Promise<SavedFile> {
  const { rgb, width, height } = pictureBytes(image, 0);
  return ctx.save(prefix, "png", await encodePng(rgb, width, height), "temp");
}
