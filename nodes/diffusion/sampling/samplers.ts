import { checkedState } from "../../shared/diffusion/steps.ts";
import type { Sampler } from "./sampler-names.ts";
import type { Solver, SolverRun } from "./solver.ts";
import { dpmpp2m, erSde, gradientEstimation, ipndm, resMultistepAncestral, resMultistepPlain } from "./solvers/multi-step.ts";
import { dpmpp2sAncestral, euler, eulerAncestral, heun, heunpp2, lcm } from "./solvers/one-step.ts";
import { saSolver } from "./solvers/sa-solver.ts";

const SOLVERS: Readonly<Record<Sampler, Solver>> = {
  euler,
  euler_ancestral: eulerAncestral,
  heun,
  heunpp2,
  dpmpp_2s_ancestral: dpmpp2sAncestral,
  dpmpp_2m: dpmpp2m,
  lcm,
  ipndm,
  res_multistep: resMultistepPlain,
  res_multistep_ancestral: resMultistepAncestral,
  gradient_estimation: gradientEstimation,
  er_sde: erSde,
  sa_solver: saSolver,
};

/**
 * ComfyUI's sampler of that name, as it runs it for flow models; without churn.
 * @param onStep called after step i
 * @throws AppError SAMPLING_NAN as soon as a state is not finite
 */
export function sample(name: Sampler, run: Omit<SolverRun, "done">, onStep: (i: number) => void = () => undefined): Promise<Float32Array> {
  return SOLVERS[name]({
    ...run,
    done(i, x) {
      checkedState(x, i + 1, run.sigmas[i] ?? 0);
      onStep(i);
      return x;
    },
  });
}
