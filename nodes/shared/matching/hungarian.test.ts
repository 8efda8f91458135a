import { expect, test } from "vitest";
import { AppError } from "../../../engine/base/errors.ts";
import { randomSource } from "../../../engine/base/random.ts";
import { assignmentMargin, hungarian } from "./hungarian.ts";

const INF = Number.POSITIVE_INFINITY;

/** Least cost among the assignments with most allowed pairs, by trying all of them; every optimal one is listed. */
function bruteForce(costs: Float64Array, rows: number, columns: number): { pairs: number; total: number; second: number } {
  const all: { pairs: number; total: number }[] = [];
  const take = (row: number, used: number, pairs: number, total: number): void => {
    if (row === rows) {
      all.push({ pairs, total });
      return;
    }
    for (let j = 0; j < columns; j++) {
      const c = costs[row * columns + j] ?? INF;
      if (!(used & (1 << j)) && c < INF) take(row + 1, used | (1 << j), pairs + 1, total + c);
    }
    take(row + 1, used, pairs, total);
  };
  take(0, 0, 0, 0);
  const pairs = all.reduce((most, a) => Math.max(most, a.pairs), 0);
  const totals = all.filter((a) => a.pairs === pairs).map((a) => a.total);
  totals.sort((a, b) => a - b);
  return { pairs, total: totals[0] ?? 0, second: totals[1] ?? INF };
}

function matrix(seed: number, rows: number, columns: number, kind: number): Float64Array {
  const rng = randomSource(seed);
  return Float64Array.from({ length: rows * columns }, () => {
    if (kind === 0) return rng.uniform() * 2 - 1;
    if (kind === 1) return rng.below(3) - 1;
    if (kind === 2) return rng.uniform() < 0.3 ? INF : rng.uniform();
    return rng.uniform() < 0.5 ? INF : rng.below(2);
  });
}

test("5,000 small problems agree with brute force: random, ties, rectangular, negative, forbidden", () => {
  for (let seed = 0; seed < 5000; seed++) {
    const rng = randomSource(seed + 1_000_000);
    // Mostly up to 5×6; 7×8 now and then: all rectangular assignments are tried.
    const big = seed % 1000 === 999;
    const rows = big ? 7 : 1 + rng.below(5);
    const columns = big ? 8 : 1 + rng.below(6);
    const costs = matrix(seed, rows, columns, seed % 4);
    const found = hungarian(costs, rows, columns);
    const truth = bruteForce(costs, rows, columns);
    expect(found.pairs.length, `pairs of seed ${seed}`).toBe(truth.pairs);
    expect(Math.abs(found.total - truth.total), `total of seed ${seed}`).toBeLessThan(1e-12);
    expect(new Set(found.pairs.map((p) => p.row)).size).toBe(found.pairs.length);
    expect(new Set(found.pairs.map((p) => p.column)).size).toBe(found.pairs.length);
    if (seed % 10 < 4 && !big) {
      const margin = assignmentMargin(costs, rows, columns, found);
      if (truth.second === INF) expect(margin).toBe(INF);
      else expect(Math.abs(margin - (truth.second - truth.total)), `margin of seed ${seed}`).toBeLessThan(1e-12);
    }
  }
});

test("an 8×8 problem agrees with brute force", () => {
  const costs = matrix(8, 8, 8, 2);
  const truth = bruteForce(costs, 8, 8);
  const found = hungarian(costs, 8, 8);
  expect(found.pairs.length).toBe(truth.pairs);
  expect(found.total).toBeCloseTo(truth.total, 12);
});

test.each([
  [256, 256],
  [256, 200],
  [150, 256],
  [64, 1],
  [1, 64],
])("%i × %i: the potentials prove the optimum", (rows, columns) => {
  for (let kind = 0; kind < 4; kind++) {
    const costs = matrix(77 + kind, rows, columns, kind);
    const { pairs, total, rowPotentials: u, columnPotentials: v, forbiddenCost } = hungarian(costs, rows, columns);
    const at = (i: number, j: number) => Math.min(forbiddenCost, costs[i * columns + j] ?? 0);
    let worst = 0;
    for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) worst = Math.min(worst, at(i, j) - (u[i] ?? 0) - (v[j] ?? 0));
    expect(worst).toBeGreaterThan(-1e-9);
    for (const { row, column } of pairs) expect(Math.abs(at(row, column) - (u[row] ?? 0) - (v[column] ?? 0))).toBeLessThan(1e-9);
    const free = rows > columns ? u : v;
    if (rows !== columns) expect(Math.max(...free)).toBeLessThanOrEqual(1e-9);
    const dual = [...u, ...v].reduce((s, x) => s + x, 0);
    const dropped = Math.min(rows, columns) - pairs.length;
    expect(dual).toBeCloseTo(total + dropped * forbiddenCost, 6);
  }
});

/** The optimal assignment, as columns by row, that comes first in dictionary order; a row without an allowed column ranks as `columns`. */
function firstOptimum(costs: Float64Array, rows: number, columns: number): number[] {
  let best: { pairs: number; total: number; chosen: number[] } | undefined;
  const take = (used: number, chosen: number[], total: number): void => {
    if (chosen.length === rows) {
      const pairs = chosen.filter((j) => j < columns).length;
      const difference = best ? best.pairs - pairs || total - best.total : -1;
      // Assignments are tried in dictionary order: an equal one comes later.
      if (difference < 0) best = { pairs, total, chosen };
      return;
    }
    for (let j = 0; j < columns; j++) {
      const c = costs[chosen.length * columns + j] ?? INF;
      if (!(used & (1 << j)) && c < INF) take(used | (1 << j), [...chosen, j], total + c);
    }
    take(used, [...chosen, columns], total);
  };
  take(0, [], 0);
  return best?.chosen ?? [];
}

test("of equal assignments the first row has the lowest column, then the second row, in 3,000 problems full of ties", () => {
  for (let seed = 0; seed < 3000; seed++) {
    const rng = randomSource(seed);
    const [rows, columns] = [1 + rng.below(4), 1 + rng.below(4)];
    const costs = Float64Array.from({ length: rows * columns }, () =>
      seed % 3 === 2 && rng.below(3) === 0 ? INF : rng.below(2) - (seed % 2),
    );
    const found = new Array<number>(rows).fill(columns);
    for (const { row, column } of hungarian(costs, rows, columns).pairs) found[row] = column;
    expect(found, `seed ${seed}: ${rows}×${columns} [${costs}]`).toEqual(firstOptimum(costs, rows, columns));
  }
});

test("ties are broken by index, the same way every time", () => {
  const flat = new Float64Array(16).fill(-0.4);
  expect(hungarian(flat, 4, 4).pairs).toEqual([0, 1, 2, 3].map((i) => ({ row: i, column: i })));
  expect(hungarian(flat, 2, 8).pairs).toEqual([0, 1].map((i) => ({ row: i, column: i })));
  expect(hungarian(flat, 8, 2).pairs).toEqual([0, 1].map((i) => ({ row: i, column: i })));
  expect(assignmentMargin(flat, 4, 4, hungarian(flat, 4, 4))).toBe(0);
});

test("forbidden pairs are dropped, never looped over", () => {
  expect(hungarian(new Float64Array(9).fill(INF), 3, 3)).toMatchObject({ pairs: [], total: 0 });
  expect(hungarian(Float64Array.of(INF, INF, 0.5, INF), 2, 2).pairs).toEqual([{ row: 1, column: 0 }]);
  // Two allowed pairs beat one cheaper pair.
  expect(hungarian(Float64Array.of(-100, 5, 5, INF), 2, 2)).toMatchObject({ total: 10 });
  expect(hungarian(new Float64Array(0), 0, 0)).toMatchObject({ pairs: [], total: 0 });
  expect(hungarian(new Float64Array(0), 3, 0)).toMatchObject({ pairs: [], total: 0 });
});

test("NaN, -Infinity, overflow and a wrong length are typed errors", () => {
  const code = (costs: Float64Array, rows: number, columns: number): string => {
    try {
      hungarian(costs, rows, columns);
    } catch (error) {
      if (error instanceof AppError) return `${error.code}: ${error.message}`;
    }
    return "no error";
  };
  expect(code(Float64Array.of(0, 1, 2, 3, Number.NaN, 5), 2, 3)).toBe("MATCH_COST_NAN: the cost of row 1, column 1 is not a number");
  expect(code(Float64Array.of(0, Number.NEGATIVE_INFINITY), 1, 2)).toMatch(/^MATCH_COST_RANGE: the cost of row 0, column 1/);
  expect(code(Float64Array.of(-1e308, 1e308), 1, 2)).toMatch(/^MATCH_COST_RANGE/);
  expect(code(new Float64Array(3), 2, 2)).toMatch(/^MATCH_COST_SHAPE/);
});
