/** ComfyUI's names. Those with `_sde` of DPM-Solver++ need torchsde's Brownian tree, which is not here. */
export const SAMPLERS = [
  "euler",
  "euler_ancestral",
  "heun",
  "heunpp2",
  "dpmpp_2s_ancestral",
  "dpmpp_2m",
  "lcm",
  "ipndm",
  "res_multistep",
  "res_multistep_ancestral",
  "gradient_estimation",
  "er_sde",
  "sa_solver",
] as const;
export type Sampler = (typeof SAMPLERS)[number];
