// Values that are certain before anything runs: primitives, and switches whose position is known.
import type { Issue } from "../base/issues.ts";
import type { Link } from "./prompt.ts";
import type { ValidNode } from "./valid-graph.ts";
import { parseWidget } from "./widget-value.ts";

/**
 * Replaces links into widgets by the value where it is certain, and drops the links a switch will not need.
 * @param nodes sources first; its entries are replaced
 * @returns an issue for each certain value that its widget refuses
 */
export function inlineKnownValues(nodes: Map<string, ValidNode>): Issue[] {
  const issues: Issue[] = [];
  const known = new Map<string, { readonly value: unknown }>();
  const at = (link: Link | undefined): { readonly value: unknown } | undefined => (link && link[1] === 0 ? known.get(link[0]) : undefined);
  for (const [id, node] of nodes) {
    const { inputs } = node.declaration;
    const widgets = { ...node.widgets };
    const links = new Map(node.links);
    for (const [name, link] of node.links) {
      const widget = inputs.get(name);
      const certain = at(link);
      if (widget?.kind !== "widget" || !certain) continue;
      const result = parseWidget(widget, certain.value);
      if (result.ok) {
        widgets[name] = result.value;
        links.delete(name);
      } else
        issues.push({
          code: result.code,
          path: [id, name],
          message: `${result.message} (it comes from node ${link[0]})`,
          ...(result.hint && { hint: result.hint }),
        });
    }
    const passed = node.declaration.passes(widgets);
    if (passed !== undefined) {
      for (const name of links.keys()) if (name !== passed && inputs.get(name)?.kind === "socket") links.delete(name);
      const value = Object.hasOwn(widgets, passed) ? { value: widgets[passed] } : at(links.get(passed));
      if (value) known.set(id, value);
    }
    nodes.set(id, { ...node, widgets, links });
  }
  return issues;
}
