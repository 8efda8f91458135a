import { AppError } from "../../../engine/base/errors.ts";
import { sha256 } from "../../../engine/base/hash.ts";
import { implementNode } from "../../../engine/node/define-node.ts";
import type { Image } from "../../shared/contracts/data.ts";
import { streamOf } from "../loop/data-order.ts";
import { ModelRunner } from "../model/model-runner.ts";
import { prepareExample } from "../model/prepared-example.ts";
import { rollout } from "../modes/rollout.ts";
import declaration from "./sampled-preferences.node.ts";

export default implementNode(declaration, {
  async run({ dataset, model, vae, clip, ...i }, ctx) {
    if (model && !(vae && clip)) throw new AppError("REALISM_MODEL", "a model draws with its VAE and text encoder: connect vae and clip");
    const sizes = { train: Math.min(i.train, dataset.train), heldOut: Math.min(i.held_out, dataset.heldOut) };
    if (sizes.train < i.train || sizes.heldOut < i.held_out)
      ctx.log("warn", `the dataset has ${dataset.train} training and ${dataset.heldOut} held-out examples: fewer than were asked for`);
    const drawn = { train: [] as Image[], heldOut: [] as Image[] };
    if (model && vae && clip) {
      const runner = new ModelRunner(ctx.compute, model, vae, new Map(), new Map());
      const total = sizes.train + sizes.heldOut;
      for (const split of ["train", "heldOut"] as const)
        for (let k = 0; k < sizes[split]; k++) {
          const example = await prepareExample(ctx.compute, { model, vae, clip }, await dataset.example(split, k), {
            guidanceScale: 1,
            negativePrompt: " ",
            visionSize: i.vision_size,
          });
          const sigmas = model.schedule.sigmas(i.denoise_steps, example.target);
          const states = await rollout(
            { runner, example, guidance: null, sigmas, rng: streamOf(i.seed, split === "train" ? 10 : 11, k) },
            i.denoise_steps,
          );
          drawn[split].push(await runner.decode(example.target, states.at(-1) ?? new Float32Array()));
          ctx.progress(drawn.train.length + drawn.heldOut.length, total, "pictures drawn");
        }
    }
    return {
      preferences: {
        id: `sampled:${sha256(JSON.stringify([declaration.version, dataset.id, model?.id, vae?.id, clip?.id, i]))}`,
        ...sizes,
        async pair(split: "train" | "heldOut", index: number) {
          const { id, prompt, target, targetFaces } = await dataset.example(split, index);
          const sample = drawn[split][index];
          return {
            id,
            prompt,
            win: { image: target, faces: targetFaces },
            lose: sample ? { image: sample, faces: targetFaces } : null,
            weight: 1,
            labelled: true,
          };
        },
      },
    };
  },
});
