import { expect, test } from "vitest";
import { randomSource } from "../../../engine/base/random.ts";
import { interpret } from "../../../engine/ops/interpret.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { f32, type Tensor, tensor } from "../../../engine/tensor/tensor.ts";
import { memoryWeights } from "../../../test/memory-weights.ts";
import { initialScorer, MIN_SCORER_SIDE, SCORER_FORMAT, scorerOfArrays, scorerOfFile, scorerShapes, scoreWindows } from "./scorer-net.ts";

const WIDTH = 2;
const SIDE = MIN_SCORER_SIDE;
const arrays = new Map(
  [...scorerShapes({ width: WIDTH })].map(([name, shape], i) => [
    name,
    randomSource(i)
      .normals(new Float32Array(shape.reduce((a, d) => a * d, 1)))
      .map((x) => 0.3 * x),
  ]),
);
const scorer = scorerOfArrays({ id: "own", name: "own.safetensors", width: WIDTH, side: SIDE, temperature: 2.5 }, arrays);
const silu = (x: number) => x / (1 + Math.exp(-x));
const at = (name: string, i: number) => arrays.get(name)?.[i] ?? Number.NaN;

/** The network taken literally, for one window. @param planes [3][side][side] */
function byDefinition(planes: readonly (readonly (readonly number[])[])[]): number {
  const side = planes[0]?.length ?? 0;
  const pixel = (c: number, y: number, x: number) => planes[c]?.[y]?.[x] ?? Number.NaN;
  const range = (n: number) => Array.from({ length: n }, (_, i) => i);
  const inner = range(side - 2);
  const colours = range(3).map((c) => inner.map((y) => inner.map((x) => 4 * (pixel(c, y + 1, x + 1) - 0.5))));
  const texture = range(3).map((c) =>
    inner.map((y) =>
      inner.map((x) => {
        let mean = 0;
        for (const dy of [0, 1, 2]) for (const dx of [0, 1, 2]) mean += pixel(c, y + dy, x + dx) / 9;
        return 16 * (pixel(c, y + 1, x + 1) - mean);
      }),
    ),
  );
  let x: number[][][] = [...colours, ...texture];
  const pooled: number[][] = [];
  [1, 1, 2, 1, 2].forEach((stride, layer) => {
    const before = x;
    const size = Math.floor(((before[0]?.length ?? 0) - 3) / stride) + 1;
    const channels = (arrays.get(`conv.${layer}.bias`) ?? []).length;
    x = range(channels).map((o) =>
      range(size).map((y) =>
        range(size).map((u) => {
          let sum = at(`conv.${layer}.bias`, o);
          before.forEach((plane, i) => {
            for (const dy of [0, 1, 2])
              for (const dx of [0, 1, 2])
                sum +=
                  at(`conv.${layer}.weight`, ((o * before.length + i) * 3 + dy) * 3 + dx) *
                  (plane[y * stride + dy]?.[u * stride + dx] ?? Number.NaN);
          });
          return silu(sum);
        }),
      ),
    );
    if (layer !== 0 && layer !== 4) return;
    const means = x.map((plane) => plane.flat().reduce((s, v) => s + v, 0) / plane.flat().length);
    pooled.push(means);
    pooled.push(
      x.map((plane, c) => Math.sqrt(plane.flat().reduce((s, v) => s + (v - (means[c] ?? 0)) ** 2, 0) / plane.flat().length + 1e-5)),
    );
  });
  const features = pooled.flat();
  const hidden = range(4 * WIDTH).map((o) =>
    silu(features.reduce((s, v, i) => s + v * at("hidden.weight", o * features.length + i), at("hidden.bias", o))),
  );
  return hidden.reduce((s, v, i) => s + v * at("out.weight", i), at("out.bias", 0));
}

test("two windows of any side are scored as the description of the network says, divided by the temperature", () => {
  for (const side of [SIDE, SIDE + 7]) {
    const rng = randomSource(side);
    const windows = Float64Array.from({ length: 2 * 3 * side * side }, () => rng.uniform());
    const b = newBuilder();
    const scores = scoreWindows(b, scorer, b.input("windows", "float32", [2, 3, side, side]));
    const { data } = interpret(b.graph({ scores }), { windows: { shape: [2, 3, side, side], data: windows } }).scores ?? { data: [] };
    const planes = (n: number) =>
      Array.from({ length: 3 }, (_, c) =>
        Array.from({ length: side }, (_, y) => Array.from({ length: side }, (_, x) => windows[((n * 3 + c) * side + y) * side + x] ?? 0)),
      );
    expect(data).toHaveLength(2);
    for (const n of [0, 1]) expect(Number(data[n])).toBeCloseTo(byDefinition(planes(n)) / 2.5, 6);
  }
});

test("weights begin with He's spread, biases at 0, and follow from the seed", () => {
  const first = initialScorer({ width: 16 }, 3);
  for (const [name, shape] of scorerShapes({ width: 16 })) {
    const values = first.get(name) ?? new Float32Array();
    expect(values, name).toHaveLength(shape.reduce((a, d) => a * d, 1));
    if (name.endsWith("bias")) expect(values.every((x) => x === 0)).toBe(true);
    else {
      const inputs = shape.slice(1).reduce((a, d) => a * d, 1);
      const spread = Math.sqrt(values.reduce((s, x) => s + x * x, 0) / values.length);
      expect(Math.abs(spread / Math.sqrt(2 / inputs) - 1), name).toBeLessThan(4 / Math.sqrt(2 * values.length));
    }
  }
  expect(initialScorer({ width: 16 }, 3)).toEqual(first);
  expect(initialScorer({ width: 16 }, 4)).not.toEqual(first);
});

const metadata = { format: SCORER_FORMAT, width: String(WIDTH), side: String(SIDE), temperature: "2.5" };
const tensors = new Map([...scorerShapes({ width: WIDTH })].map(([name, shape]) => [name, f32(shape, arrays.get(name) ?? [])]));

test("a file says its own shape; another kind of file, and a weight that is missing or different, is named", () => {
  expect(scorerOfFile(memoryWeights(tensors, { metadata }))).toMatchObject({ width: WIDTH, side: SIDE, temperature: 2.5 });
  for (const [key, value] of [
    ["format", "other"],
    ["width", "0"],
    ["side", String(SIDE - 1)],
    ["temperature", "0"],
  ] as const)
    expect(() => scorerOfFile(memoryWeights(tensors, { metadata: { ...metadata, [key]: value } }))).toThrow(
      expect.objectContaining({ code: "REALISM_SCORER", message: expect.stringContaining(key) }),
    );
  const without = new Map(tensors);
  without.delete("hidden.bias");
  expect(() => scorerOfFile(memoryWeights(without, { metadata }))).toThrow(/hidden\.bias should be float32 \[8\], it is missing/);
  const other = new Map(tensors).set("out.bias", f32([2], [0, 0]));
  expect(() => scorerOfFile(memoryWeights(other, { metadata }))).toThrow(/out\.bias should be float32 \[1\], it is float32 \[2\]/);
  const half = new Map<string, Tensor>(tensors);
  half.set("out.bias", tensor("float64", [1], Float64Array.of(0)));
  expect(() => scorerOfFile(memoryWeights(half, { metadata }))).toThrow(/it is float64/);
});

test("an unknown weight is refused, from a file and from memory", () => {
  const b = newBuilder();
  for (const each of [scorer, scorerOfFile(memoryWeights(tensors, { metadata }))])
    expect(() => each.weight(b, "conv.9.weight", [1])).toThrow(/has no conv\.9\.weight/);
});
