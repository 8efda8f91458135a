/**
 * Quantile of the symmetric Beta(a, a) distribution.
 * @param p 0..1
 * @param a above 0
 */
export function betaQuantile(p: number, a: number): number {
  // Exactly, or a table index halfway between two entries would round the wrong way.
  if (p === 0.5) return 0.5;
  if (p > 0.5) return 1 - betaQuantile(1 - p, a);
  const area = p * 2 * incompleteBeta(0.5, a);
  let low = 0;
  let high = 0.5;
  // 60 halvings reach the last bit of a double.
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (incompleteBeta(middle, a) < area) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** ∫₀ˣ t^(a−1)(1−t)^(a−1) dt for x ≤ ½: x^a·Σ (1−a)ₖ/k! · xᵏ/(a+k), which halves at least from term to term. */
function incompleteBeta(x: number, a: number): number {
  let coefficient = 1;
  let sum = 0;
  for (let k = 0; k < 60; k++) {
    sum += coefficient / (a + k);
    coefficient *= ((1 - a + k) / (k + 1)) * x;
  }
  return x ** a * sum;
}
