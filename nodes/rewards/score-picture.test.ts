import { expect, test } from "vitest";
import { scoreShown } from "../../engine/api/shown.ts";
import { randomSource } from "../../engine/base/random.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { fakeContext } from "../../test/fake-context.ts";
import { interpreterCompute } from "../../test/interpreter-compute.ts";
import type { Reward } from "../shared/contracts/modules.ts";
import { decodePicture } from "../shared/pictures/codec.ts";
import { gradientMap } from "../shared/pictures/gradient-map.ts";
import { readReward } from "../shared/rewards/read-reward.ts";
import scorePicture from "./score-picture.ts";

const [H, W] = [6, 9];
const picture = f32(
  [1, H, W, 3],
  Float32Array.from({ length: H * W * 3 }, (_, i) => 0.2 + (0.6 * ((i * 37) % 101)) / 101),
);

/** Mean of squares of the left third. */
const left: Reward = {
  id: "left",
  name: "left",
  observe: async () => ({ structure: "", constants: {}, info: { looked: true } }),
  build: (b, image) => {
    const part = b.slice(image, 3, 0, 3);
    const reward = b.mean(b.mul(part, part), [0, 1, 2, 3], false);
    return { reward, parts: { brightness: b.mean(part, [0, 1, 2, 3], false) } };
  },
};
const nothing: Reward = { ...left, name: "nothing", observe: async () => ({ skip: "no face", structure: "", constants: {}, info: {} }) };
const blind: Reward = {
  ...left,
  name: "blind",
  observe: async () => ({ structure: "", constants: { v: f32([], Float32Array.of(0.5)) }, info: {} }),
  build: (_b, _image, { v }) => {
    if (!v) throw new Error("v was not given");
    return { reward: v, parts: {} };
  },
};

const run = async (reward: Reward, gradient = true) => {
  const ctx = fakeContext(interpreterCompute());
  const outputs = await scorePicture.run({ reward, image: picture, references: undefined, target: undefined, gradient }, ctx, {});
  return { ctx, outputs, shown: scoreShown.parse(ctx.shown[0]?.score?.[0]) };
};

test("value, parts and picture are shown; the gradient's map lights what the reward looks at", async () => {
  const { ctx, outputs, shown } = await run(left);
  expect(shown.value).toBeCloseTo(outputs.FLOAT, 6);
  expect(shown.parts.brightness).toBeGreaterThan(0.2);
  const map = await decodePicture(ctx.saved.get(shown.gradient?.filename ?? "") ?? new Uint8Array(), "map");
  const at = (x: number, y: number): number => map.rgb[(y * W + x) * 3] ?? -1;
  for (let y = 0; y < H; y++) for (let x = 0; x < W; x++) expect(at(x, y) > 0, `${x}, ${y}`).toBe(x < 3);
  expect(Math.max(...map.rgb)).toBe(255);
  expect(outputs.METRICS.values).toMatchObject({ left: outputs.FLOAT, "left.brightness": expect.any(Number) });
});

test("the gradient agrees with central differences", async () => {
  const compute = interpreterCompute();
  const context = { compute, references: null, target: null };
  const { gradient } = await readReward(compute, left, picture, context, { gradient: true });
  const rng = randomSource(4);
  for (let k = 0; k < 12; k++) {
    const i = rng.below(picture.data.length);
    const moved = async (by: number): Promise<number> => {
      const data = picture.data.slice();
      data[i] = (data[i] ?? 0) + by;
      return (await readReward(compute, left, f32(picture.shape, data), context)).reward ?? 0;
    };
    expect(gradient?.[i]).toBeCloseTo(((await moved(1e-2)) - (await moved(-1e-2))) / 2e-2, 4);
  }
});

test("without a gradient, without a face, and for a reward that does not look at the picture there is no map, and it says why", async () => {
  expect((await run(left, false)).shown.gradient).toBeNull();
  const skipped = await run(nothing);
  expect(skipped.shown).toMatchObject({ value: 0, gradient: null, skip: "no face" });
  expect(skipped.ctx.logs).toEqual(["warn: nothing has nothing to say about this picture: no face"]);
  const constant = await run(blind);
  expect(constant.shown).toMatchObject({ value: 0.5, gradient: null });
  expect(constant.ctx.logs).toEqual(["info: blind does not depend on the picture: it has no gradient"]);
});

test("a map's white is the strength that few pixels exceed, and the greatest where few have any", () => {
  const grey = (strengths: readonly number[]) =>
    [...gradientMap(Float32Array.from(strengths.flatMap((s) => [0.6 * s, 0, -0.8 * s])), 1, strengths.length).data].filter(
      (_, i) => i % 3 === 0,
    );
  // The third of four: floor(0.998 · 3) = 2.
  expect(grey([3, 1, 4, 2])).toEqual([1, Math.sqrt(1 / 3), 1, Math.sqrt(2 / 3)].map((x) => expect.closeTo(x, 6)));
  const spike = grey(Array.from({ length: 2000 }, (_, i) => (i === 7 ? 5 : 0)));
  expect([spike[7], spike.reduce((a, b) => a + b, 0)]).toEqual([1, 1]);
  const { data, shape } = gradientMap(Float32Array.from([3, 0, 4]), 1, 1);
  expect([[...data], shape]).toEqual([
    [1, 1, 1],
    [1, 1, 1, 3],
  ]);
});

test("a map of nothing is black", () => {
  expect(gradientMap(new Float32Array(12), 2, 2).data.every((v) => v === 0)).toBe(true);
});
