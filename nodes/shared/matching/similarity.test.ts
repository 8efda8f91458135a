import { expect, test } from "vitest";
import { interpret } from "../../../engine/ops/interpret.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import { fakeEmbeddings } from "../../../test/fake-faces.ts";
import type { Comparison } from "../contracts/data.ts";
import { matchFaces } from "./match-faces.ts";
import { accepts, buildSimilarity, similarityOf, unitRows } from "./similarity.ts";

const rows = [
  [3, 0, 4],
  [1, 2, -2],
];
const others = [
  [0, 1, 0],
  [6, 0, 8],
  [-2, 5, 1],
];
const cosine = (a: readonly number[], b: readonly number[]) => {
  const dot = (x: readonly number[], y: readonly number[]) => x.reduce((s, v, i) => s + v * (y[i] ?? Number.NaN), 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};
const less = (row: readonly number[], mean: readonly number[]) => row.map((x, i) => x - (mean[i] ?? Number.NaN));
function expectClose(actual: ArrayLike<number>, expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  expected.forEach((x, i) => {
    expect(actual[i], `${i}`).toBeCloseTo(x, 6);
  });
}

test("rows of length 1 after the mean is taken off; a row that is the mean is 0", () => {
  const mean = Float32Array.of(1, 2, -2);
  expectClose(unitRows(f32([2, 3], rows.flat()), undefined), [0.6, 0, 0.8, 1 / 3, 2 / 3, -2 / 3]);
  const [x, y, z] = less(rows[0] ?? [], [...mean]);
  const length = Math.hypot(x ?? 0, y ?? 0, z ?? 0);
  expectClose(unitRows(f32([2, 3], rows.flat()), mean), [(x ?? 0) / length, (y ?? 0) / length, (z ?? 0) / length, 0, 0, 0]);
  expect(() => unitRows(f32([2, 3], rows.flat()), Float32Array.of(1, 2))).toThrow(
    expect.objectContaining({ code: "MATCH_MEAN", message: "the encoder's mean has 2 numbers, its vectors 3" }),
  );
});

test("every reference with every face: cosines, and distances of the raw vectors where these count", () => {
  const mean = [0.5, -0.5, 1];
  const comparison: Comparison = { kind: "l2", threshold: 1, mean: Float32Array.from(mean) };
  const { values, distances } = similarityOf(fakeEmbeddings(rows, { comparison }), fakeEmbeddings(others, { comparison }));
  expect([values.shape, distances?.shape]).toEqual([
    [2, 3],
    [2, 3],
  ]);
  expectClose(
    values.data,
    rows.flatMap((a) => others.map((b) => cosine(less(a, mean), less(b, mean)))),
  );
  expectClose(
    distances?.data ?? [],
    rows.flatMap((a) => others.map((b) => Math.hypot(...less(a, b)))),
  );
});

test("rounding does not lead a cosine out of −1 … 1", () => {
  for (let k = 1; k < 60; k++) {
    const row = [0.1 * k, 0.7, 1 / k];
    const { values } = similarityOf(fakeEmbeddings([row]), fakeEmbeddings([row, row.map((x) => -x)]));
    expect([values.data[0] ?? 2, -(values.data[1] ?? 2)].every((x) => x <= 1 && x > 0.999_999)).toBe(true);
  }
});

test("vectors of two encoders, or of two lengths, are not compared; no face is compared with anything", () => {
  const refused = expect.objectContaining({ code: "MATCH_ENCODERS" });
  expect(() => similarityOf(fakeEmbeddings(rows), fakeEmbeddings(others, { encoder: "other" }))).toThrow(refused);
  expect(() => similarityOf(fakeEmbeddings(rows), fakeEmbeddings([[1, 2]]))).toThrow(refused);
  expect(similarityOf(fakeEmbeddings(rows), fakeEmbeddings([])).values.shape).toEqual([2, 0]);
  expect(similarityOf(fakeEmbeddings([]), fakeEmbeddings(rows)).values.shape).toEqual([0, 2]);
});

test("the threshold itself is accepted: the greatest distance, the least cosine; what does not exist is not", () => {
  const l2: Comparison = { kind: "l2", threshold: 1, mean: Float32Array.of(0, 0) };
  const far = similarityOf(
    fakeEmbeddings(
      [
        [0, 0],
        [1, 0],
      ],
      { comparison: l2 },
    ),
    fakeEmbeddings(
      [
        [0, 2],
        [3, 0],
      ],
      { comparison: l2 },
    ),
  );
  expect([
    accepts(far, 0, 0, 2),
    accepts(far, 0, 0, 1.999),
    accepts(far, 1, 1, 2),
    accepts(far, 0, 1, 2.5),
    accepts(far, 2, 0, 99),
  ]).toEqual([true, false, true, false, false]);
  const near = similarityOf(
    fakeEmbeddings([
      [1, 0],
      [0, 1],
    ]),
    fakeEmbeddings([
      [0, 1],
      [1, 0],
    ]),
  );
  expect([accepts(near, 0, 1, 1), accepts(near, 0, 0, 0.01), accepts(near, 1, 0, 1), accepts(near, 2, 0, -1)]).toEqual([
    true,
    false,
    true,
    false,
  ]);
});

test("the differentiable form gives the same cosines, and no NaN where a vector is the mean", () => {
  for (const mean of [undefined, [1, 2, -2]]) {
    const comparison: Comparison = { kind: "cosine", threshold: 0, ...(mean && { mean: Float32Array.from(mean) }) };
    const generated = [...others, [1, 2, -2]];
    const b = newBuilder();
    const unit = unitRows(f32([2, 3], rows.flat()), comparison.mean);
    const cosines = buildSimilarity(b, b.input("r", "float32", [2, 3]), b.input("g", "float32", [4, 3]), comparison);
    const { r } = interpret(b.graph({ r: cosines }), {
      r: { shape: [2, 3], data: unit },
      g: { shape: [4, 3], data: Float64Array.from(generated.flat()) },
    });
    const expected = similarityOf(fakeEmbeddings(rows, { comparison }), fakeEmbeddings(generated, { comparison }));
    expect(r?.shape).toEqual([2, 4]);
    expectClose(r?.data ?? [], [...expected.values.data]);
  }
});

test("a match lists who is with whom, at what similarity and cost, and who is left over", () => {
  const similarity = similarityOf(
    fakeEmbeddings([
      [1, 0],
      [0, 1],
      [-1, 0],
    ]),
    fakeEmbeddings([
      [0.1, 1],
      [1, 0.1],
    ]),
  );
  const close = 1 / Math.hypot(1, 0.1);
  const { matches, margin } = matchFaces(similarity, { threshold: 0.9, gate: false });
  expect(matches.pairs).toEqual([
    { reference: 0, generated: 1, similarity: expect.closeTo(close, 6), cost: expect.closeTo(-close, 6), accepted: true },
    { reference: 1, generated: 0, similarity: expect.closeTo(close, 6), cost: expect.closeTo(-close, 6), accepted: true },
  ]);
  expect([matches.unmatchedReferences, matches.unmatchedGenerated]).toEqual([[2], []]);
  // The next best leaves one pair and gives its face to the third reference, at −0.1·close.
  expect(margin).toBeCloseTo(close + 0.1 * close, 6);
});

test("the distance from the intended place is added to the cost by its weight", () => {
  const similarity = similarityOf(
    fakeEmbeddings([[1, 0]]),
    fakeEmbeddings([
      [1, 0],
      [0.8, 0.6],
    ]),
  );
  const match = (weight: number) =>
    matchFaces(similarity, { threshold: 0, gate: false, layout: { weight, distances: Float64Array.of(0.9, 0.1) } }).matches.pairs[0];
  expect(match(0.1)).toMatchObject({ generated: 0, cost: expect.closeTo(-1 + 0.09, 6) });
  expect(match(2)).toMatchObject({ generated: 1, cost: expect.closeTo(-0.8 + 0.2, 6), similarity: expect.closeTo(0.8, 6) });
});

test("a gate forbids what fails the threshold, cell by cell", () => {
  const similarity = similarityOf(
    fakeEmbeddings([
      [1, 0],
      [0, 1],
    ]),
    fakeEmbeddings([
      [1, 0.9],
      [1, 0],
      [0, 1],
    ]),
  );
  const { matches } = matchFaces(similarity, { threshold: 0.9, gate: true });
  expect(matches.pairs.map((p) => [p.reference, p.generated])).toEqual([
    [0, 1],
    [1, 2],
  ]);
  expect(matchFaces(similarity, { threshold: 1.1, gate: true }).matches).toMatchObject({
    pairs: [],
    unmatchedReferences: [0, 1],
    unmatchedGenerated: [0, 1, 2],
  });
});
