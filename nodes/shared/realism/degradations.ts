/** Ways to make a real face worse. Browser safe: declarations list them. */
export const DEGRADATIONS = ["blur", "plastic", "rgb_noise", "grey_grain", "sharpen", "jpeg", "checkerboard", "plastic_grain"] as const;
export type Degradation = (typeof DEGRADATIONS)[number];

/** `blur, jpeg` → names, without repeats; empty text is none. Undefined when one is unknown. */
export function parseDegradations(text: string): readonly Degradation[] | undefined {
  const names = text
    .split(",")
    .map((t) => t.trim())
    .filter((t) => t !== "");
  const known = DEGRADATIONS.filter((d) => names.includes(d));
  return new Set(names).size === known.length ? known : undefined;
}
