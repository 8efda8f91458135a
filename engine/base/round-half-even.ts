/** Python's `round`: the nearest integer, halves to the even one. Math.round sends halves up and gives other picture sizes. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}
