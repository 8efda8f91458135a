import { AppError } from "../../../engine/base/errors.ts";
import type { Value } from "../../../engine/ir/value.ts";

/** A named constant of an observation, in the graph. @throws AppError REWARD_CONSTANT */
export function constantOf(constants: Readonly<Record<string, Value>>, name: string): Value {
  const value = constants[name];
  if (!value) throw new AppError("REWARD_CONSTANT", `the constant ${name} was not given`);
  return value;
}
