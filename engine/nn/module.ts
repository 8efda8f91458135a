import type { Builder } from "../ir/builder.ts";

/**
 * A differentiable function in the IR together with its parameters: a diffusion model, the two halves of a VAE, a face
 * encoder. `build` may be called with any builder and any number of times.
 */
export interface Module<Inputs, Outputs> {
  /** Changes whenever architecture, files or adapters change. Part of cache keys. */
  readonly id: string;
  build(b: Builder, inputs: Inputs): Outputs;
}
