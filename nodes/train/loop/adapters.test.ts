import { expect, test } from "vitest";
import { f32 } from "../../../engine/tensor/tensor.ts";
import { fakeClip, fakeExample, fakeModel, fakeVae } from "../../../test/fake-diffusion.ts";
import { interpreterCompute } from "../../../test/interpreter-compute.ts";
import { fakeTrainInputs } from "../../../test/train-fake.ts";
import type { Adapter } from "../../shared/contracts/modules.ts";
import { prepareExample } from "../model/prepared-example.ts";
import { loraNorm, newAdapters, targetedLinears } from "./adapters.ts";
import { continuedAdapters, loraId, rankAndAlpha } from "./init-lora.ts";
import { startAdapters, withInitLora } from "./start-adapters.ts";

const linears = new Map([
  ["a.attn.to_q", [6, 4]],
  ["b.attn.to_q", [6, 9]],
  ["b.attn.not_to_q", [6, 6]],
  ["to_out.0", [3, 5]],
] as const);
const model = { ...fakeModel(), linears };
const adapter = (target: string, a: readonly number[][], b: readonly number[][], scale = 1): Adapter => ({
  target,
  nameA: `x.${target}.A`,
  nameB: `x.${target}.B`,
  a: f32([a.length, a[0]?.length ?? 0], a.flat()),
  b: f32([b.length, b[0]?.length ?? 0], b.flat()),
  scale,
});

test("targets are whole names at the end of a path, or the path", () => {
  const paths = (...targets: string[]) => targetedLinears(model, targets).map(([path]) => path);
  expect(paths("to_q")).toEqual(["a.attn.to_q", "b.attn.to_q"]);
  expect(paths("attn.to_q", "to_out.0")).toEqual(["a.attn.to_q", "b.attn.to_q", "to_out.0"]);
  expect(paths("b.attn.to_q")).toEqual(["b.attn.to_q"]);
  expect(paths("q", "attn")).toEqual([]);
});

test("A is uniform within ±1/√in, B is 0, and both follow from the seed and the layer's place", () => {
  const wide = {
    ...fakeModel(),
    linears: new Map([
      ["w.to_q", [64, 400] as const],
      ["v.to_q", [64, 400] as const],
    ]),
  };
  const [first, second] = newAdapters(wide, ["to_q"], 32, 8, 5);
  if (!first || !second) throw new Error("two adapters are wanted");
  expect([first.a.shape, first.b.shape, first.scale, first.nameA, first.nameB]).toEqual([
    [32, 400],
    [64, 32],
    0.25,
    "train.w.to_q.lora_A",
    "train.w.to_q.lora_B",
  ]);
  const values = [...first.a.data];
  const mean = values.reduce((s, x) => s + x, 0) / values.length;
  const spread = Math.sqrt(values.reduce((s, x) => s + x * x, 0) / values.length);
  expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(1 / 20);
  expect(Math.abs(mean)).toBeLessThan(0.001);
  // A uniform number's spread is its bound over √3.
  expect(spread / (1 / 20 / Math.sqrt(3))).toBeCloseTo(1, 1);
  expect(first.b.data.every((x) => x === 0)).toBe(true);
  expect(first.a.data).not.toEqual(second.a.data);
  expect(newAdapters(wide, ["to_q"], 32, 8, 5)[1]).toEqual(second);
  expect(newAdapters(wide, ["to_q"], 32, 8, 6)[1]?.a.data).not.toEqual(second.a.data);
});

test("no layer, or a rank beyond one, is refused with what would work", () => {
  expect(() => newAdapters(model, ["to_v", "x"], 1, 1, 0)).toThrow(
    expect.objectContaining({
      code: "LORA_TARGETS",
      hint: "the model has for example a.attn.to_q, b.attn.to_q, b.attn.not_to_q, to_out.0",
    }),
  );
  expect(newAdapters(model, ["to_q"], 4, 1, 0)).toHaveLength(2);
  expect(() => newAdapters(model, ["to_q"], 5, 1, 0)).toThrow(
    expect.objectContaining({ code: "LORA_RANK", message: "rank 5 exceeds a.attn.to_q [6, 4]", hint: "choose a rank of at most 4" }),
  );
});

test("how far adapters move a model: the length of all their scale·B·A together", async () => {
  const two = [
    adapter(
      "p",
      [
        [1, 2],
        [0, 1],
      ],
      [
        [1, 0],
        [3, 1],
        [0, -2],
      ],
      0.5,
    ),
    adapter("q", [[2, 0, 1]], [[1], [-1]], 3),
  ];
  const length = (adapters: readonly Adapter[]) => {
    let sum = 0;
    for (const { a, b, scale } of adapters) {
      const [rank = 0, in_ = 0] = a.shape;
      for (let o = 0; o < (b.shape[0] ?? 0); o++)
        for (let i = 0; i < in_; i++) {
          let w = 0;
          for (let r = 0; r < rank; r++) w += scale * (b.data[o * rank + r] ?? 0) * (a.data[r * in_ + i] ?? 0);
          sum += w * w;
        }
    }
    return Math.sqrt(sum);
  };
  const compute = interpreterCompute();
  expect(await loraNorm(compute, two, new Map())).toBeCloseTo(length(two), 5);
  // The numbers of now count, where there are any.
  const now = new Map([["x.q.A", Float32Array.of(5, -1, 2)]]);
  const moved = [two[0], { ...two[1], a: f32([1, 3], [5, -1, 2]) }].filter((x): x is Adapter => x?.target !== undefined);
  expect(await loraNorm(compute, two, now)).toBeCloseTo(length(moved), 5);
  expect(await loraNorm(compute, [], new Map())).toBe(0);
});

const own = [
  adapter(
    "block.attn.to_k",
    [
      [1, 2],
      [0, 1],
    ],
    [
      [1, 0],
      [3, 1],
      [0, -2],
    ],
    0.5,
  ),
  adapter("block.attn.to_q", [[2, 0, 1]], [[1], [-1], [0]], 3),
];
const lora = { adapters: own, rank: 2, alpha: 1 };

test("a LoRA's identity is its numbers: not its names, nor the order of its layers", () => {
  const id = (adapters: readonly Adapter[]) => loraId({ adapters, rank: 2, alpha: 1 });
  const [k, q] = own;
  if (!k || !q) throw new Error("two layers are wanted");
  expect(id(own)).toMatch(/^lora:[0-9a-f]{32}$/);
  expect(id([q, k])).toBe(id(own));
  expect(id([{ ...k, nameA: "other" }, q])).toBe(id(own));
  const changed: Adapter[] = [
    { ...k, target: "block.attn.to_v" },
    { ...k, scale: 0.25 },
    { ...k, a: f32([2, 2], [1, 2, 0, 2]) },
    {
      ...k,
      b: f32(
        k.b.shape,
        k.b.data.map((x) => x + 1),
      ),
    },
    { ...k, outer: { name: "o", values: f32([1, 1], [1]) } },
    { ...k, outer: { name: "o", values: f32([1, 1], [2]) } },
    { ...k, bias: { name: "c", values: f32([3], [1, 1, 1]), scale: 1 } },
    { ...k, bias: { name: "c", values: f32([3], [1, 1, 1]), scale: 2 } },
    { ...k, dora: { name: "d", values: f32([3, 1], [1, 1, 1]), strength: 1, norm: "weight" } },
    { ...k, dora: { name: "d", values: f32([3, 1], [1, 1, 1]), strength: 1, norm: "changed" } },
  ];
  const ids = [own, ...changed.map((x) => [x, q])].map(id);
  expect(new Set(ids).size).toBe(ids.length);
});

test("rank and alpha are those of the layer of the highest rank, the first of several", () => {
  expect(rankAndAlpha({ adapters: own })).toEqual({ rank: 2, alpha: 1 });
  expect(rankAndAlpha({ adapters: own.toReversed() })).toEqual({ rank: 2, alpha: 1 });
  expect(rankAndAlpha({ adapters: [...own, { ...own[0], scale: 9 }].filter((x): x is Adapter => x?.target !== undefined) })).toEqual({
    rank: 2,
    alpha: 1,
  });
  expect(rankAndAlpha({ adapters: own.slice(1).map((x) => ({ ...x, scale: 1 / 3 })) })).toEqual({ rank: 1, alpha: 0.3333333 });
});

test("layers that can be trained on get names of the training, and keep everything else", () => {
  expect(continuedAdapters(fakeModel(), lora)).toEqual(
    own.map(({ target, a, b, scale }) => ({ target, nameA: `train.${target}.lora_A`, nameB: `train.${target}.lora_B`, a, b, scale })),
  );
  const [k, q] = own;
  if (!k || !q) throw new Error("two layers are wanted");
  const zero = (x: Adapter, ...parts: ("a" | "b")[]): Adapter => ({
    ...x,
    ...Object.fromEntries(parts.map((p) => [p, f32(x[p].shape, new Float32Array(x[p].data.length))])),
  });
  const refusal = (...adapters: Adapter[]) => {
    try {
      continuedAdapters(fakeModel(), { ...lora, adapters });
      return "";
    } catch (error) {
      return String(error);
    }
  };
  // One factor of 0 can still be trained: the gradient of the other is not 0.
  expect([refusal(zero(k, "a"), q), refusal(zero(k, "b"), q)]).toEqual(["", ""]);
  expect(refusal(zero(k, "a", "b"), q)).toMatch(/both factors of block\.attn\.to_k are 0: no gradient/);
  expect(refusal(zero(k, "a", "b"), zero(q, "a", "b"))).toMatch(/to_k are 0 \(and of 1 more\)/);
  expect(refusal(k, { ...q, bias: { name: "c", values: f32([3], [1, 1, 1]), scale: 1 } })).toMatch(
    /to_q of init_lora is a layer with a bias/,
  );
  expect(refusal({ ...k, dora: { name: "d", values: f32([3, 1], [1, 1, 1]), strength: 1, norm: "weight" } }, q)).toMatch(/is DoRA/);
});

test("a LoRA that is trained on decides targets, rank and alpha; what was typed otherwise is named", () => {
  const typed = { init_lora: lora, init_lora_as: "continue", targets: "to_k, to_q", rank: 2, alpha: 1, model: fakeModel() } as const;
  expect(withInitLora(typed)).toEqual({ inputs: { ...typed, targets: "as init_lora" }, warnings: [] });
  const words = (changes: object) => withInitLora({ ...typed, ...changes }).warnings.join();
  expect(words({ rank: 3 })).toMatch(/\(2 layers, rank 2, alpha 1\): rank 3 is not read/);
  expect(words({ alpha: 3, rank: 3, targets: "to_k" })).toMatch(/: targets, rank 3, alpha 3 is not read/);
  expect(words({ init_lora_as: "base", rank: 3 })).toBe("");
  expect(withInitLora({ rank: 3 })).toEqual({ inputs: { rank: 3 }, warnings: [] });
});

test("only layers that the velocity depends on are trained; of a LoRA the others are named", async () => {
  const encoders = { model: fakeModel(), vae: fakeVae, clip: fakeClip };
  const example = await prepareExample(interpreterCompute(), encoders, fakeExample(0), {
    guidanceScale: 1,
    negativePrompt: "",
    visionSize: 32,
  });
  const dead = new Map([...fakeModel().linears, ["last.to_add_q" as const, [3, 3] as const]]);
  const withDead = (adapters: readonly Adapter[] = []) => {
    const { linears: _, ...rest } = fakeModel(adapters);
    const built: ReturnType<typeof fakeModel> = { ...rest, linears: dead, withAdapters: (more) => withDead([...adapters, ...more]) };
    return built;
  };
  const started = (changes: Parameters<typeof fakeTrainInputs>[0]) =>
    startAdapters(fakeTrainInputs({ model: withDead(), ...changes }), example);
  const fresh = started({ targets: "to_q, to_add_q" });
  expect([fresh.adapters.map((x) => x.target), fresh.leftOut]).toEqual([["block.attn.to_q"], []]);
  const unused = adapter("last.to_add_q", [[1, 0, 0]], [[1], [0], [0]]);
  const continued = started({ init_lora: { ...lora, adapters: [...own, unused] }, init_lora_as: "continue" });
  expect([continued.adapters.map((x) => x.target), continued.leftOut]).toEqual([own.map((x) => x.target), ["last.to_add_q"]]);
  const base = started({ init_lora: lora, init_lora_as: "base", targets: "to_k" });
  expect([base.adapters.map((x) => x.target), base.model.adapters.length, base.leftOut]).toEqual([["block.attn.to_k"], 2, []]);
});
