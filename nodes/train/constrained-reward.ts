// Raises one reward while another stays above a bound: primal-dual instead of a weight guessed beforehand.
import { z } from "zod";
import { f32, type Tensor } from "../../engine/tensor/tensor.ts";
import type { Reward } from "../shared/contracts/modules.ts";

export interface ConstraintOptions {
  /** τ: the bound. */
  readonly min: number;
  /** η: how quickly λ follows a violation. */
  readonly rate: number;
  /** λ never exceeds this. */
  readonly max: number;
}

/** λ and the running mean of the constraint's reward, between updates. */
export interface Dual {
  readonly dual: number;
  readonly mean: number;
}

/** Share of the newest update in the running mean. */
const NEWEST = 0.1;

/** λ ← clip(λ + η·(τ − mean C), 0, λ_max), the mean over past updates too (dual ascent). @param before undefined = the first update */
export function nextDual(before: Dual | undefined, reading: number, { min, rate, max }: ConstraintOptions): Dual {
  const mean = before ? (1 - NEWEST) * before.mean + NEWEST * reading : reading;
  return { mean, dual: Math.min(max, Math.max(0, (before?.dual ?? 0) + rate * (min - mean))) };
}

const STRUCTURE = z.tuple([z.string().nullable(), z.string().nullable()]);

/**
 * R + λ·(C − τ) with λ of the moment. Parts: `objective` = R, `constraint` = C, and the parts of both. Where
 * either has nothing to say the picture is skipped: a constraint that cannot be seen is not kept.
 */
export function constrainedReward(objective: Reward, constraint: Reward, min: number, dual: () => number): Reward {
  const both = [objective, constraint] as const;
  const names = ["objective", "constraint"] as const;
  return {
    id: `constrained(${objective.id},${constraint.id}>=${min})`,
    name: "constrained",
    async observe(image, context) {
      const seen = [await objective.observe(image, context), await constraint.observe(image, context)] as const;
      const constants: Record<string, Tensor> = { dual: f32([], [dual()]) };
      for (const [i, o] of seen.entries())
        if (o.skip === undefined) for (const [name, t] of Object.entries(o.constants)) constants[`${i}.${name}`] = t;
      const skips = seen.flatMap((o) => o.skip ?? []);
      return {
        ...(skips.length > 0 && { skip: skips.join("; ") }),
        structure: JSON.stringify(seen.map((o) => (o.skip === undefined ? o.structure : null))),
        constants: skips.length > 0 ? {} : constants,
        info: { objective: seen[0].info, constraint: seen[1].info },
      };
    },
    build(b, image, constants, structure) {
      const structures = STRUCTURE.parse(JSON.parse(structure));
      const parts: Record<string, ReturnType<typeof b.scalar>> = {};
      let total = b.scalar(0);
      for (const [i, reward] of both.entries()) {
        const inner = structures[i];
        const name = names[i];
        if (typeof inner !== "string" || name === undefined) continue;
        const own = Object.fromEntries(Object.entries(constants).flatMap(([k, v]) => (k.startsWith(`${i}.`) ? [[k.slice(2), v]] : [])));
        const built = reward.build(b, image, own, inner);
        parts[name] = built.reward;
        for (const [part, v] of Object.entries(built.parts)) parts[`${name}.${part}`] = v;
        const { dual: lambda } = constants;
        const term = i === 0 || !lambda ? built.reward : b.mul(lambda, b.sub(built.reward, min));
        total = b.add(total, term);
      }
      return { reward: total, parts };
    },
  };
}
