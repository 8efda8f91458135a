// Published templates hold numbers nobody meant: an out-of-range primitive that the editor would have randomised before queueing.
import type { Issue } from "../base/issues.ts";
import type { Catalogue } from "./catalogue.ts";
import { KnownValues } from "./known-values.ts";
import { compareIds, isLink, type PromptNode } from "./prompt.ts";
import { sourcesFirst } from "./sources-first.ts";
import { parseWidget } from "./widget-value.ts";

/** Node id → input name → the value in the widget behind the link. */
export type LinkedWidgets = Map<string, Map<string, unknown>>;

/**
 * Where a link is certain to bring a widget a value that it refuses (through primitives, and switches whose position is known), the widget's own
 * value takes the link's place. Changes `nodes`; returns a warning for each.
 */
export function repairLinkedValues(nodes: Map<string, PromptNode>, linked: LinkedWidgets, catalogue: Catalogue): Issue[] {
  const warnings: Issue[] = [];
  const known = new KnownValues();
  const { order } = sourcesFirst([...nodes.keys()].sort(compareIds), (id) =>
    Object.values(nodes.get(id)?.inputs ?? {}).flatMap((v) => (isLink(v) && nodes.has(v[0]) ? [v[0]] : [])),
  );
  for (const id of order) {
    const node = nodes.get(id);
    const declaration = node && catalogue.get(node.class_type);
    if (!declaration) continue;
    const inputs = new Map(Object.entries(node.inputs));
    const widgets: Record<string, unknown> = {};
    for (const [name, input] of declaration.inputs) {
      if (input.kind !== "widget") continue;
      const given = inputs.get(name);
      const certain = isLink(given) ? known.at(given) : { value: given };
      if (!certain) continue;
      const result = parseWidget(input, certain.value);
      if (result.ok) widgets[name] = result.value;
      else if (isLink(given)) {
        const own = linked.get(id)?.get(name);
        const fallback = parseWidget(input, own);
        if (own === undefined || !fallback.ok) continue;
        inputs.set(name, own);
        widgets[name] = fallback.value;
        warnings.push({
          code: "LINKED_VALUE_REPLACED",
          path: [id, name],
          message: `${result.message} (it comes over a link from node ${given[0]}); the widget's own value ${String(own)} is used`,
          hint: "put a valid number into the linked node",
        });
      }
    }
    nodes.set(id, { ...node, inputs: Object.fromEntries(inputs) });
    known.add(id, declaration, widgets, inputs);
  }
  return warnings;
}
