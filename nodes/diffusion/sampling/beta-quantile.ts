/**
 * Quantile of the Beta(a, b) distribution.
 * @param p 0..1
 * @param a above 0
 * @param b above 0
 */
export function betaQuantile(p: number, a: number, b: number): number {
  // Exact, because a table index halfway between two entries would else round the wrong way.
  if (a === b && p === 0.5) return 0.5;
  const left = incompleteBeta(0.5, a, b);
  const whole = left + incompleteBeta(0.5, b, a);
  if (p * whole > left) return 1 - lowerHalf((1 - p) * whole, b, a);
  return lowerHalf(p * whole, a, b);
}

/** x in 0..½ below which the unnormalised density has this area. */
function lowerHalf(area: number, a: number, b: number): number {
  let low = 0;
  let high = 0.5;
  // 60 halvings reach the last bit of a double.
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (incompleteBeta(middle, a, b) < area) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** ∫₀ˣ t^(a−1)(1−t)^(b−1) dt for x ≤ ½: x^a·Σ (1−b)ₖ/k! · xᵏ/(a+k), which halves at least from term to term. */
function incompleteBeta(x: number, a: number, b: number): number {
  let coefficient = 1;
  let sum = 0;
  for (let k = 0; k < 60; k++) {
    sum += coefficient / (a + k);
    coefficient *= ((1 - b + k) / (k + 1)) * x;
  }
  return x ** a * sum;
}
