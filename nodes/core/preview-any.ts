import { stringifyJson } from "../../engine/base/json.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./preview-any.node.ts";

/** Longer texts are cut: a preview is for reading. */
const MAX_CHARACTERS = 20_000;

export default implementNode(declaration, {
  run({ source }, ctx) {
    ctx.show({ text: [previewText(source)] });
    return { STRING: typeof source === "string" ? source : previewText(source) };
  },
});

/** Text as it is; everything else as JSON, with big arrays of numbers shortened to their kind and length. */
export function previewText(value: unknown): string {
  if (typeof value === "string") return value.slice(0, MAX_CHARACTERS);
  const seen = new Set<unknown>();
  const readable = (v: unknown): unknown => {
    if (typeof v === "function") return "ƒ";
    if (ArrayBuffer.isView(v)) return `${v.constructor.name} of ${v.byteLength} bytes`;
    if (typeof v !== "object" || v === null) return v;
    if (seen.has(v)) return "…";
    seen.add(v);
    if (v instanceof Map || v instanceof Set) return `${v.constructor.name} of ${v.size}`;
    if (Array.isArray(v)) return [...v.slice(0, 100).map(readable), ...(v.length > 100 ? [`… ${v.length} in all`] : [])];
    return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, readable(x)]));
  };
  return stringifyJson(readable(value), 2).slice(0, MAX_CHARACTERS);
}
