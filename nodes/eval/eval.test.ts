import { describe, expect, test } from "vitest";
import { fakeContext } from "../../test/fake-context.ts";
import { fakeEmbeddings, fakeFace, fakeFaces } from "../../test/fake-faces.ts";
import type { Similarity } from "../shared/contracts/data.ts";
import { matchFaces } from "../shared/matching/match-faces.ts";
import { similarityOf } from "../shared/matching/similarity.ts";
import { blendValue } from "../shared/metrics/blend-value.ts";
import { copyPasteValues } from "../shared/metrics/copy-paste-values.ts";
import { idConfValue } from "../shared/metrics/id-conf-value.ts";
import { idSimValue } from "../shared/metrics/id-sim-value.ts";
import { swapRateValue } from "../shared/metrics/swap-rate-value.ts";
import countAccuracy from "./count-accuracy.ts";
import saveMetrics from "./save-metrics.ts";

/** A similarity with these values; the embeddings behind it only carry the counts and places. */
function similarity(values: readonly (readonly number[])[], columns = values[0]?.length ?? 0): Similarity {
  const some = (n: number) => fakeEmbeddings(Array.from({ length: n }, () => [1, 0]));
  return {
    values: { dtype: "float64", shape: [values.length, columns], data: Float64Array.from(values.flat()) },
    references: some(values.length),
    generated: some(columns),
    comparison: { kind: "cosine", threshold: 0.4 },
  };
}
const matched = (s: Similarity) => matchFaces(s, { threshold: 0, gate: false }).matches;

describe("ID-Sim", () => {
  test("a clone satisfies every reference of max, but one of matched", () => {
    const { max, matched: m } = idSimValue(similarity([[0.8], [0.6]]));
    expect(max).toBeCloseTo(70, 9);
    expect(m).toBeCloseTo(40, 9);
  });
  test("no face: 0; a negative best counts as it is", () => {
    expect(idSimValue(similarity([[], []], 0))).toMatchObject({ max: 0, matched: 0 });
    expect(idSimValue(similarity([[-0.2, -0.1]])).max).toBeCloseTo(-10, 9);
  });
});

describe("ID-Conf", () => {
  test("both forms on ordinary faces", () => {
    const { paper, code } = idConfValue(
      similarity([
        [0.2, 0.8, 0.1],
        [0.5, 0.5, 0],
      ]),
    );
    expect(paper).toBeCloseTo((75 + 0) / 2, 9);
    expect(code).toBeCloseTo((75 + 0) / 2, 9);
  });
  test("a negative second best gives full credit, a non-positive best none", () => {
    const { paper, code } = idConfValue(
      similarity([
        [0.5, -0.5],
        [-0.1, -0.2],
      ]),
    );
    expect(paper).toBe(50);
    expect(code).toBe(50);
  });
  test("one face: full credit in the paper's form, no entry in the code's", () => {
    expect(idConfValue(similarity([[0.6]]))).toEqual({ paper: 100, code: undefined });
    expect(idConfValue(similarity([[]], 0))).toEqual({ paper: 0, code: undefined });
  });
});

test("count accuracy and error", async () => {
  const ctx = fakeContext();
  const right = await countAccuracy.run(
    {
      similarity: similarity([
        [1, 0],
        [0, 1],
      ]),
    },
    ctx,
    {},
  );
  expect(right.METRICS.values).toEqual({ count_accuracy: 1, count_error: 0, faces_wanted: 2, faces_found: 2 });
  const missing = await countAccuracy.run({ similarity: similarity([[1], [0]]) }, ctx, {});
  expect(missing.METRICS.values).toEqual({ count_accuracy: 0, count_error: -1, faces_wanted: 2, faces_found: 1 });
  expect(ctx.scores.get("faces_found")).toBe(1);
});

describe("swap rate", () => {
  const target = fakeFaces([fakeFace(25, 50), fakeFace(75, 50), fakeFace(125, 50)]);
  test("nobody swapped, two swapped, one missing", () => {
    expect(
      swapRateValue(
        matched(
          similarity([
            [1, 0, 0],
            [0, 1, 0],
            [0, 0, 1],
          ]),
        ),
        target,
      ).rate,
    ).toBe(0);
    expect(
      swapRateValue(
        matched(
          similarity([
            [0, 1, 0],
            [1, 0, 0],
            [0, 0, 1],
          ]),
        ),
        target,
      ),
    ).toMatchObject({ rate: 2 / 3, swapped: [0, 1] });
    expect(
      swapRateValue(
        matched(
          similarity([
            [0, 1],
            [1, 0],
            [0, 0],
          ]),
        ),
        target,
      ),
    ).toMatchObject({ rate: 1, compared: 2 });
    expect(swapRateValue(matched(similarity([[], [], []], 0)), target).rate).toBeUndefined();
  });
  test("sizes of target and picture do not matter, numbers of people do", () => {
    const large = fakeFaces([fakeFace(250, 500), fakeFace(750, 500), fakeFace(1250, 500)], {
      dtype: "float32",
      shape: [1, 1000, 2000, 3],
      data: new Float32Array(),
    });
    expect(
      swapRateValue(
        matched(
          similarity([
            [1, 0, 0],
            [0, 1, 0],
            [0, 0, 1],
          ]),
        ),
        large,
      ).rate,
    ).toBe(0);
    expect(() => swapRateValue(matched(similarity([[1]])), target)).toThrow(expect.objectContaining({ code: "METRIC_TARGET" }));
  });
});

describe("copy-paste", () => {
  const at = (degrees: number) => [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  const value = (reference: number, target: number, generated: number) =>
    copyPasteValues(
      matched(similarityOf(fakeEmbeddings([at(reference)]), fakeEmbeddings([at(generated)]))),
      fakeEmbeddings([at(target)]),
    )[0]?.value;
  test("1 for a copy of the reference, -1 for the target, 0 half way, and the formula between", () => {
    expect(value(0, 40, 0)).toBeCloseTo(1, 4);
    expect(value(0, 40, 40)).toBeCloseTo(-1, 3);
    expect(value(0, 40, 20)).toBeCloseTo(0, 5);
    expect(value(0, 40, 10)).toBeCloseTo((30 - 10) / 40, 5);
  });
  test("a target for every reference is asked for", () => {
    const matches = matched(similarityOf(fakeEmbeddings([at(0)]), fakeEmbeddings([at(3)])));
    expect(() => copyPasteValues(matches, fakeEmbeddings([at(1), at(2)]))).toThrow(expect.objectContaining({ code: "METRIC_TARGET" }));
  });
});

test("blend is the mean over i ≠ j of face i with person j", () => {
  expect(
    blendValue(
      matched(
        similarity([
          [0.9, 0.1, 0.2],
          [0.3, 0.8, 0.1],
          [0, 0.4, 0.7],
        ]),
      ),
    ),
  ).toBeCloseTo((0.3 + 0 + 0.1 + 0.4 + 0.2 + 0.1) / 6, 12);
  expect(blendValue(matched(similarity([[0.9]])))).toBeUndefined();
});

test("SaveMetrics merges, names repeats, saves and shows", async () => {
  const ctx = fakeContext();
  const extra = { metrics_10: { values: { id_sim: 3 } }, metrics_2: { values: { id_sim: 2 }, details: { encoder: "other" } } };
  const { METRICS } = await saveMetrics.run({ metrics_1: { values: { id_sim: 1, m_cp: 0.5 } }, filename: "scores" }, ctx, extra);
  expect(METRICS.values).toEqual({ id_sim: 1, m_cp: 0.5, id_sim_2: 2, id_sim_3: 3 });
  expect(JSON.parse(new TextDecoder().decode(ctx.saved.get("scores.json")))).toEqual({
    values: METRICS.values,
    details: [{ encoder: "other" }],
  });
  expect(ctx.shown[0]).toEqual({ text: ["id_sim    1.0000\nm_cp      0.50000\nid_sim_2  2.0000\nid_sim_3  3.0000"] });
  await expect(saveMetrics.run({ metrics_1: { values: {} }, filename: "x" }, ctx, { metrics_2: 5 })).rejects.toMatchObject({
    code: "METRIC_INPUT",
  });
});
