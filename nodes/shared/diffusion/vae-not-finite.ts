import { AppError } from "../../../engine/base/errors.ts";
import { allFinite } from "../finite.ts";

/** The error for a result of the VAE with NaN or Inf. Its weights were looked at when they were loaded. */
export function vaeNotFinite(result: string, input: string, given: Float32Array): AppError {
  return allFinite(given)
    ? new AppError("VAE_NOT_FINITE", `the VAE's ${result} holds NaN or Inf`, { hint: `the ${input} may be far out of its range` })
    : new AppError("VAE_NOT_FINITE", `the ${input} that comes in holds NaN or Inf`, { hint: "look at the node that made it" });
}
