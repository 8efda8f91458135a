import { checkedState } from "../../shared/diffusion/steps.ts";
import type { Sampler } from "./sampler-names.ts";
import type { Solver, SolverRun } from "./solver.ts";
import { deis } from "./solvers/deis.ts";
import { dpmpp2m, erSde, gradientEstimation, ipndm, lms, resMultistepAncestral, resMultistepPlain } from "./solvers/multi-step.ts";
import { dpm2, dpm2Ancestral, dpmpp2sAncestral, euler, eulerAncestral, heun, heunpp2, lcm } from "./solvers/one-step.ts";
import { saSolver } from "./solvers/sa-solver.ts";
import { dpmpp2mSde, dpmpp2mSdeHeun, dpmpp3mSde, dpmppSde, expHeun2, expHeun2Sde, seeds2Plain } from "./solvers/sde.ts";
import { uniPc } from "./solvers/uni-pc.ts";

const SOLVERS: Readonly<Record<Sampler, Solver>> = {
  euler,
  euler_ancestral: eulerAncestral,
  heun,
  heunpp2,
  exp_heun_2_x0: expHeun2,
  exp_heun_2_x0_sde: expHeun2Sde,
  dpm_2: dpm2,
  dpm_2_ancestral: dpm2Ancestral,
  lms,
  dpmpp_2s_ancestral: dpmpp2sAncestral,
  dpmpp_sde: dpmppSde,
  dpmpp_sde_gpu: dpmppSde,
  dpmpp_2m: dpmpp2m,
  dpmpp_2m_sde: dpmpp2mSde,
  dpmpp_2m_sde_gpu: dpmpp2mSde,
  dpmpp_2m_sde_heun: dpmpp2mSdeHeun,
  dpmpp_2m_sde_heun_gpu: dpmpp2mSdeHeun,
  dpmpp_3m_sde: dpmpp3mSde,
  dpmpp_3m_sde_gpu: dpmpp3mSde,
  lcm,
  ipndm,
  deis,
  res_multistep: resMultistepPlain,
  res_multistep_ancestral: resMultistepAncestral,
  gradient_estimation: gradientEstimation,
  er_sde: erSde,
  seeds_2: seeds2Plain,
  sa_solver: saSolver,
  // ComfyUI's is Euler too; only under a mask it differs.
  ddim: euler,
  uni_pc: uniPc("h"),
  uni_pc_bh2: uniPc("expm1"),
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
