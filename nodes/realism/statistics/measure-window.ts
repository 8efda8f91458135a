import type { Compute } from "../../../engine/ir/compute.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { f32, type Tensor } from "../../../engine/tensor/tensor.ts";
import type { MeasuredFace } from "./bands.ts";
import { buildStatistics, GRADIENT_LEVELS } from "./build-statistics.ts";
import { STATISTIC_NAMES } from "./names.ts";

/** @param realCdf what `gradient_distribution` compares with */
export async function measureWindow(
  compute: Compute,
  crop: Tensor<"float32">,
  mask: Tensor<"float32">,
  realCdf: readonly number[] = GRADIENT_LEVELS.map(() => 0),
): Promise<MeasuredFace> {
  const [, , side = 1] = crop.shape;
  const b = newBuilder();
  const { values, gradientCdf } = buildStatistics(
    b,
    b.input("crop", "float32", [1, 3, side, side]),
    b.input("mask", "float32", [side, side]),
    b.input("real", "float32", [GRADIENT_LEVELS.length]),
  );
  const found = await compute.run(b.graph({ ...values, cdf: gradientCdf }), { crop, mask, real: f32([GRADIENT_LEVELS.length], realCdf) });
  return {
    side,
    values: new Map(STATISTIC_NAMES.map((name) => [name, Number(found[name]?.data[0] ?? Number.NaN)])),
    gradientCdf: Array.from(found.cdf?.data ?? [], Number),
  };
}
