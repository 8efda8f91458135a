/** w with Σ wₖ·xₖ^p = mₚ for every p. Gauss with pivots: at most four unknowns. */
export function solveVandermonde(xs: readonly number[], moments: readonly number[]): number[] {
  const n = xs.length;
  const rows = moments.map((m, p) => [...xs.map((x) => x ** p), m]);
  for (let column = 0; column < n; column++) {
    const pivot = rows
      .slice(column)
      .reduce((best, row, k) => (Math.abs(row[column] ?? 0) > Math.abs(rows[best]?.[column] ?? 0) ? column + k : best), column);
    const [a = [], b = []] = [rows[column], rows[pivot]];
    rows[column] = b;
    rows[pivot] = a;
    for (let row = 0; row < n; row++) {
      const current = rows[row] ?? [];
      const factor = row === column ? 0 : (current[column] ?? 0) / (b[column] ?? 1);
      if (factor !== 0) rows[row] = current.map((value, k) => value - factor * (b[k] ?? 0));
    }
  }
  return rows.map((row, k) => (row[n] ?? 0) / (row[k] ?? 1));
}
