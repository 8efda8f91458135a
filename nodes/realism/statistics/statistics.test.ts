import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { withGradients } from "../../../engine/autodiff/with-gradients.ts";
import { randomSource } from "../../../engine/base/random.ts";
import { interpret } from "../../../engine/ops/interpret.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { createRuntime } from "../../../engine/ort/runtime.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import { decodePicture } from "../../shared/pictures/codec.ts";
import { buildStatistics } from "./build-statistics.ts";
import { STATISTIC_NAMES } from "./names.ts";

const golden = z
  .object({
    cases: z.array(
      z.object({ x: z.number(), y: z.number(), side: z.number(), values: z.record(z.string(), z.number()), cdf: z.array(z.number()) }),
    ),
  })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, "golden.json"), "utf8")));
const file = join(import.meta.dirname, "../../../graphs/input/astronaut.jpg");
const picture = await decodePicture(readFileSync(file), "astronaut.jpg");
const REAL = Array.from({ length: 16 }, (_, k) => 0.1 + (0.89 * k) / 15);
const runtime = createRuntime({ device: "cpu" });

function windowOf({ x, y, side }: { readonly x: number; readonly y: number; readonly side: number }): Float64Array {
  const out = new Float64Array(3 * side * side);
  for (let c = 0; c < 3; c++)
    for (let i = 0; i < side * side; i++)
      out[c * side * side + i] = (picture.rgb[3 * ((y + Math.floor(i / side)) * picture.width + x + (i % side)) + c] ?? 0) / 255;
  return out;
}

function ellipse(side: number): Float64Array {
  const mask = Float64Array.from({ length: side * side }, (_, i) => {
    const [u, v] = [(i % side) + 0.5 - side / 2, Math.floor(i / side) + 0.5 - side / 2];
    return (u / (0.45 * side)) ** 2 + (v / (0.4 * side)) ** 2 <= 1 ? 1 : 0;
  });
  const sum = mask.reduce((a, m) => a + m, 0);
  return mask.map((m) => m / sum);
}

function graphOf(side: number) {
  const b = newBuilder();
  const { values, gradientCdf } = buildStatistics(
    b,
    b.input("crop", "float32", [1, 3, side, side]),
    b.input("mask", "float32", [side, side]),
    b.input("real", "float32", [16]),
  );
  return b.graph({ ...values, cdf: gradientCdf });
}

test.each(golden.cases)("equals numpy and scipy in float64 at $side pixels", async ({ values, cdf, ...at }) => {
  const { side } = at;
  const feeds = { crop: f32([1, 3, side, side], windowOf(at)), mask: f32([side, side], ellipse(side)), real: f32([16], REAL) };
  const found = await runtime.run(graphOf(side), feeds);
  expect(Object.keys(values).sort()).toEqual([...STATISTIC_NAMES].sort());
  for (const name of STATISTIC_NAMES) {
    const wanted = values[name] ?? Number.NaN;
    expect(Math.abs(Number(found[name]?.data[0]) - wanted), name).toBeLessThan(2e-4 * Math.max(1, Math.abs(wanted)));
  }
  cdf.forEach((c, k) => {
    expect(Number(found.cdf?.data[k])).toBeCloseTo(c, 4);
  });
});

test("in float64 they agree to what float32 constants allow, and gradients with central differences", () => {
  const at = golden.cases[0] ?? { x: 0, y: 0, side: 24, values: {}, cdf: [] };
  const { side } = at;
  const crop = { shape: [1, 3, side, side], data: windowOf(at) };
  const fixed = { mask: { shape: [side, side], data: ellipse(side) }, real: { shape: [16], data: Float64Array.from(REAL) } };
  const graph = graphOf(side);
  const here = interpret(graph, { crop, ...fixed });
  // Filters' and transforms' constants are stored in float32.
  for (const name of STATISTIC_NAMES) expect(Math.abs(Number(here[name]?.data[0]) - (at.values[name] ?? 0)), name).toBeLessThan(1e-5);
  const rng = randomSource(3);
  const direction = crop.data.map(() => rng.normal());
  const moved = (step: number) =>
    interpret(graph, { crop: { ...crop, data: crop.data.map((p, i) => p + step * (direction[i] ?? 0)) }, ...fixed });
  const [plus, minus] = [moved(1e-7), moved(-1e-7)];
  for (const name of STATISTIC_NAMES) {
    const slope = interpret(withGradients(graph, name, ["crop"]), { crop, ...fixed })["grad.crop"]?.data ?? new Float64Array();
    const directional = slope.reduce((s, g, i) => s + g * (direction[i] ?? 0), 0);
    const difference = (Number(plus[name]?.data[0]) - Number(minus[name]?.data[0])) / 2e-7;
    expect(Math.abs(directional - difference), name).toBeLessThan(1e-4 * Math.max(1e-3, Math.abs(difference)));
    expect(Math.abs(directional), name).toBeGreaterThan(0);
  }
});
