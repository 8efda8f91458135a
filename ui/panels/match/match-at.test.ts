import { describe, expect, test } from "vitest";
import { matchShown } from "../../../engine/api/shown.ts";
import { randomSource } from "../../../engine/base/random.ts";
import hungarianMatch from "../../../nodes/matching/hungarian-match.ts";
import type { Comparison, Faces } from "../../../nodes/shared/contracts/data.ts";
import { similarityOf } from "../../../nodes/shared/matching/similarity.ts";
import { fakeContext } from "../../../test/fake-context.ts";
import { fakeEmbeddings, fakeFace, fakeFaces } from "../../../test/fake-faces.ts";
import { matchAt, thresholdRange } from "./match-at.ts";
import { matchWords } from "./match-words.ts";

/** What HungarianMatch shows and gives for these vectors. */
async function run(
  references: readonly (readonly number[])[],
  generated: readonly (readonly number[])[],
  options: { readonly comparison?: Comparison; readonly threshold?: number; readonly gate?: boolean; readonly target?: Faces } = {},
) {
  const { comparison = { kind: "cosine", threshold: 0.4 } as const, threshold, gate = false, target } = options;
  const similarity = similarityOf(
    fakeEmbeddings(
      references.map((r) => [...r]),
      { comparison },
    ),
    fakeEmbeddings(
      generated.map((r) => [...r]),
      { comparison },
    ),
  );
  const inputs = {
    similarity,
    layout_weight: 0,
    accept: threshold === undefined ? "encoder" : "custom",
    threshold: threshold ?? 0,
    gate,
    target,
  } as const;
  const ctx = fakeContext();
  const { MATCHES } = await hungarianMatch.run(inputs, ctx, {});
  return { shown: matchShown.parse(ctx.shown[0]?.match?.[0]), matches: MATCHES };
}

const vectors = (seed: number, count: number): number[][] => {
  const rng = randomSource(seed);
  return Array.from({ length: count }, () => Array.from({ length: 4 }, () => rng.uniform() * 2 - 1));
};

test("at any threshold the panel's pairs are the node's own: cosine and distance, gated and not, more and fewer faces", async () => {
  for (let seed = 0; seed < 60; seed++) {
    const comparison: Comparison =
      seed % 2 === 0 ? { kind: "cosine", threshold: 0.4 } : { kind: "l2", threshold: 0.6, mean: new Float32Array(4) };
    const [m, n] = [1 + (seed % 4), 1 + ((seed >> 2) % 5)];
    const gate = seed % 3 === 0;
    const args = [vectors(seed, m), vectors(seed + 1000, n)] as const;
    const { shown } = await run(...args, { comparison, gate });
    for (const threshold of seed % 2 === 0 ? [-0.5, 0.2, 0.4, 0.9] : [0.2, 0.8, 1.5, 3]) {
      const { matches } = await run(...args, { comparison, gate, threshold });
      const at = matchAt(shown, threshold);
      expect(at.pairs.map((p) => [p.reference, p.generated, p.accepted])).toEqual(
        matches.pairs.map((p) => [p.reference, p.generated, p.accepted]),
      );
    }
  }
});

test("a dragged threshold refuses a pair, and says so; null accepts all", async () => {
  const { shown } = await run(
    [
      [1, 0],
      [0, 1],
    ],
    [
      [1, 0.1],
      [1, 1],
    ],
  );
  expect(matchAt(shown, shown.threshold).missing).toEqual([]);
  const strict = matchAt(shown, 0.9);
  expect(strict).toMatchObject({ missing: [1], strangers: [1] });
  expect(matchWords(shown, strict)).toEqual([
    { level: "warn", text: "Reference 2 is not in the picture: the closest face, 2, has cosine 0.71, beyond the threshold of 0.90." },
  ]);
  expect(matchAt(shown, null).pairs.every((p) => p.accepted)).toBe(true);
});

describe("in words", () => {
  const one = [1, 0, 0];
  const two = [0, 1, 0];
  const three = [0, 0, 1];
  const planned = (count: number): Faces => fakeFaces(Array.from({ length: count }, (_, k) => fakeFace(25 + 50 * k, 50)));
  const said = async (references: number[][], generated: number[][], target?: Faces) => {
    const { shown } = await run(references, generated, target ? { target } : {});
    return matchWords(shown, matchAt(shown, shown.threshold)).map((s) => s.text);
  };

  test("everyone is there", async () => {
    expect(await said([one, two], [two, one])).toEqual(["All 2 references are in the picture."]);
    expect(await said([one], [one])).toEqual(["The reference is in the picture."]);
  });
  test("missing people and strangers", async () => {
    expect(await said([one, two], [one])).toEqual(["Reference 2 is not in the picture."]);
    expect(await said([one], [one, two])).toEqual(["Face 2 is none of the references."]);
    expect(await said([], [one])).toEqual(["The references show no face. Lower min_score, or choose other pictures."]);
    expect(await said([one], [])).toEqual(["There is no face in the picture. Lower min_score, or look at the picture."]);
  });
  test("swapped people, rings of three, and one who stands where another should", async () => {
    expect(await said([one, two, three], [three, two, one], planned(3))).toEqual(["References 1 and 3 stand in each other's place."]);
    expect(await said([one, two, three], [two, three, one], planned(3))).toEqual([
      "References 1, 2 and 3 have changed places among one another.",
    ]);
    expect(await said([one, two, three], [one, two, three], planned(3))).toEqual([
      "All 3 references are in the picture, each in their own place.",
    ]);
    expect(await said([one, two], [two], planned(2))).toEqual([
      "Reference 2 stands where reference 1 should.",
      "Reference 1 is not in the picture.",
    ]);
  });
});

test("the scale holds every cell and the threshold", async () => {
  const { shown } = await run(
    [[1, 0]],
    [
      [-1, 0],
      [1, 0],
    ],
  );
  expect(thresholdRange(shown)).toEqual({ min: -1, max: 1, step: 0.01 });
  const far = await run([[1, 0]], [[-1, 0]], { comparison: { kind: "l2", threshold: 0.6, mean: new Float32Array(2) } });
  expect(thresholdRange(far.shown)).toEqual({ min: 0, max: 2, step: 0.01 });
});
