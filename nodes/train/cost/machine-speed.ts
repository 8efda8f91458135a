import type { NodeContext } from "../../../engine/node/context.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";

export interface MachineSpeed {
  /** Operations per second that a transformer of useful size reaches. */
  readonly flops: number;
  /** Operations per second of square matrix products alone. */
  readonly matrixFlops: number;
  /** Seconds that a graph node costs besides its operations: small models spend most of their time on it. */
  readonly secondsPerNode: number;
}

/** Share of a matrix product's speed that whole networks keep: the rest is attention, norms and copies. */
const EFFICIENCY = 0.6;
const SIZE = 512;
const PRODUCTS = 8;
const SMALL_NODES = 256;

/** Times a chain of matrix products and a chain of tiny nodes on the run's device: about 0.1 s. */
export async function machineSpeed(ctx: Pick<NodeContext, "compute" | "now">): Promise<MachineSpeed> {
  const products = await timed(ctx, SIZE, PRODUCTS, true);
  const nodes = await timed(ctx, 4, SMALL_NODES, false);
  const matrixFlops = (2 * SIZE ** 3 * PRODUCTS) / products;
  return { flops: EFFICIENCY * matrixFlops, matrixFlops, secondsPerNode: nodes / SMALL_NODES };
}

/** Seconds of the quicker of three runs. */
async function timed({ compute, now }: Pick<NodeContext, "compute" | "now">, n: number, count: number, products: boolean): Promise<number> {
  const b = newBuilder();
  const x = b.input("x", "float32", [n, n]);
  let y = x;
  for (let k = 0; k < count; k++) y = products ? b.matmul(y, x) : b.transpose(b.softmax(y, k % 2), [1, 0]);
  const run = await compute.compile(b.graph({ y: b.sum(y) }));
  const feeds = { x: f32([n, n], new Float32Array(n * n).fill(1 / n)) };
  await run.run(feeds);
  let best = Number.POSITIVE_INFINITY;
  for (let k = 0; k < 3; k++) {
    const started = now();
    await run.run(feeds);
    best = Math.min(best, now() - started);
  }
  // Even a clock that stands still gives a finite estimate.
  return Math.max(best, 1e-3) / 1000;
}
