// The assignment problem: shortest augmenting paths with potentials (Kuhn 1955; Jonker and Volgenant 1987), O(k²·max(M, N)).
import { AppError } from "../../../engine/base/errors.ts";

export interface AssignedPair {
  readonly row: number;
  readonly column: number;
}

export interface Assignment {
  /** By row. min(M, N) pairs, fewer when pairs are forbidden. */
  readonly pairs: readonly AssignedPair[];
  /** Sum of the costs of the pairs. */
  readonly total: number;
  /** Dual variables; they include the forbidden pairs that were used and then left out of `pairs`. */
  readonly rowPotentials: Float64Array;
  readonly columnPotentials: Float64Array;
  /** What a forbidden pair counted as while solving: more than any rearrangement of allowed pairs can save. */
  readonly forbiddenCost: number;
}

/**
 * The assignment of rows to columns with the most allowed pairs and, among these, the least total cost.
 *
 * Certificate: with c' = cost (forbiddenCost where +Infinity), u[i] + v[j] ≤ c'[i][j] everywhere with equality on the solved
 * pairs, and u ≤ 0 (M > N) or v ≤ 0 (M < N) with 0 on unassigned lines; so Σu + Σv = total proves the optimum.
 *
 * Deterministic: among equal costs the search takes the lowest index, and nothing depends on anything but the matrix.
 * @param costs row-major [rows, columns]; +Infinity forbids a pair; negative costs are fine.
 * @throws AppError MATCH_COST_NAN, MATCH_COST_RANGE (−Infinity, or costs too large to add up), MATCH_COST_SHAPE.
 */
export function hungarian(costs: Float64Array, rows: number, columns: number): Assignment {
  const forbiddenCost = checkCosts(costs, rows, columns);
  const flip = rows > columns;
  const n = flip ? columns : rows;
  const m = flip ? rows : columns;
  const matrix = new Float64Array(n * m);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < m; j++) {
      const c = costs[flip ? j * columns + i : i * columns + j] ?? 0;
      matrix[i * m + j] = c === Number.POSITIVE_INFINITY ? forbiddenCost : c;
    }
  const { owner, u, v } = solve(matrix, n, m);
  const pairs: AssignedPair[] = [];
  let total = 0;
  for (let j = 0; j < m; j++) {
    const i = owner[j] ?? -1;
    if (i < 0) continue;
    const pair = flip ? { row: j, column: i } : { row: i, column: j };
    const cost = costs[pair.row * columns + pair.column] ?? 0;
    if (cost === Number.POSITIVE_INFINITY) continue;
    pairs.push(pair);
    total += cost;
  }
  pairs.sort((a, b) => a.row - b.row);
  return { pairs, total, rowPotentials: flip ? v : u, columnPotentials: flip ? u : v, forbiddenCost };
}

/**
 * How much dearer the best other assignment is: the least rise of the total when one chosen pair is forbidden. 0 means a tie,
 * Infinity that no other assignment has as many pairs. Solves once more per pair.
 */
export function assignmentMargin(costs: Float64Array, rows: number, columns: number, best: Assignment): number {
  let margin = Number.POSITIVE_INFINITY;
  const without = costs.slice();
  for (const { row, column } of best.pairs) {
    const at = row * columns + column;
    without[at] = Number.POSITIVE_INFINITY;
    const other = hungarian(without, rows, columns);
    if (other.pairs.length === best.pairs.length) margin = Math.min(margin, Math.max(0, other.total - best.total));
    without[at] = costs[at] ?? 0;
  }
  return margin;
}

/** Checks every cell; returns the cost that stands for a forbidden pair. */
function checkCosts(costs: Float64Array, rows: number, columns: number): number {
  if (costs.length !== rows * columns)
    throw new AppError("MATCH_COST_SHAPE", `a cost matrix of ${rows} × ${columns} needs ${rows * columns} cells, got ${costs.length}`);
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let at = 0; at < costs.length; at++) {
    const c = costs[at] ?? 0;
    const cell = () => `row ${Math.floor(at / columns)}, column ${at % columns}`;
    if (Number.isNaN(c))
      throw new AppError("MATCH_COST_NAN", `the cost of ${cell()} is not a number`, {
        hint: "look at the embeddings of that row and column: a face encoder gave NaN",
        details: { row: Math.floor(at / columns), column: at % columns },
      });
    if (c === Number.NEGATIVE_INFINITY) throw new AppError("MATCH_COST_RANGE", `the cost of ${cell()} is -Infinity`);
    if (c === Number.POSITIVE_INFINITY) continue;
    low = Math.min(low, c);
    high = Math.max(high, c);
  }
  if (low > high) return 1;
  const gate = high + (Math.min(rows, columns) + 1) * (high - low) + 1;
  if (!Number.isFinite(gate * costs.length))
    throw new AppError("MATCH_COST_RANGE", `costs from ${low} to ${high} are too large to add up`, { hint: "scale the costs down" });
  return gate;
}

/** n ≤ m. Adds row after row by the shortest path of reduced costs; every path is at most n + 1 columns, so it always ends. */
function solve(matrix: Float64Array, n: number, m: number): { owner: Int32Array; u: Float64Array; v: Float64Array } {
  const u = new Float64Array(n);
  const v = new Float64Array(m);
  const owner = new Int32Array(m).fill(-1);
  const distance = new Float64Array(m);
  const from = new Int32Array(m);
  const done = new Uint8Array(m);
  const order = new Int32Array(m);
  for (let start = 0; start < n; start++) {
    distance.fill(Number.POSITIVE_INFINITY);
    done.fill(0);
    let row = start;
    let last = -1;
    let length = 0;
    let reached = 0;
    let visited = 0;
    for (;;) {
      const base = row * m;
      const offset = reached - (u[row] ?? 0);
      let best = -1;
      let bestDistance = Number.POSITIVE_INFINITY;
      for (let j = 0; j < m; j++) {
        if (done[j]) continue;
        const through = (matrix[base + j] ?? 0) - (v[j] ?? 0) + offset;
        let d = distance[j] ?? 0;
        if (through < d) {
          d = through;
          distance[j] = d;
          from[j] = last;
        }
        // A free column of equal distance ends the path sooner and gives the same total.
        if (d < bestDistance || (d === bestDistance && best >= 0 && owner[best] !== -1 && owner[j] === -1)) {
          bestDistance = d;
          best = j;
        }
      }
      reached = bestDistance;
      last = best;
      const next = owner[best] ?? -1;
      if (next < 0) {
        length = reached;
        break;
      }
      done[best] = 1;
      order[visited++] = best;
      row = next;
    }
    // Potentials move by how much sooner than the end of the path each line was reached: reduced costs stay non-negative.
    u[start] = (u[start] ?? 0) + length;
    for (let k = 0; k < visited; k++) {
      const j = order[k] ?? 0;
      const lead = length - (distance[j] ?? 0);
      const i = owner[j] ?? 0;
      v[j] = (v[j] ?? 0) - lead;
      u[i] = (u[i] ?? 0) + lead;
    }
    for (let j = last; ; ) {
      const previous = from[j] ?? -1;
      owner[j] = previous < 0 ? start : (owner[previous] ?? -1);
      if (previous < 0) break;
      j = previous;
    }
  }
  return { owner, u, v };
}
