// What the machine can do, apart from the model: matrix products, copies, launches.
import type { Graph } from "../../engine/ir/value.ts";
import { newBuilder } from "../../engine/ops/table.ts";
import type { NumberFile } from "./number-file.ts";
import type { ProbeOptions } from "./options.ts";

const CHAIN = 16;
const TINY = 1000;

/** A chain of square products in the device's dtype. Feed: `s`. */
export function peakGraph({ peak: n, dtype }: ProbeOptions, file: NumberFile): { readonly graph: Graph; readonly flops: number } {
  const b = newBuilder();
  const w = b.weight("peak", dtype, [n, n], file.region("peak", dtype, n * n, 1 / Math.sqrt(n)));
  let y = b.mul(w, b.cast(b.input("s", "float32", []), dtype));
  for (let i = 0; i < CHAIN; i++) y = b.matmul(y, w);
  const sum = b.cast(b.sum(y, [], false), "float32");
  return { graph: b.graph({ sum }), flops: CHAIN * 2 * n ** 3 };
}

/** `count` dependent tiny nodes. Feed: `s`. */
export function launchGraph(count: number): Graph {
  const b = newBuilder();
  const s = b.input("s", "float32", []);
  let y = b.mul(s, 0.5);
  for (let i = 1; i < count; i++) y = i % 2 ? b.sub(s, y) : b.mul(s, y);
  return b.graph({ y });
}
export const LAUNCHES = TINY;

/** Elements of `mib` MiB in float32 go in (`feed`: summed on the device) or come out (`fetch`: spread from `s`). */
export function copyGraph(direction: "feed" | "fetch", mib: number): Graph {
  const b = newBuilder();
  const shape = [mib, 2 ** 18];
  if (direction === "feed") return b.graph({ y: b.sum(b.input("x", "float32", shape), [], false) });
  return b.graph({ y: b.expand(b.input("s", "float32", []), shape) });
}
