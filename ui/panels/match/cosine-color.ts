import { scoreColor } from "../../../nodes/shared/matching/score-color.ts";

/** The colour that DrawMatches gives a cosine: red at 0, yellow at 0.4, green from 0.8 on. */
export function cosineColor(cosine: number): string {
  const [r, g, b] = scoreColor(cosine).map((x) => Math.round(255 * x));
  return `rgb(${r} ${g} ${b})`;
}
