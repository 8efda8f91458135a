import type { NodeContext } from "../../../engine/node/context.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import type { Example } from "../../shared/contracts/data.ts";
import type { Reward } from "../../shared/contracts/modules.ts";
import { contextOf } from "../modes/reward-gradient.ts";

/**
 * Seconds that a reward takes on one picture, observation and gradient to the pixels: measured once, on the example's own target,
 * after a first time that compiles. 0 when it skips that picture.
 */
export async function rewardSeconds(
  { compute, now }: Pick<NodeContext, "compute" | "now">,
  reward: Reward,
  example: Example,
): Promise<number> {
  const { target: image } = example;
  const context = contextOf(compute, example);
  const { skip, structure, constants } = await reward.observe(image, context);
  if (skip !== undefined) return 0;
  const b = newBuilder();
  const pixels = b.transpose(b.input("image", "float32", image.shape), [0, 3, 1, 2]);
  const inputs = Object.fromEntries(Object.entries(constants).map(([name, t]) => [name, b.input(`reward.${name}`, t.dtype, t.shape)]));
  const graph = b.graph({ loss: b.neg(reward.build(b, pixels, inputs, structure).reward) });
  const run = await compute.grad(graph, "loss", ["image"]);
  const feeds = { image, ...Object.fromEntries(Object.entries(constants).map(([name, t]) => [`reward.${name}`, t])) };
  await run.run(feeds);
  const started = now();
  await reward.observe(image, context);
  await run.run(feeds);
  return (now() - started) / 1000;
}
