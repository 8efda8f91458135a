import { expect, test } from "vitest";
import { matchShown } from "../../engine/api/shown.ts";
import { fakeContext } from "../../test/fake-context.ts";
import { fakeEmbeddings, fakeFace, fakeFaces } from "../../test/fake-faces.ts";
import type { Embeddings, Faces, Matches } from "../shared/contracts/data.ts";
import { similarityOf } from "../shared/matching/similarity.ts";
import faceSimilarity from "./face-similarity.ts";
import hungarianMatch from "./hungarian-match.ts";
import mimrNode from "./mimr.ts";
import sirNode from "./sir.ts";

async function match(
  references: Embeddings,
  generated: Embeddings,
  options: { layout_weight?: number; accept?: "all"; gate?: boolean; target?: Faces } = {},
) {
  const similarity = similarityOf(references, generated);
  const inputs = { similarity, layout_weight: 0, accept: "encoder", threshold: 0.5, gate: false, target: undefined, ...options } as const;
  return hungarianMatch.run(inputs, fakeContext(), {});
}

const pairsOf = (m: Matches) => m.pairs.map((p) => [p.reference, p.generated]);

test("cosine encoders are compared by cosine, after centring where they have a mean", () => {
  const plain = similarityOf(
    fakeEmbeddings([
      [1, 0],
      [1, 1],
    ]),
    fakeEmbeddings([
      [0, 3],
      [2, 0],
    ]),
  );
  expect([...plain.values.data].map((x) => x.toFixed(6))).toEqual(["0.000000", "1.000000", "0.707107", "0.707107"]);
  expect(plain.distances).toBeUndefined();
  const comparison = { kind: "cosine", threshold: 0.4, mean: Float32Array.of(1, 1) } as const;
  const centred = similarityOf(
    fakeEmbeddings([[2, 1]], { comparison }),
    fakeEmbeddings(
      [
        [1, 2],
        [0, 1],
        [1, 1],
      ],
      { comparison },
    ),
  );
  expect([...centred.values.data]).toEqual([0, -1, 0]);
});

test("L2 encoders keep the distances, and these decide acceptance", async () => {
  const comparison = { kind: "l2", threshold: 0.6, mean: Float32Array.of(0, 0) } as const;
  const references = fakeEmbeddings(
    [
      [1, 0],
      [0, 1],
    ],
    { comparison },
  );
  const generated = fakeEmbeddings(
    [
      [0, 1.5],
      [3, 0],
    ],
    { comparison },
  );
  const { MATCHES } = await match(references, generated);
  expect([...(MATCHES.similarity.distances?.data ?? [])].map((x) => x.toFixed(4))).toEqual(["1.8028", "2.0000", "0.5000", "3.1623"]);
  expect(MATCHES.pairs.map((p) => [p.reference, p.generated, p.similarity, p.accepted])).toEqual([
    [0, 1, 1, false],
    [1, 0, 1, true],
  ]);
});

test("different encoders are refused", () => {
  const other = fakeEmbeddings([[1, 0]], { encoder: "other" });
  expect(() => faceSimilarity.run({ references: fakeEmbeddings([[1, 0]]), generated: other }, fakeContext(), {})).toThrow(
    expect.objectContaining({ code: "MATCH_ENCODERS" }),
  );
});

test("the total decides, not the greatest cell; unmatched faces are listed", async () => {
  const unit = (c: number) => [c, Math.sqrt(1 - c * c)];
  const { MATCHES, margin } = await match(fakeEmbeddings([[1, 0]]), fakeEmbeddings([unit(0.2), unit(0.9), unit(0.5)]));
  expect(pairsOf(MATCHES)).toEqual([[0, 1]]);
  expect(MATCHES.unmatchedGenerated).toEqual([0, 2]);
  expect(margin).toBeCloseTo(0.4, 6);
});

test("gate forbids failing pairs; accept = all takes every pair", async () => {
  const references = fakeEmbeddings([
    [1, 0],
    [0, 1],
  ]);
  const generated = fakeEmbeddings([
    [1, 0.1],
    [1, 0],
  ]);
  const gated = (await match(references, generated, { gate: true })).MATCHES;
  expect(pairsOf(gated)).toEqual([[0, 1]]);
  expect(gated.unmatchedReferences).toEqual([1]);
  const marked = (await match(references, generated)).MATCHES;
  expect(marked.pairs.map((p) => p.accepted)).toEqual([true, false]);
  expect((await match(references, generated, { accept: "all" })).MATCHES.pairs.every((p) => p.accepted)).toBe(true);
});

test("the layout term resolves look-alikes by place, and needs places", async () => {
  const twins = [
    [1, 0.02],
    [1, 0],
  ];
  const swapped = fakeEmbeddings([
    [1, 0],
    [1, 0.02],
  ]);
  expect(pairsOf((await match(fakeEmbeddings(twins), swapped)).MATCHES)).toEqual([
    [0, 1],
    [1, 0],
  ]);
  expect(pairsOf((await match(fakeEmbeddings(twins), swapped, { layout_weight: 1 })).MATCHES)).toEqual([
    [0, 0],
    [1, 1],
  ]);
  const target = fakeFaces([fakeFace(75, 50), fakeFace(25, 50)]);
  expect(pairsOf((await match(fakeEmbeddings(twins), swapped, { layout_weight: 1, target })).MATCHES)).toEqual([
    [0, 1],
    [1, 0],
  ]);
  await expect(match(fakeEmbeddings(twins), swapped, { layout_weight: 1, target: fakeFaces([fakeFace(1, 1)]) })).rejects.toMatchObject({
    code: "MATCH_LAYOUT",
  });
});

test("scores of a match reach the run", async () => {
  const s = Math.sqrt(0.5);
  const { MATCHES } = await match(
    fakeEmbeddings([
      [1, 0],
      [0, 1],
    ]),
    fakeEmbeddings([
      [1, 0],
      [s, s],
    ]),
  );
  const ctx = fakeContext();
  const options = { matches: MATCHES, lambda1: 1, lambda2: -1, cap: 1, clamp_negative: false } as const;
  const umo = await mimrNode.run({ ...options, norm: "umo" }, ctx, {});
  expect(umo.FLOAT).toBeCloseTo((1 + s - s - 0) / 4, 6);
  const balanced = await mimrNode.run({ ...options, norm: "balanced" }, ctx, {});
  expect(balanced.FLOAT).toBeCloseTo((1 + s) / 2 - s / 2, 6);
  const sir = await sirNode.run({ matches: MATCHES }, ctx, {});
  expect(sir.FLOAT).toBeCloseTo((1 + s) / 2, 6);
  expect([...ctx.scores.keys()]).toEqual(["mimr_umo", "mimr_balanced", "sir"]);
});

test("NaN in an embedding is a typed error that names the pair", async () => {
  await expect(
    match(
      fakeEmbeddings([[1, 0]]),
      fakeEmbeddings([
        [1, 0],
        [Number.NaN, 1],
      ]),
    ),
  ).rejects.toMatchObject({ code: "MATCH_COST_NAN" });
});

test("nobody found: nothing matched, score 0", async () => {
  const { MATCHES, margin } = await match(fakeEmbeddings([[1, 0]]), { ...fakeEmbeddings([]), faces: fakeFaces([]) });
  expect(MATCHES).toMatchObject({ pairs: [], unmatchedReferences: [0], unmatchedGenerated: [] });
  expect(margin).toBe(Number.POSITIVE_INFINITY);
  expect((await sirNode.run({ matches: MATCHES }, fakeContext(), {})).FLOAT).toBe(0);
});

test("what is shown: faces by picture, the matrix, what it cost, and the threshold where there is one", async () => {
  const comparison = { kind: "l2", threshold: 0.6, mean: Float32Array.of(0, 0) } as const;
  const references = fakeEmbeddings([[1, 0]], { comparison });
  const generated = fakeEmbeddings(
    [
      [0, 1],
      [1, 0.5],
    ],
    { comparison, faces: { ...fakeFaces([fakeFace(20, 30, 10)]), faces: [[fakeFace(20, 30, 10), fakeFace(60, 50.04, 20)]] } },
  );
  const similarity = similarityOf(references, generated);
  const see = async (options: object) => {
    const ctx = fakeContext();
    const inputs = { similarity, layout_weight: 0, accept: "encoder", threshold: 0.5, gate: false, target: undefined, ...options } as const;
    await hungarianMatch.run(inputs, ctx, {});
    return { pairs: ctx.scores.get("pairs"), shown: matchShown.parse(ctx.shown[0]?.match?.[0]) };
  };
  const { pairs, shown } = await see({});
  const cosine = 1 / Math.hypot(1, 0.5);
  expect(pairs).toEqual([
    {
      reference: 0,
      generated: 1,
      similarity: expect.closeTo(cosine, 6),
      distance: expect.closeTo(0.5, 6),
      accepted: true,
      reference_box: [15, 40, 35, 60],
      generated_box: [50, 40, 70, 60],
    },
  ]);
  expect(shown).toMatchObject({
    references: { faces: [{ image: 0, box: [15, 40, 35, 60], score: 0.9 }] },
    generated: { faces: [{ image: 0, box: [15, 25, 25, 35] }, { image: 0 }] },
    cosine: [[expect.closeTo(0, 6), expect.closeTo(cosine, 6)]],
    distances: [[expect.closeTo(Math.SQRT2, 6), expect.closeTo(0.5, 6)]],
    costs: [[expect.closeTo(0, 6), expect.closeTo(-cosine, 6)]],
    threshold: 0.6,
    gate: false,
    byPlace: null,
    pairs: [{ reference: 0, generated: 1, accepted: true }],
    unmatchedReferences: [],
    unmatchedGenerated: [0],
  });
  expect((await see({ accept: "all" })).shown.threshold).toBeNull();
  expect((await see({ accept: "custom", threshold: 0.3 })).shown).toMatchObject({ threshold: 0.3, pairs: [{ accepted: false }] });
  // Places: of a target, or of the only picture that shows the references.
  const target = fakeFaces([fakeFace(22, 30, 10)]);
  expect((await see({ target })).shown).toMatchObject({ byPlace: [0], costs: [[expect.closeTo(0, 6), expect.closeTo(-cosine, 6)]] });
  const weighed = (await see({ target, layout_weight: 10 })).shown;
  expect(weighed).toMatchObject({ byPlace: [0], pairs: [{ generated: 0 }] });
  expect(weighed.costs[0]?.[0]).toBeGreaterThan(0);
  expect(weighed.costs[0]?.[0]).toBeLessThan(weighed.costs[0]?.[1] ?? 0);
  await expect(see({ target: fakeFaces([]), layout_weight: 1 })).rejects.toMatchObject({ code: "MATCH_LAYOUT" });
});

test("only pictures with faces in the match are shown, and one where there is none", async () => {
  const two = { ...fakeFaces([]).images, shape: [2, 100, 200, 3], data: new Float32Array(2 * 100 * 200 * 3) };
  const second: Embeddings = {
    ...fakeEmbeddings([[1, 0]]),
    source: [{ image: 1, face: 0 }],
    faces: { images: two, faces: [[], [fakeFace(9, 9)]] },
  };
  const none: Embeddings = {
    ...fakeEmbeddings([]),
    vectors: { ...fakeEmbeddings([[1, 0]]).vectors, shape: [0, 2], data: new Float32Array(0) },
  };
  const ctx = fakeContext();
  const similarity = similarityOf(second, none);
  await hungarianMatch.run({ similarity, layout_weight: 0, accept: "encoder", threshold: 0.5, gate: false, target: undefined }, ctx, {});
  const shown = matchShown.parse(ctx.shown[0]?.match?.[0]);
  expect(shown).toMatchObject({ references: { faces: [{ image: 0 }] }, generated: { faces: [] }, unmatchedReferences: [0] });
  expect([shown.references.pictures.length, shown.generated.pictures.length]).toEqual([1, 1]);
});
