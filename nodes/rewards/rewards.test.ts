import { describe, expect, test } from "vitest";
import { grad } from "../../engine/autodiff/grad.ts";
import { interpret, toReference } from "../../engine/ops/interpret.ts";
import { newBuilder } from "../../engine/ops/table.ts";
import { fakeContext } from "../../test/fake-context.ts";
import { fakeDetector, fakeEncoder, noiseImage } from "../../test/fake-face-models.ts";
import { fakeFace } from "../../test/fake-faces.ts";
import { interpreterCompute } from "../../test/interpreter-compute.ts";
import type { Face, Image } from "../shared/contracts/data.ts";
import type { FaceEncoder, Reward, RewardContext } from "../shared/contracts/modules.ts";
import { embedFaces } from "../shared/faces/embed-faces.ts";
import { matchFaces } from "../shared/matching/match-faces.ts";
import { mimr, SIR_AS_MIMR, UMO_MIMR } from "../shared/matching/mimr-value.ts";
import { similarityOf } from "../shared/matching/similarity.ts";
import { observationNumbers } from "../shared/rewards/observation-numbers.ts";
import { readReward } from "../shared/rewards/read-reward.ts";
import capReward from "./cap-reward.ts";
import { countReward } from "./count-reward.ts";
import evaluateNode from "./evaluate-reward.ts";
import { gateReward } from "./gate-reward.ts";
import hingeReward from "./hinge-reward.ts";
import { identityReward } from "./identity-loss.ts";
import { layoutReward } from "./layout-reward.ts";
import { type MatchingRewardOptions, matchingReward } from "./matching-reward.ts";
import mimrReward from "./mimr-reward.ts";
import normalizeReward from "./normalize-reward.ts";
import sirReward from "./sir-reward.ts";
import weightedSum, { weightedSumReward } from "./weighted-sum-reward.ts";

const H = 24;
const W = 40;
const compute = interpreterCompute();
const encoder = fakeEncoder();
const centred = fakeEncoder({ comparison: { kind: "l2", threshold: 1, mean: Float32Array.of(0.1, -0.2, 0.3, 0, 0.1) } });
const faces = [fakeFace(9, 11, 9), fakeFace(22, 12, 13), fakeFace(33, 9, 8)];
const image = noiseImage(7, H, W);
const target = { image: noiseImage(8, 2 * H, 2 * W), faces: [fakeFace(66, 20, 18), fakeFace(20, 24, 20)] };
const references = {
  images: [noiseImage(9, 20, 20), noiseImage(10, 30, 20)],
  faces: [fakeFace(10, 10, 12), fakeFace(9, 15, 14)],
};
const context: RewardContext = { compute, references, target };
const OPTIONS: MatchingRewardOptions = { mimr: UMO_MIMR, against: "refs", layoutWeight: 0, maxFaces: 4 };
const read = (reward: Reward, picture: Image = image, c: RewardContext = context) => readReward(compute, reward, picture, c);

/** A reward of this value, without a gradient; `skip` = it skips every picture. */
const fixed = (name: string, value: number | "skip"): Reward => ({
  id: name,
  name,
  observe: async () =>
    value === "skip"
      ? { skip: "nothing", structure: "", constants: {}, info: {} }
      : { structure: "c", constants: { v: { dtype: "float32", shape: [], data: Float32Array.of(value) } }, info: {} },
  build: (_b, _i, { v }) => {
    if (!v) throw new Error("v was not given");
    return { reward: v, parts: {} };
  },
});

/** The largest error of the gradient against central differences in float64, relative to the largest difference. */
async function gradientError(reward: Reward): Promise<number> {
  const { structure, constants, skip } = await reward.observe(image, context);
  expect(skip).toBeUndefined();
  const b = newBuilder();
  const x = b.input("image", "float32", [1, 3, H, W]);
  const fed = Object.fromEntries(Object.entries(constants).map(([name, t]) => [name, b.input(`reward.${name}`, t.dtype, t.shape)]));
  const { reward: value } = reward.build(b, x, fed, structure);
  const [dx] = grad(b, value, [x]);
  if (!dx) throw new Error("no gradient");
  const feeds = Object.fromEntries(Object.entries(constants).map(([name, t]) => [`reward.${name}`, toReference(t)]));
  const pixels = new Float64Array(3 * H * W).map((_, i) => image.data[(i % (H * W)) * 3 + Math.floor(i / (H * W))] ?? 0);
  const at = (data: Float64Array) => ({ ...feeds, image: { shape: [1, 3, H, W], data } });
  const gradient = interpret(b.graph({ dx }), at(pixels)).dx?.data ?? new Float64Array();
  const forward = b.graph({ value });
  const evaluate = (data: Float64Array) => interpret(forward, at(data)).value?.data[0] ?? Number.NaN;
  let scale = 0;
  let worst = 0;
  // The largest entries, and some from all over.
  const order = [...gradient.keys()].sort((p, q) => Math.abs(gradient[q] ?? 0) - Math.abs(gradient[p] ?? 0));
  for (const i of [...order.slice(0, 12), ...order.filter((_, k) => k % 300 === 7)]) {
    const [up, down] = [pixels.slice(), pixels.slice()];
    up[i] = (up[i] ?? 0) + 1e-5;
    down[i] = (down[i] ?? 0) - 1e-5;
    const difference = (evaluate(up) - evaluate(down)) / 2e-5;
    scale = Math.max(scale, Math.abs(difference));
    worst = Math.max(worst, Math.abs(difference - (gradient[i] ?? 0)));
  }
  expect(scale).toBeGreaterThan(1e-5);
  return worst / scale;
}

/** The score of the data nodes for the same picture. */
async function byNodes(found: readonly Face[], options: MatchingRewardOptions, encoder: FaceEncoder): Promise<number> {
  const people = await Promise.all(
    references.faces.map((face, k) => embedFaces(compute, encoder, { images: references.images[k] ?? image, faces: [[face]] })),
  );
  const [first] = people;
  if (!first) throw new Error("no references");
  const data = Float32Array.from(people.flatMap((p) => [...p.vectors.data]));
  const all = {
    ...first,
    vectors: { dtype: "float32", shape: [people.length, encoder.dim], data } as const,
    source: people.map((_, k) => ({ image: k, face: 0 })),
  };
  const similarity = similarityOf(all, await embedFaces(compute, encoder, { images: image, faces: [found] }));
  const { matches } = matchFaces(similarity, { threshold: 0, gate: false });
  return mimr(similarity.values.data, people.length, found.length, matches.pairs, options.mimr).reward;
}

describe("the matching reward", () => {
  const detector = fakeDetector(faces);
  const balanced = { ...OPTIONS, mimr: { norm: "balanced", lambda1: 1, lambda2: -0.5, cap: 0.3, clampNegative: true } } as const;
  test.each([
    ["umo", OPTIONS, faces, encoder],
    ["balanced, capped, clamped", balanced, faces, encoder],
    ["one face for two people", OPTIONS, faces.slice(0, 1), encoder],
    ["an encoder compared by L2", OPTIONS, faces, centred],
  ] as const)("equals the score of the nodes: %s", async (_, options, found, used) => {
    const { reward, parts } = await read(matchingReward("mimr", fakeDetector(found), used, options));
    const expected = await byNodes(found, options, used);
    expect(Math.abs(expected)).toBeGreaterThan(1e-3);
    expect(Math.abs((reward ?? Number.NaN) - expected)).toBeLessThan(1e-6);
    expect((parts.matched ?? 0) + (parts.unmatched ?? 0)).toBeCloseTo(reward ?? Number.NaN, 6);
  });

  test("its gradient reaches the pixels, as central differences say", async () => {
    expect(await gradientError(matchingReward("mimr", detector, encoder, OPTIONS))).toBeLessThan(1e-6);
    expect(
      await gradientError(matchingReward("mimr", detector, encoder, { ...balanced, mimr: { ...balanced.mimr, cap: 1 } })),
    ).toBeLessThan(1e-6);
    expect(await gradientError(matchingReward("mimr", detector, centred, { ...OPTIONS, against: "both", layoutWeight: 0.5 }))).toBeLessThan(
      1e-6,
    );
  });

  test("no face: skipped. Any number of faces of like size has the same structure", async () => {
    const none = await matchingReward("mimr", fakeDetector([]), encoder, OPTIONS).observe(image, context);
    expect(none).toMatchObject({ skip: "no face was found", constants: {} });
    const small = [fakeFace(9, 11, 9), fakeFace(22, 12, 8.5), fakeFace(33, 9, 8)];
    const structures = await Promise.all(
      [1, 2, 3].map(
        async (n) => (await matchingReward("mimr", fakeDetector(small.slice(0, n)), encoder, OPTIONS).observe(image, context)).structure,
      ),
    );
    expect(new Set(structures).size).toBe(1);
  });

  test("the target can take the references' place, and the layout decides swaps", async () => {
    const same = { ...context, target: { image, faces: faces.slice(0, 2) } };
    const perfect = await read(
      matchingReward("sir", detector, encoder, { ...OPTIONS, against: "target", mimr: { ...UMO_MIMR, norm: "balanced", lambda2: 0 } }),
      image,
      same,
    );
    expect(perfect.reward).toBeCloseTo(1, 5);
    // The two have swapped places: a strong layout term must reverse the pairs.
    const swapped = { ...context, target: { image, faces: [faces[1], faces[0]].flatMap((f) => (f ? [f] : [])) } };
    const twoFaces = fakeDetector(faces.slice(0, 2));
    const pairs = async (layoutWeight: number, c: RewardContext) =>
      (await matchingReward("mimr", twoFaces, encoder, { ...OPTIONS, layoutWeight }).observe(image, c)).info.pairs;
    const byIdentity = await pairs(0, swapped);
    expect([await pairs(100, swapped), await pairs(100, same)]).toContainEqual(byIdentity);
    expect(await pairs(100, swapped)).not.toEqual(await pairs(100, same));
  });

  test("what is missing is said", async () => {
    const reward = matchingReward("mimr", detector, encoder, OPTIONS);
    await expect(reward.observe(image, { ...context, references: null })).rejects.toMatchObject({ code: "REWARD_REFERENCES" });
    const against = matchingReward("mimr", detector, encoder, { ...OPTIONS, against: "both" });
    await expect(against.observe(image, { ...context, target: null })).rejects.toMatchObject({ code: "REWARD_TARGET" });
    const three = { image, faces };
    await expect(against.observe(image, { ...context, target: three })).rejects.toMatchObject({ code: "REWARD_TARGET" });
  });
});

test("the nodes carry their widgets into the reward", async () => {
  const models = { face_detector: fakeDetector(faces), face_encoder: encoder } as const;
  const widgets = { norm: "balanced", lambda1: 2, lambda2: -0.5, cap: 0.3, clamp_negative: true } as const;
  const { REWARD } = await mimrReward.run(
    { ...models, ...widgets, against: "refs", layout_weight: 0, max_faces: 2, min_size: 0 },
    fakeContext(),
    {},
  );
  const expected = await byNodes(
    faces.slice(0, 2),
    { ...OPTIONS, mimr: { norm: "balanced", lambda1: 2, lambda2: -0.5, cap: 0.3, clampNegative: true } },
    encoder,
  );
  expect(REWARD.name).toBe("mimr_balanced");
  expect((await read(REWARD)).reward).toBeCloseTo(expected, 6);
  const sir = await sirReward.run({ ...models, cap: 0.2, against: "refs", max_faces: 4 }, fakeContext(), {});
  expect((await read(sir.REWARD)).reward).toBeCloseTo(await byNodes(faces, { ...OPTIONS, mimr: { ...SIR_AS_MIMR, cap: 0.2 } }, encoder), 6);
});

describe("the identity loss", () => {
  const options = { against: "target", cap: 1, infoNce: 0, temperature: 0.5 } as const;
  test("is 1 on the target itself, with another size too", async () => {
    const half = { ...context, target: { image, faces } };
    expect((await read(identityReward(encoder, options), image, half)).reward).toBeCloseTo(1, 5);
    expect((await read(identityReward(encoder, options))).reward).toBeLessThan(0.9);
    expect(Object.keys((await read(identityReward(encoder, options), image, half)).parts)).toEqual(["cosine"]);
    // Only one side differs: the faces move with it.
    for (const [height, width] of [
      [2 * H, W],
      [H, 2 * W],
    ] as const) {
      const [sx, sy] = [width / W, height / H];
      const move = ([x, y]: readonly [number, number]) => [x * sx, y * sy] as const;
      const stretched = faces.map(
        ({ box: [x0, y0, x1, y1], points5: [a, b, c, d, e], score }): Face => ({
          box: [x0 * sx, y0 * sy, x1 * sx, y1 * sy],
          points5: [move(a), move(b), move(c), move(d), move(e)],
          score,
        }),
      );
      const { constants } = await identityReward(encoder, options).observe(image, {
        ...context,
        target: { image: noiseImage(8, height, width), faces: stretched },
      });
      const { constants: own } = await identityReward(encoder, options).observe(image, { ...context, target: { image, faces } });
      expect(constants.crop_indices).toEqual(own.crop_indices);
    }
  });
  test("the contrastive term is the cross entropy over people", async () => {
    const { reward, parts } = await read(identityReward(encoder, { ...options, infoNce: 0.1 }), image, {
      ...context,
      target: { image, faces },
    });
    const { vectors } = await embedFaces(compute, encoder, { images: image, faces: [faces] });
    const s = similarityOf(
      {
        encoder: "e",
        comparison: encoder.comparison,
        vectors,
        source: faces.map((_, face) => ({ image: 0, face })),
        faces: { images: image, faces: [faces] },
      },
      {
        encoder: "e",
        comparison: encoder.comparison,
        vectors,
        source: faces.map((_, face) => ({ image: 0, face })),
        faces: { images: image, faces: [faces] },
      },
    ).values.data;
    let expected = 0;
    for (let j = 0; j < 3; j++) {
      const total = [0, 1, 2].reduce((sum, k) => sum + Math.exp((s[k * 3 + j] ?? 0) / 0.5), 0);
      expected -= Math.log(Math.exp((s[j * 3 + j] ?? 0) / 0.5) / total) / 3;
    }
    expect(parts.info_nce).toBeCloseTo(expected, 5);
    expect(reward).toBeCloseTo(1 - 0.1 * expected, 5);
  });
  test("its gradient reaches the pixels", async () => {
    expect(await gradientError(identityReward(encoder, { ...options, infoNce: 0.3 }))).toBeLessThan(1e-6);
  });
});

describe("count and layout", () => {
  test("count is 1 when right", async () => {
    const value = async (n: number) => (await read(countReward(fakeDetector(faces.slice(0, n)), 0))).reward;
    expect([await value(0), await value(1), await value(2), await value(3)]).toEqual([0, 0.5, 1, Math.fround(2 / 3)]);
  });
  test("layout is 1 in place, less when swapped, and counts the missing", async () => {
    const mine = {
      ...context,
      references: { images: [image, image], faces: faces.slice(0, 2) },
      target: { image, faces: faces.slice(0, 2) },
    };
    const turned = { ...mine, target: { image, faces: faces.slice(0, 2).reverse() } };
    const value = async (c: RewardContext, n = 2) =>
      (await read(layoutReward(fakeDetector(faces.slice(0, n)), encoder, 4), image, c)).reward;
    expect(await value(mine)).toBeCloseTo(1, 6);
    expect(await value(turned)).toBeCloseTo(1 - Math.hypot(13, 1) / Math.hypot(W, H), 5);
    expect(await value(mine, 1)).toBeCloseTo(0.5, 6);
  });
  test("pictures are searched once, whoever asks", async () => {
    const detector = fakeDetector(faces);
    const picture = noiseImage(99, H, W);
    await read(
      weightedSumReward([countReward(detector, 0), countReward(detector, 0), countReward(detector, 0)], [1, 1, 1], {
        missing: "zero",
        floor: 0,
      }),
      picture,
    );
    expect(detector.calls).toBe(1);
  });
});

describe("combinations", () => {
  const ctx = fakeContext();
  test("weighted sum: values, parts under unique names, a missing part at its floor", async () => {
    const sum = await weightedSum.run({ reward_1: fixed("a", 2), weights: "1, 0.5,-1 , 3", missing: "floor", floor: -1 }, ctx, {
      reward_10: fixed("c", "skip"),
      reward_2: fixed("a", 4),
      reward_3: fixed("b", 1),
    });
    const { reward, parts, info } = await read(sum.REWARD);
    expect(reward).toBe(0);
    expect(parts).toEqual({ a: 2, a_2: 4, b: 1 });
    expect(info.c).toEqual({ skip: "nothing" });
  });
  test("losing a part never pays, unless it was asked to", async () => {
    const two = (missing: "floor" | "skip" | "zero", value: number | "skip") =>
      read(weightedSumReward([fixed("a", value), fixed("b", 1)], [2, -1], { missing, floor: -1 }));
    expect((await two("floor", -0.4)).reward).toBeCloseTo(-1.8, 6);
    expect((await two("floor", "skip")).reward).toBe(-3);
    expect(await two("skip", "skip")).toMatchObject({ reward: undefined, skip: "a: nothing" });
    expect((await two("zero", "skip")).reward).toBe(-1);
    const none = (missing: "floor" | "zero") => read(weightedSumReward([fixed("a", "skip")], [-2], { missing, floor: -0.5 }));
    expect((await none("floor")).reward).toBe(-1);
    expect((await none("zero")).skip).toBe("a: nothing");
  });
  test("what parts found and asked for, as numbers", async () => {
    const detector = fakeDetector(faces);
    const sum = weightedSumReward([countReward(detector, 0), matchingReward("mimr", fakeDetector([]), encoder, OPTIONS)], [1, 1], {
      missing: "floor",
      floor: -1,
    });
    const { info, reward } = await read(sum);
    expect(reward).toBeCloseTo(2 / 3 - 1, 5);
    expect(observationNumbers(info, "reward.")).toEqual({
      "reward.count.skipped": 0,
      "reward.count.faces_found": 3,
      "reward.count.faces_asked": 2,
      "reward.mimr.skipped": 1,
      "reward.mimr.faces_found": 0,
      "reward.mimr.faces_asked": 2,
    });
  });
  test("weights that do not fit are refused", () => {
    const run = (weights: string) => weightedSum.run({ reward_1: fixed("a", 2), weights, missing: "zero", floor: 0 }, ctx, {});
    expect(() => run("1, 2")).toThrow(expect.objectContaining({ code: "REWARD_WEIGHTS" }));
    expect(() => run("1, x")).toThrow(expect.objectContaining({ code: "REWARD_WEIGHTS" }));
    expect(weightedSum.check?.({ weights: "1,,2" })).toHaveLength(1);
    expect(() => weightedSum.run({ reward_1: fixed("a", 2), weights: "1,1", missing: "zero", floor: 0 }, ctx, { reward_2: 5 })).toThrow(
      expect.objectContaining({ code: "REWARD_INPUT" }),
    );
  });
  test("cap, hinge, normalize", async () => {
    const value = async (node: { REWARD: Reward } | Promise<{ REWARD: Reward }>) => (await read((await node).REWARD)).reward;
    expect(await value(capReward.run({ reward: fixed("a", 2), cap: 1.5 }, ctx, {}))).toBe(1.5);
    expect(await value(capReward.run({ reward: fixed("a", 1), cap: 1.5 }, ctx, {}))).toBe(1);
    expect(await value(hingeReward.run({ reward: fixed("a", 0.25), floor: 0.75, power: "1" }, ctx, {}))).toBe(-0.5);
    expect(await value(hingeReward.run({ reward: fixed("a", 0.25), floor: 0.75, power: "2" }, ctx, {}))).toBe(-0.25);
    expect(await value(hingeReward.run({ reward: fixed("a", 1), floor: 0.75, power: "1" }, ctx, {}))).toBe(-0);
    expect(await value(normalizeReward.run({ reward: fixed("a", 3), mean: 1, std: 4 }, ctx, {}))).toBe(0.5);
  });
  test("gate", async () => {
    expect(await read(gateReward(fixed("a", 3), fixed("g", 1), 1))).toMatchObject({ reward: 3, parts: { a: 3, g: 1, open: 1 } });
    expect(await read(gateReward(fixed("a", 3), fixed("g", 0.9), 1))).toMatchObject({
      reward: 0,
      parts: { a: 3, g: Math.fround(0.9), open: 0 },
    });
    expect((await read(gateReward(fixed("a", 3), fixed("g", "skip"), 1))).skip).toBe("g: nothing");
  });
  test("a composition keeps the gradient right", async () => {
    const detector = fakeDetector(faces);
    const matching = matchingReward("mimr", detector, encoder, OPTIONS);
    const identity = identityReward(encoder, { against: "target", cap: 1, infoNce: 0, temperature: 1 });
    const hinged = await hingeReward.run({ reward: identity, floor: 2, power: "2" }, ctx, {});
    const scaled = await normalizeReward.run({ reward: matching, mean: 0.1, std: 0.5 }, ctx, {});
    const gated = gateReward(scaled.REWARD, countReward(detector, 0), 0.5);
    const both = weightedSumReward([gated, hinged.REWARD, countReward(detector, 0)], [1, 0.5, 1], { missing: "skip", floor: 0 });
    expect(await gradientError(both)).toBeLessThan(1e-6);
    const { parts } = await read(both);
    expect(Object.keys(parts)).toEqual(
      expect.arrayContaining(["gated_normalized", "gated_normalized.normalized.mimr.matched", "hinge.identity.cosine", "count"]),
    );
  });
});

test("EvaluateReward gives the mean over pictures, the parts, and a score", async () => {
  const ctx = fakeContext(compute);
  const pictures: Image = { ...image, shape: [2, H, W, 3], data: Float32Array.from([...image.data, ...noiseImage(11, H, W).data]) };
  const people = { images: noiseImage(12, 20, 20), faces: [[fakeFace(10, 10, 12)]] };
  const reward = matchingReward("mimr", fakeDetector(faces), encoder, OPTIONS);
  const { FLOAT, METRICS } = await evaluateNode.run({ reward, image: pictures, references: people, target: undefined }, ctx, {});
  expect(METRICS.values).toMatchObject({ mimr: FLOAT, "mimr.skipped": 0 });
  expect((METRICS.values["mimr.matched"] ?? 0) + (METRICS.values["mimr.unmatched"] ?? 0)).toBeCloseTo(FLOAT, 6);
  expect(ctx.scores.get("mimr")).toBe(FLOAT);
  const each = [image, noiseImage(11, H, W)].map((picture) =>
    read(reward, picture, { compute, target: null, references: { images: [people.images], faces: [fakeFace(10, 10, 12)] } }),
  );
  const readings = await Promise.all(each);
  expect(FLOAT).toBeCloseTo(readings.reduce((sum, r) => sum + (r.reward ?? 0), 0) / 2, 6);
  expect(METRICS.details).toHaveLength(2);
  const one = await evaluateNode.run({ reward: fixed("a", "skip"), image, references: people, target: undefined }, ctx, {});
  expect(one).toMatchObject({ FLOAT: 0, METRICS: { values: { "a.skipped": 1 }, details: [{ skip: "nothing" }] } });
  // A picture that is skipped does not lower the mean of the others.
  let looked = 0;
  const second: Reward = { ...fixed("b", 3), observe: async (...given) => fixed("b", looked++ === 0 ? "skip" : 3).observe(...given) };
  const half = await evaluateNode.run({ reward: second, image: pictures, references: people, target: undefined }, fakeContext(compute), {});
  expect(half).toMatchObject({ FLOAT: 3, METRICS: { values: { b: 3, "b.skipped": 1 } } });
  expect(ctx.logs).toEqual(["warn: a has nothing to say about a picture: nothing"]);
});
