// What is certain before anything runs: values of primitives, switches whose position is known, and what a preview hands on.
import type { Issue } from "../base/issues.ts";
import type { Link } from "./prompt.ts";
import type { ValidNode } from "./valid-graph.ts";
import { parseWidget } from "./widget-value.ts";

/**
 * Replaces links into widgets by the value where it is certain, drops the links a switch will not need, and leads links that come from an
 * output node (a preview hands on what it shows, and runs each time) to where its value comes from.
 * @param nodes sources first; its entries are replaced
 * @returns an issue for each certain value that its widget refuses
 */
export function inlineKnownValues(nodes: Map<string, ValidNode>): Issue[] {
  const issues: Issue[] = [];
  const known = new Map<string, { readonly value: unknown }>();
  const routes = new Map<string, Link>();
  const at = (link: Link | undefined): { readonly value: unknown } | undefined => (link && link[1] === 0 ? known.get(link[0]) : undefined);
  for (const [id, node] of nodes) {
    const { inputs } = node.declaration;
    const widgets = { ...node.widgets };
    const around = (from: ReadonlyMap<string, Link>): Map<string, Link> =>
      new Map([...from].map(([name, link]) => [name, (link[1] === 0 && routes.get(link[0])) || link]));
    const links = around(node.links);
    for (const [name, link] of [...links]) {
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
      const source = links.get(passed);
      if (node.declaration.isOutput && source) routes.set(id, source);
    }
    nodes.set(id, { ...node, widgets, links, extra: around(node.extra) });
  }
  return issues;
}
