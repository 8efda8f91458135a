// The graph as a table: for screen readers, for the keyboard, and for finding things.
import { linkById, nodeById, subgraphOf, typeName } from "../doc/document.ts";
import { titleOf } from "../doc/node-layout.ts";
import { readingOrder } from "../doc/reading-order.ts";
import { shownWidgets, showValue } from "../doc/widgets.ts";
import { useApp } from "../state/context.ts";

export function ListView() {
  const app = useApp();
  const { editor } = app;
  const doc = editor.doc.value;
  const graph = editor.graph.value;
  const selected = new Set(editor.selection.value.nodes.map(String));
  const order = readingOrder(graph.nodes);
  const name = (id: string | number): string => {
    const node = nodeById(graph, id);
    return node ? titleOf(doc, node) : "the border";
  };
  return (
    <div class="list-view">
      <h2 id="list-title">
        {order.length} nodes, {graph.links.length} links
      </h2>
      <table aria-labelledby="list-title">
        <thead>
          <tr>
            <th scope="col">Node</th>
            <th scope="col">Type</th>
            <th scope="col">State</th>
            <th scope="col">Values</th>
            <th scope="col">Comes from</th>
            <th scope="col">Leads to</th>
          </tr>
        </thead>
        <tbody>
          {order.map((node, i) => {
            const run = app.nodeRun(editor.promptId(node.id));
            const problem = app.problems.all.value.find((p) => p.node === editor.promptId(node.id));
            return (
              <tr key={`${node.id}`} aria-selected={selected.has(String(node.id))}>
                <th scope="row">
                  <button
                    type="button"
                    class="link"
                    aria-pressed={selected.has(String(node.id))}
                    onClick={() => (editor.selection.value = { nodes: [node.id], groups: [], reroutes: [] })}
                  >
                    {i + 1}. {titleOf(doc, node)}
                  </button>
                </th>
                <td>{subgraphOf(doc, node) ? "subgraph" : node.type}</td>
                <td>
                  {node.mode === 2 ? "muted" : node.mode === 4 ? "bypassed" : (run?.state ?? "")}
                  {problem && <span class="bad"> {problem.message}</span>}
                </td>
                <td>
                  {shownWidgets(doc, node, editor.faces)
                    .map((w) => `${w.face.name} ${w.linked ? "linked" : showValue(w.value).slice(0, 40)}`)
                    .join(", ")}
                </td>
                <td>
                  {node.inputs
                    .flatMap((input) => {
                      const link = linkById(graph, input.link);
                      return link ? [`${input.name}: ${name(link.origin_id)}`] : [];
                    })
                    .join(", ")}
                </td>
                <td>
                  {node.outputs
                    .flatMap((o) =>
                      (o.links ?? [])
                        .flatMap((id) => linkById(graph, id) ?? [])
                        .map((l) => `${o.name} (${typeName(o.type)}): ${name(l.target_id)}`),
                    )
                    .join(", ")}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
