/** Dark violet, magenta, orange, light yellow: lightness rises evenly, so it also reads without colour. */
const STOPS: readonly (readonly [number, number, number])[] = [
  [20, 11, 54],
  [101, 21, 110],
  [187, 55, 84],
  [243, 120, 25],
  [252, 255, 164],
];

/** @param strength 0..1 @returns red, green, blue, alpha in 0..255: what is weak is clear */
export function heatColor(strength: number): readonly [number, number, number, number] {
  const at = Math.min(1, Math.max(0, strength)) * (STOPS.length - 1);
  const i = Math.min(STOPS.length - 2, Math.floor(at));
  const [low, high] = [STOPS[i] ?? [0, 0, 0], STOPS[i + 1] ?? [0, 0, 0]];
  const mix = (k: 0 | 1 | 2): number => Math.round(low[k] + (high[k] - low[k]) * (at - i));
  return [mix(0), mix(1), mix(2), Math.round(255 * Math.min(1, strength * 1.6))];
}
