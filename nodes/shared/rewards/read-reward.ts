import { AppError } from "../../../engine/base/errors.ts";
import type { Compute } from "../../../engine/ir/compute.ts";
import { nameOf, reach } from "../../../engine/ir/graph.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { expectDType, f32 } from "../../../engine/tensor/tensor.ts";
import type { Image } from "../contracts/data.ts";
import type { Reward, RewardContext } from "../contracts/modules.ts";
import { pictureOf } from "../pictures/picture.ts";

export interface RewardReading {
  /** Undefined when the reward skipped the picture. */
  readonly reward: number | undefined;
  readonly parts: Readonly<Record<string, number>>;
  readonly skip?: string;
  readonly info: Readonly<Record<string, unknown>>;
  /** d reward / d picture, [1, H, W, 3]; absent when it was not asked for, or the reward does not depend on the picture. */
  readonly gradient?: Float32Array;
}

/**
 * What a reward gives for a picture [1, H, W, 3] in 0..1: `observe`, then the differentiable part run forward, and back when asked.
 * @throws AppError REWARD_NAN
 */
export async function readReward(
  compute: Compute,
  reward: Reward,
  image: Image,
  context: RewardContext,
  { gradient = false }: { readonly gradient?: boolean } = {},
): Promise<RewardReading> {
  const { skip, structure, constants, info } = await reward.observe(image, context);
  if (skip !== undefined) return { reward: undefined, parts: {}, skip, info };
  const { data, height, width } = pictureOf(image, 0);
  const b = newBuilder();
  const built = reward.build(
    b,
    // Transposed to [1, 3, H, W] in the graph, because a photograph is large.
    b.transpose(b.input("image", "float32", [1, height, width, 3]), [0, 3, 1, 2]),
    Object.fromEntries(Object.entries(constants).map(([name, t]) => [name, b.input(`reward.${name}`, t.dtype, t.shape)])),
    structure,
  );
  const parts = Object.entries(built.parts);
  const graph = b.graph({ reward: built.reward, ...Object.fromEntries(parts.map(([name, v]) => [`part.${name}`, v])) });
  const feeds = Object.fromEntries(Object.entries(constants).map(([name, t]) => [`reward.${name}`, t]));
  const all = { ...feeds, image: f32([1, height, width, 3], data) };
  const isAsked = gradient && reach(graph).inputs.some((v) => nameOf(v) === "image");
  const results = isAsked ? await (await compute.grad(graph, "reward", ["image"])).run(all) : await compute.run(graph, all);
  const read = (name: string): number => {
    const t = results[name];
    return t ? (expectDType(t, "float32", name)[0] ?? Number.NaN) : Number.NaN;
  };
  const value = read("reward");
  const readings = Object.fromEntries(parts.map(([name]) => [name, read(`part.${name}`)]));
  const [bad] = Object.entries({ ...readings, [reward.name]: value }).filter(([, x]) => !Number.isFinite(x));
  if (bad)
    throw new AppError("REWARD_NAN", `${bad[0]} is ${bad[1]} for this picture`, {
      hint: "the picture, or weights of the reward's networks, hold numbers that are not finite",
    });
  const slope = results["grad.image"];
  return { reward: value, parts: readings, info, ...(slope && { gradient: expectDType(slope, "float32", "grad.image") }) };
}
