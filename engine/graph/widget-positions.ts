// `widgets_values` is an array in the order of the node's widgets: this finds their names.
import { type CatalogueNode, type CatalogueWidget, isThere } from "./catalogue.ts";
import type { UiNode } from "./ui-workflow.ts";
import { parseWidget } from "./widget-value.ts";

const CONTROL = new Set<unknown>(["fixed", "increment", "decrement", "randomize"]);

/** Whether a value is what `control_after_generate` may be. */
export function isControlWord(value: unknown): boolean {
  return CONTROL.has(value);
}

/** Entries that are stored, and sometimes sent, like widgets, and mean something to the editor only. Some files name the control word by itself. */
export function isEditorOnly(name: string, value: unknown): boolean {
  return name === "control_after_generate" || name === "upload" || (name === value && isControlWord(value));
}

/**
 * Name → value. Values that the file gives by name are taken as they are, the others by position: a `control_after_generate` entry follows a seed and has no
 * name. Entries that are absent or null are left out.
 * @param leftOver called with entries that have no widget: the node had more when the file was saved
 */
export function namedWidgetValues(
  node: UiNode,
  declaration: CatalogueNode | undefined,
  leftOver?: (values: readonly unknown[]) => void,
): Map<string, unknown> {
  if (node.namedValues) return new Map(node.namedValues);
  const values = node.widgetsValues;
  if (!Array.isArray(values)) return new Map(Object.entries(values).filter(([, v]) => v !== null && v !== undefined));
  const read = readWidgetList(
    values,
    node.inputs.flatMap((i) => i.widget ?? []),
    declaration,
  );
  // The button that uploads a picture is stored like a widget.
  const rest = values.slice(read.used).filter((v) => v !== null && v !== undefined && v !== "image" && v !== "" && !isControlWord(v));
  if (declaration && rest.length > 0) leftOver?.(rest);
  return read.named;
}

export interface WidgetList {
  readonly named: Map<string, unknown>;
  /** What follows a seed, by the widget's name. */
  readonly controls: ReadonlyMap<string, string>;
  /** Entries that were explained; what follows them has no widget. */
  readonly used: number;
}

/** The entries of a `widgets_values` list by name. `listed`: the widgets that the file names among the node's inputs, in its order. */
export function readWidgetList(values: readonly unknown[], listed: readonly string[], declaration: CatalogueNode | undefined): WidgetList {
  const widgets = [...(declaration?.inputs.values() ?? [])].filter((i) => i.kind === "widget");
  // Newer files list every widget among the inputs, in the order they had when it was saved: the more reliable list, when it explains every entry.
  const fromFile = assign(
    values,
    listed.map((name) => widgets.find((w) => w.name === name) ?? name),
    true,
  );
  return fromFile.used === values.length && listed.length > 0 ? fromFile : assign(values, widgets, false);
}

/** @param isListed the file names these widgets itself: one that only we have is meant too */
function assign(values: readonly unknown[], order: readonly (CatalogueWidget | string)[], isListed: boolean): WidgetList {
  const named = new Map<string, unknown>();
  const controls = new Map<string, string>();
  let at = 0;
  for (const [i, widget] of order.entries()) {
    if (at >= values.length) break;
    if (typeof widget !== "string" && !isThere(widget, (name) => named.get(name))) continue;
    if (typeof widget !== "string" && widget.ours && !isListed && !parseWidget(widget, values[at]).ok) continue;
    // The file was saved before the node had this widget: the value belongs to the next one.
    const next = order[i + 1];
    if (values.length - at < order.length - i && typeof widget !== "string" && next !== undefined && typeof next !== "string")
      if (!parseWidget(widget, values[at]).ok && parseWidget(next, values[at]).ok) continue;
    const value = values[at++];
    if (value !== null && value !== undefined) named.set(typeof widget === "string" ? widget : widget.name, value);
    if (isUploadButton(widget, order[i + 1], values[at])) at++;
    if (CONTROL.has(values[at]) && hasControl(widget, value, order[i + 1], values[at]))
      controls.set(typeof widget === "string" ? widget : widget.name, String(values[at++]));
  }
  return { named, controls, used: at };
}

/** Whether the control word after a value is its control entry, and not the next widget's own value. */
function hasControl(widget: CatalogueWidget | string, value: unknown, next: CatalogueWidget | string | undefined, word: unknown): boolean {
  if (typeof widget !== "string" && widget.controlAfterGenerate) return true;
  if (typeof value !== "number" && typeof value !== "bigint") return false;
  return next === undefined || typeof next === "string" || !parseWidget(next, word).ok;
}

/** ComfyUI keeps its upload button's value, always "image", behind a picture's name. */
function isUploadButton(widget: CatalogueWidget | string, next: CatalogueWidget | string | undefined, word: unknown): boolean {
  if (word !== "image" || typeof widget === "string" || widget.file?.kind !== "input") return false;
  return next !== undefined && typeof next !== "string" && !parseWidget(next, word).ok;
}
