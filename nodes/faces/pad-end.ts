import type { Builder } from "../../engine/ir/builder.ts";
import type { Value } from "../../engine/ir/value.ts";

/** Zeros after the end of each axis. */
export function padEnd(b: Builder, x: Value, after: readonly number[]): Value {
  if (after.every((n) => n === 0)) return x;
  return b.one("Pad", [x], { mode: "constant", pads: [...after.map(() => 0), ...after], value: 0 });
}
