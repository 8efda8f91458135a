import type { Issue } from "../base/issues.ts";
import { KnownValues } from "./known-values.ts";
import type { Link } from "./prompt.ts";
import type { ValidNode } from "./valid-graph.ts";
import { parseWidget } from "./widget-value.ts";

/**
 * Replaces links into widgets by the value where it is certain, drops the links a switch will not need, and leads links that come from an
 * output node (a preview passes on what it shows, and runs each time) to where its value comes from.
 * @param nodes sources first; its entries are replaced
 * @returns an issue for each certain value that its widget refuses
 */
export function inlineKnownValues(nodes: Map<string, ValidNode>): Issue[] {
  const issues: Issue[] = [];
  const known = new KnownValues();
  const routes = new Map<string, Link>();
  for (const [id, node] of nodes) {
    const { inputs } = node.declaration;
    const widgets = { ...node.widgets };
    const around = (from: ReadonlyMap<string, Link>): Map<string, Link> =>
      new Map([...from].map(([name, link]) => [name, (link[1] === 0 && routes.get(link[0])) || link]));
    const links = around(node.links);
    for (const [name, link] of [...links]) {
      const widget = inputs.get(name);
      const certain = known.at(link);
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
    const passed = known.add(id, node.declaration, widgets, links);
    if (passed !== undefined) {
      for (const name of links.keys()) if (name !== passed && inputs.get(name)?.kind === "socket") links.delete(name);
      const source = links.get(passed);
      if (node.declaration.isOutput && source) routes.set(id, source);
    }
    nodes.set(id, { ...node, widgets, links, extra: around(node.extra) });
  }
  return issues;
}
