import type { Builder } from "../../engine/ir/builder.ts";
import type { Value } from "../../engine/ir/value.ts";

/** [N, 3, H, W] with red and blue exchanged. */
export function bgr(b: Builder, rgb: Value): Value {
  return b.concat(
    [2, 1, 0].map((c) => b.slice(rgb, 1, c, c + 1)),
    1,
  );
}
