// What a file name may take from the clock and from other nodes. ComfyUI's editor fills these in before it sends a prompt.
import type { Issue } from "../base/issues.ts";
import { compareIds, isLink, type Prompt, type PromptNode, unwrapValue } from "./prompt.ts";

/** The widget that holds such a name, on every node that saves. */
const WIDGET = "filename_prefix";
/** Characters that a file name can't hold. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this looks for
const UNSAFE = /[/?<>\\:*|"\u0000-\u001f\u007f]/g;

/**
 * Fills `%date:FORMAT%` (d dd M MM h hh m mm s ss yy yyyy, local time) and `%NODE.widget%` into every `filename_prefix`. NODE is a node's name for
 * search and replace (its type, unless renamed), its title, or its id; characters that a file name can't hold become `_`. Backslashes become
 * slashes, and `./` goes. What is meant for the node itself (%width%, %year% …) stays; what cannot be filled in stays too, with a warning.
 */
export function fillFileNames(prompt: Prompt, now: Date): { readonly prompt: Prompt; readonly warnings: readonly Issue[] } {
  const warnings: Issue[] = [];
  const filled = Object.entries(prompt).map(([id, node]): [string, PromptNode] => {
    const text = node.inputs[WIDGET];
    if (typeof text !== "string") return [id, node];
    const name = text
      .replaceAll("\\", "/")
      .replace(/(^|\/)(?:\.\/)+/g, "$1")
      .replace(/%([^%]+)%/g, (whole, inside: string) => {
        if (inside.startsWith("date:")) return formatDate(inside.slice(5), now);
        const dot = inside.lastIndexOf(".");
        if (dot <= 0) return whole;
        const value = textOf(prompt, inside.slice(0, dot), inside.slice(dot + 1));
        if (value !== undefined) return value.replace(UNSAFE, "_");
        warnings.push({
          code: "FILE_NAME",
          path: [id, WIDGET],
          message: `${whole} in the file name of node ${id} names no widget whose value is known: it stays as it is`,
          hint: "write %NODE.WIDGET% with a node's title, type or id",
        });
        return whole;
      });
    return [id, { ...node, inputs: { ...node.inputs, [WIDGET]: name } }];
  });
  return { prompt: Object.fromEntries(filled), warnings };
}

function textOf(prompt: Prompt, wanted: string, widget: string): string | undefined {
  const nodes = Object.keys(prompt).sort(compareIds);
  const find = (of: (node: PromptNode) => string | undefined): PromptNode | undefined => {
    const id = nodes.find((key) => {
      const node = prompt[key];
      return node && of(node) === wanted;
    });
    return id === undefined ? undefined : prompt[id];
  };
  const node =
    find((n) => n._meta?.name ?? n.class_type) ??
    find((n) => n._meta?.title) ??
    (Object.hasOwn(prompt, wanted) ? prompt[wanted] : undefined);
  const value = node && Object.hasOwn(node.inputs, widget) ? unwrapValue(node.inputs[widget]) : undefined;
  return value === undefined || value === null || isLink(value) || typeof value === "object" ? undefined : String(value);
}

function formatDate(format: string, date: Date): string {
  const parts: Readonly<Record<string, number>> = {
    d: date.getDate(),
    M: date.getMonth() + 1,
    h: date.getHours(),
    m: date.getMinutes(),
    s: date.getSeconds(),
  };
  return format.replace(/dd?|MM?|hh?|mm?|ss?|yyyy|yy/g, (token) => {
    const year = String(date.getFullYear());
    if (token === "yyyy") return year;
    if (token === "yy") return year.slice(2);
    return String(parts[token.charAt(0)]).padStart(token.length, "0");
  });
}
