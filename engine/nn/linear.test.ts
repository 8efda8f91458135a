import { expect, test } from "vitest";
import { interpreterCompute } from "../../test/interpreter-compute.ts";
import { newBuilder } from "../ops/table.ts";
import { f32, type Tensor } from "../tensor/tensor.ts";
import { linear } from "./linear.ts";

const W = f32(
  [3, 4],
  Array.from({ length: 12 }, (_, i) => i * 0.5 - 4),
);
const A = f32([1, 4], [1, -2, 0.5, 3]);
const B = f32([3, 1], [0.5, -1, 2]);
const ROWS = f32([3, 1], [2, 3, 0.5]);
const COLUMNS = f32([1, 4], [1.5, 2, 0.25, 3]);

interface Low {
  readonly a?: Tensor<"float32">;
  readonly scale: number;
  readonly outer?: Tensor<"float32">;
  readonly dora?: { readonly magnitude: Tensor<"float32">; readonly strength: number; readonly norm: "weight" | "changed" };
}

/** x = [1, 2, −1, 0.5] through a Linear with bias [0.1, 0.2, 0.3]; the file's weight may be stored scaled. */
async function through(adapters: readonly Low[], scale?: Tensor<"float32">): Promise<number[]> {
  const b = newBuilder();
  const stored = scale
    ? f32(
        [3, 4],
        W.data.map((v, i) => v / (scale.data[scale.data.length === 1 ? 0 : Math.floor(i / 4)] ?? 1)),
      )
    : W;
  const y = linear(b, b.constant(f32([1, 1, 4], [1, 2, -1, 0.5])), {
    weight: b.constant(stored),
    bias: b.constant(f32([3], [0.1, 0.2, 0.3])),
    scale: scale ? b.constant(scale) : null,
    adapters: adapters.map(({ a = A, scale, outer, dora }) => ({
      a: b.constant(a),
      b: b.constant(B),
      scale,
      ...(outer && { outer: b.constant(outer) }),
      ...(dora && { dora: { ...dora, magnitude: b.constant(dora.magnitude) } }),
    })),
  });
  expect(y.shape).toEqual([1, 1, 3]);
  const { out } = await interpreterCompute().run(b.graph({ out: y }), {});
  return [...(out?.data ?? [])].map(Number);
}
const near = (a: readonly number[], b: readonly number[]) => {
  expect(a.length).toBe(b.length);
  a.forEach((x, i) => {
    expect(x).toBeCloseTo(b[i] ?? Number.NaN, 4);
  });
};

// ComfyUI's weight_decompose and peft's formula, in torch on the same numbers.
test("DoRA of rows and of columns, at any strength", async () => {
  const comfy = (magnitude: Tensor<"float32">, strength: number) =>
    ({ scale: 0.5, dora: { magnitude, strength, norm: magnitude === ROWS ? "weight" : "changed" } }) as const;
  near(await through([comfy(ROWS, 1)]), [-2.85658, -3.3602, -0.03408]);
  near(await through([comfy(ROWS, 0.5)]), [-6.00329, -3.7051, 0.50796]);
  near(await through([comfy(COLUMNS, 1)]), [-5.13384, -1.56141, 0.41363]);
  near(await through([comfy(COLUMNS, -0.25)]), [-10.15404, -4.67215, 1.20909]);
  const peft = (strength: number) => ({ scale: 0.5, dora: { magnitude: ROWS, strength, norm: "changed" } }) as const;
  near(await through([peft(1)]), [-2.93098, -2.60728, 0.17683]);
  near(await through([peft(0.5)]), [-6.04049, -3.32864, 0.61342]);
});

test("changes before it count, changes after it do not; blocks of a LoKr; a quantised weight is widened first", async () => {
  const dora = { magnitude: ROWS, strength: 0.5, norm: "weight" } as const;
  near(await through([{ scale: 0.25 }, { scale: 0.5, dora }]), [-6.18896, -3.05843, 0.00588]);
  near(await through([{ scale: 0.5, dora: { ...dora, strength: 1 } }, { scale: 0.25 }]), [-3.10658, -2.8602, -1.03408]);
  const lokr = { a: f32([1, 2], [1, 2]), outer: f32([1, 2], [1, -1]), scale: 0.5, dora: { ...dora, strength: 1 } };
  near(await through([lokr]), [-2.32591, -7.19425, 1.83675]);
  for (const scale of [f32([], [0.25]), f32([3, 1], [0.5, 2, 4])])
    near(await through([{ scale: 0.5, dora: { ...dora, strength: 1 } }], scale), [-2.85658, -3.3602, -0.03408]);
});

test("a weight of another width is refused by its name and shape, one that divides the width too", () => {
  for (const width of [3, 2, 8]) {
    const b = newBuilder();
    expect(() =>
      linear(b, b.input("x", "float32", [1, 1, 4]), {
        weight: b.weight("to_q.weight", "float32", [3, width], { kind: "host", tensor: f32([3, width], new Float32Array(3 * width)) }),
      }),
    ).toThrow(`to_q.weight is [3,${width}], and 4 numbers come in`);
  }
});
