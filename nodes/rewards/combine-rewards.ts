// Rewards made of rewards: constants get a prefix per child, and a child that skips a picture is left out of the graph.
import { z } from "zod";
import { AppError } from "../../engine/base/errors.ts";
import type { Builder } from "../../engine/ir/builder.ts";
import type { Value } from "../../engine/ir/value.ts";
import type { Tensor } from "../../engine/tensor/tensor.ts";
import type { Reward, RewardLearning } from "../shared/contracts/modules.ts";

export interface Combination {
  readonly id: string;
  readonly name: string;
  readonly children: readonly Reward[];
  /** Children that must not skip the picture; otherwise the whole reward is skipped. Default: any one of them suffices. */
  readonly needs?: "all" | "any" | "none";
  /** `values[i]` is null when child i was skipped. */
  combine(b: Builder, values: readonly (Value | null)[]): { readonly reward: Value; readonly parts: Readonly<Record<string, Value>> };
}

const STRUCTURE = z.array(z.string().nullable());

/**
 * A reward over other rewards. Parts: each child's raw value under its name, the child's own parts behind a dot, and what
 * `combine` adds. Children of equal name are numbered (`mimr`, `mimr_2`).
 */
export function combineRewards(combination: Combination): Reward {
  const { id, name, children, needs = "any", combine } = combination;
  const learning = learningOf(combination);
  const labels = uniqueLabels(children.map((c) => c.name));
  const label = (i: number) => labels[i] ?? String(i);
  return {
    id,
    name,
    ...(learning && { learning }),
    async observe(image, context) {
      const observations = [];
      for (const child of children) observations.push(await child.observe(image, context));
      const skipped = observations.flatMap((o, i) => (o.skip === undefined ? [] : [`${label(i)}: ${o.skip}`]));
      const constants: Record<string, Tensor> = {};
      observations.forEach((o, i) => {
        if (o.skip === undefined) for (const [key, value] of Object.entries(o.constants)) constants[`${i}.${key}`] = value;
      });
      const skip = skipped.length > { all: 0, any: children.length - 1, none: children.length }[needs];
      return {
        ...(skip ? { skip: skipped.join("; ") } : {}),
        structure: JSON.stringify(observations.map((o) => (o.skip === undefined ? o.structure : null))),
        constants: skip ? {} : constants,
        info: Object.fromEntries(observations.map((o, i) => [label(i), o.skip === undefined ? o.info : { ...o.info, skip: o.skip }])),
      };
    },
    build(b, image, constants, structure) {
      const structures = STRUCTURE.parse(JSON.parse(structure));
      const parts: Record<string, Value> = {};
      const values = children.map((child, i) => {
        const inner = structures[i];
        if (typeof inner !== "string") return null;
        const built = child.build(b, image, withoutPrefix(constants, `${i}.`), inner);
        parts[label(i)] = built.reward;
        for (const [key, value] of Object.entries(built.parts)) parts[`${label(i)}.${key}`] = value;
        return built.reward;
      });
      const { reward, parts: own } = combine(b, values);
      return { reward, parts: { ...parts, ...own } };
    },
  };
}

/** The children that learn, each with the numbers whose names begin with its place. */
function learningOf(combination: Combination): RewardLearning | undefined {
  const { children } = combination;
  const learners = children.flatMap(({ learning }, i) => (learning ? [{ learning, i }] : []));
  if (learners.length === 0) return undefined;
  const own = (state: ReadonlyMap<string, Float32Array>, i: number) =>
    new Map([...state].flatMap(([key, x]) => (key.startsWith(`${i}.`) ? [[key.slice(`${i}.`.length), x] as const] : [])));
  return {
    async fresh(compute) {
      const all = new Map<string, Float32Array>();
      for (const { learning, i } of learners) for (const [key, x] of await learning.fresh(compute)) all.set(`${i}.${key}`, x);
      return all;
    },
    withState: (state) =>
      combineRewards({ ...combination, children: children.map((child, i) => child.learning?.withState(own(state, i)) ?? child) }),
    async learn(compute, state, drawn, rng) {
      const logs: Record<string, number> = {};
      for (const { learning, i } of learners) Object.assign(logs, await learning.learn(compute, own(state, i), drawn, rng));
      return logs;
    },
  };
}

/** A reward that changes another one by a function. */
export function mapReward(
  child: Reward,
  change: { readonly id: string; readonly name: string; apply(b: Builder, value: Value): Value },
): Reward {
  return combineRewards({
    id: `${change.id}(${child.id})`,
    name: change.name,
    children: [child],
    combine: (b, [value]) => {
      if (!value) throw new AppError("REWARD_STRUCTURE", `${change.name} was built without its reward`);
      const reward = change.apply(b, value);
      return { reward, parts: {} };
    },
  });
}

/** True for what a REWARD socket carries. */
export function isReward(x: unknown): x is Reward {
  return typeof x === "object" && x !== null && "observe" in x && "build" in x && "name" in x;
}

function uniqueLabels(names: readonly string[]): string[] {
  const seen = new Map<string, number>();
  return names.map((name) => {
    const n = (seen.get(name) ?? 0) + 1;
    seen.set(name, n);
    return n === 1 ? name : `${name}_${n}`;
  });
}

function withoutPrefix(constants: Readonly<Record<string, Value>>, prefix: string): Record<string, Value> {
  return Object.fromEntries(Object.entries(constants).flatMap(([k, v]) => (k.startsWith(prefix) ? [[k.slice(prefix.length), v]] : [])));
}
