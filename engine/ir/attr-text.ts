import type { Attr, Attrs } from "./value.ts";

/** An attribute as text that tells every two values apart: ±Infinity, NaN, −0, `1`, `"1"` and `true` too (JSON writes null for three of them). */
export function attrText(value: Attr): string {
  if (typeof value === "number") return Object.is(value, -0) ? "-0" : String(value);
  return typeof value === "object" ? `[${value.map((x: number | string) => attrText(x)).join(",")}]` : JSON.stringify(value);
}

/** All attributes of a node, ordered by name: equal texts mean equal attributes. */
export function attrsText(attrs: Attrs): string {
  const entries = Object.entries(attrs).sort(([a], [c]) => (a < c ? -1 : 1));
  return entries.map(([key, value]) => `${key}=${attrText(value)}`).join(", ");
}
