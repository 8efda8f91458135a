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
 * Ties: of all optimal assignments the one whose first row takes the lowest column (none comes last), then the second row, and so on.
 * Sums that differ by less than 1e-12 of the largest cost count as equal.
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
  const [rowPotentials, columnPotentials] = flip ? [v, u] : [u, v];
  const columnOf = completed(owner, n, m, flip);
  preferLowColumns(columnOf, { costs, rows, columns, rowPotentials, columnPotentials, forbiddenCost });
  const pairs: AssignedPair[] = [];
  let total = 0;
  for (let row = 0; row < rows; row++) {
    const column = columnOf[row] ?? columns;
    const cost = column < columns ? (costs[row * columns + column] ?? 0) : Number.POSITIVE_INFINITY;
    if (cost === Number.POSITIVE_INFINITY) continue;
    pairs.push({ row, column });
    total += cost;
  }
  return { pairs, total, rowPotentials, columnPotentials, forbiddenCost };
}

/** Column of each row, where the shorter side is filled up with lines that cost nothing: a permutation of 0 … max − 1. */
function completed(owner: Int32Array, n: number, m: number, flip: boolean): Int32Array {
  // owner: of each of m lines, the line of n that has it, or −1.
  let free = n;
  const filled = owner.map((i) => (i < 0 ? free++ : i));
  if (flip) return filled;
  const inverse = new Int32Array(m);
  filled.forEach((i, j) => {
    inverse[i] = j;
  });
  return inverse;
}

interface Solved extends Pick<Assignment, "rowPotentials" | "columnPotentials" | "forbiddenCost"> {
  readonly costs: Float64Array;
  readonly rows: number;
  readonly columns: number;
}

/**
 * Rearranges an optimal assignment along pairs of reduced cost 0, which keeps it optimal, until row after row has the lowest
 * column it can have without taking from a row before it. O(k³).
 */
function preferLowColumns(columnOf: Int32Array, solved: Solved): void {
  const { costs, rows, columns, rowPotentials: u, columnPotentials: v, forbiddenCost } = solved;
  const k = columnOf.length;
  let scale = 1;
  for (const c of costs) if (c !== Number.POSITIVE_INFINITY) scale = Math.max(scale, Math.abs(c));
  const isAllowed = (i: number, j: number) => i < rows && j < columns && costs[i * columns + j] !== Number.POSITIVE_INFINITY;
  const isTight = (i: number, j: number) => {
    const cost = i < rows && j < columns ? Math.min(forbiddenCost, costs[i * columns + j] ?? 0) : 0;
    return Math.abs(cost - (u[i] ?? 0) - (v[j] ?? 0)) <= 1e-12 * scale;
  };
  const rowOf = new Int32Array(k);
  columnOf.forEach((j, i) => {
    rowOf[j] = i;
  });
  for (let row = 0; row < rows; row++) {
    const own = columnOf[row] ?? 0;
    const limit = isAllowed(row, own) ? own : columns;
    const wanted = Array.from({ length: limit }, (_, j) => j).filter((j) => isAllowed(row, j) && isTight(row, j));
    if (wanted.length === 0) continue;
    // Which columns could be given up, if this row gave up its own: next[j] is where the row of j would move to.
    const next = new Int32Array(k).fill(-1);
    next[own] = own;
    const queue = [own];
    for (const column of queue)
      for (let i = 0; i < k; i++) {
        const from = columnOf[i] ?? 0;
        if (i === row || next[from] !== -1 || !isTight(i, column)) continue;
        // A row before this one that has none may move to another column that gives it none.
        if (i < row && (isAllowed(i, from) || isAllowed(i, column))) continue;
        next[from] = column;
        queue.push(from);
      }
    const chosen = wanted.find((j) => next[j] !== -1);
    if (chosen === undefined) continue;
    const moves: [row: number, column: number][] = [[row, chosen]];
    for (let j = chosen; j !== own; j = next[j] ?? own) moves.push([rowOf[j] ?? 0, next[j] ?? own]);
    for (const [i, j] of moves) {
      columnOf[i] = j;
      rowOf[j] = i;
    }
  }
}

/**
 * How much more the best other assignment costs: the least rise of the total when one chosen pair is forbidden. 0 means a tie,
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
