import type { Builder } from "../../engine/ir/builder.ts";
import type { Value } from "../../engine/ir/value.ts";
import { f32 } from "../../engine/tensor/tensor.ts";

/** [N, 3, H, W] RGB in 0..1 minus dlib's mean colour (122.782, 117.001, 104.298 of 255): the input of dlib's and face-api's nets. */
export function subtractFaceMean(b: Builder, x: Value): Value {
  return b.sub(x, b.constant(f32([1, 3, 1, 1], [122.782 / 255, 117.001 / 255, 104.298 / 255])));
}
