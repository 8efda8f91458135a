/**
 * ComfyUI's names, in its order. Those with `_gpu` draw their noise as ComfyUI does where there is no GPU. Not here: `cfg_pp`; dpm_fast and
 * dpm_adaptive, ddpm and ipndm_v, which ComfyUI offers and which are not meant for flow models.
 */
export const SAMPLERS = [
  "euler",
  "euler_ancestral",
  "heun",
  "heunpp2",
  "exp_heun_2_x0",
  "exp_heun_2_x0_sde",
  "dpm_2",
  "dpm_2_ancestral",
  "lms",
  "dpmpp_2s_ancestral",
  "dpmpp_sde",
  "dpmpp_sde_gpu",
  "dpmpp_2m",
  "dpmpp_2m_sde",
  "dpmpp_2m_sde_gpu",
  "dpmpp_2m_sde_heun",
  "dpmpp_2m_sde_heun_gpu",
  "dpmpp_3m_sde",
  "dpmpp_3m_sde_gpu",
  "lcm",
  "ipndm",
  "deis",
  "res_multistep",
  "res_multistep_ancestral",
  "gradient_estimation",
  "er_sde",
  "seeds_2",
  "sa_solver",
  "ddim",
  "uni_pc",
  "uni_pc_bh2",
] as const;
export type Sampler = (typeof SAMPLERS)[number];

/** KSampler leaves out the last noise level before 0 for these. */
export const WITHOUT_LAST_SIGMA: ReadonlySet<Sampler> = new Set<Sampler>(["dpm_2", "dpm_2_ancestral", "uni_pc", "uni_pc_bh2"]);
