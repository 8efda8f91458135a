import type { NodeContext } from "../../../engine/node/context.ts";
import { machineSpeed } from "../cost/machine-speed.ts";

/** Updates between two reports. */
const EVERY = 50;

/** Reports how fast a training is, compared with this machine's matrix products. */
export class Throughput {
  readonly #ctx: Pick<NodeContext, "compute" | "now" | "log">;
  readonly #peak: number;
  #updates = 0;
  #examples = 0;
  #flops = 0;
  #computing = 0;
  #since: number;

  private constructor(ctx: Pick<NodeContext, "compute" | "now" | "log">, peak: number) {
    this.#ctx = ctx;
    this.#peak = peak;
    this.#since = ctx.now();
  }

  static async of(ctx: Pick<NodeContext, "compute" | "now" | "log">): Promise<Throughput> {
    return new Throughput(ctx, (await machineSpeed(ctx)).matrixFlops);
  }

  /**
   * One update. @param flops of its forward and backward pass @param milliseconds that they took; the rest of the update (data,
   * optimiser, checkpoints) shows in the examples per second
   */
  add(examples: number, flops: number, milliseconds: number): void {
    this.#updates++;
    this.#examples += examples;
    this.#flops += flops;
    this.#computing += milliseconds;
    if (this.#updates % EVERY > 0) return;
    const whole = (this.#ctx.now() - this.#since) / 1000;
    const rate = this.#flops / Math.max(1e-6, this.#computing / 1000);
    const share = Math.round((100 * rate) / this.#peak);
    const outside = Math.round(100 * (1 - this.#computing / 1000 / Math.max(1e-6, whole)));
    this.#ctx.log(
      "info",
      `${(this.#examples / Math.max(1e-6, whole)).toPrecision(3)} examples a second; ${(rate / 1e9).toPrecision(3)} GFLOP/s in the networks, ${share} % of this machine's matrix products; ${outside} % of the time outside them`,
    );
    this.#examples = this.#flops = this.#computing = 0;
    this.#since = this.#ctx.now();
  }
}
