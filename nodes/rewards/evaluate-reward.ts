import { implementNode } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import type { Faces, Image } from "../shared/contracts/data.ts";
import type { RewardContext } from "../shared/contracts/modules.ts";
import { batchOf, pictureOf } from "../shared/pictures/picture.ts";
import { readReward } from "../shared/rewards/read-reward.ts";
import declaration from "./evaluate-reward.node.ts";

export default implementNode(declaration, {
  async run({ reward, image, references, target }, ctx) {
    const context: RewardContext = {
      compute: ctx.compute,
      references: references ? peopleIn(references) : null,
      target: target ? { image: one(target.images, 0), faces: target.faces[0] ?? [] } : null,
    };
    const readings = [];
    for (let i = 0; i < batchOf(image); i++) {
      readings.push(await readReward(ctx.compute, reward, one(image, i), context));
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

/** Every face with its picture. */
function peopleIn({ images, faces }: Faces): RewardContext["references"] {
  const all = faces.flatMap((list, i) => list.map((face) => ({ image: one(images, i), face })));
  return { images: all.map((p) => p.image), faces: all.map((p) => p.face) };
}

/** One picture of a batch. */
function one(image: Image, index: number): Image {
  const { data, height, width } = pictureOf(image, index);
  return batchOf(image) === 1 ? image : f32([1, height, width, 3], data);
}
