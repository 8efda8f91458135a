/** Red, green, blue in 0..1. */
type Color = readonly [number, number, number];

const STOPS: readonly (readonly [number, Color])[] = [
  [0, [0.93, 0.26, 0.23]],
  [0.4, [0.98, 0.8, 0.2]],
  [0.8, [0.26, 0.8, 0.42]],
];

/** Red at a cosine of 0 and below, yellow at 0.4, green at 0.8 and above. */
export function scoreColor(similarity: number): Color {
  const at = Math.min(0.8, Math.max(0, similarity));
  const i = at < 0.4 ? 0 : 1;
  const [low, high] = [STOPS[i], STOPS[i + 1]];
  if (!low || !high) return [0, 0, 0];
  const t = (at - low[0]) / 0.4;
  const mix = (k: 0 | 1 | 2) => low[1][k] + (high[1][k] - low[1][k]) * t;
  return [mix(0), mix(1), mix(2)];
}
