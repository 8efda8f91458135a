import type { DocNode } from "../../doc/document.ts";
import { outerRect } from "../../doc/node-layout.ts";
import { readingOrder } from "../../doc/reading-order.ts";
import type { App } from "../../state/app.ts";
import { NONE } from "../../state/editor.ts";
import type { Action } from "./action.ts";

export function selectActions(app: App): readonly Action[] {
  const { editor } = app;
  return [
    {
      id: "select.all",
      title: "Select all",
      group: "Select",
      keys: ["Ctrl+A"],
      run: () => {
        editor.selection.value = {
          ...NONE,
          nodes: editor.graph.value.nodes.map((n) => n.id),
          groups: editor.graph.value.groups.map((_, i) => i),
        };
      },
    },
    { id: "select.none", title: "Select nothing", group: "Select", keys: ["Escape"], run: () => stepOut(app) },
    { id: "select.next", title: "Next node", group: "Select", keys: ["]"], run: () => step(app, 1) },
    { id: "select.previous", title: "Previous node", group: "Select", keys: ["["], run: () => step(app, -1) },
    { id: "select.left", title: "Node to the left", group: "Select", keys: ["Alt+ArrowLeft"], run: () => towards(app, -1, 0) },
    { id: "select.right", title: "Node to the right", group: "Select", keys: ["Alt+ArrowRight"], run: () => towards(app, 1, 0) },
    { id: "select.up", title: "Node above", group: "Select", keys: ["Alt+ArrowUp"], run: () => towards(app, 0, -1) },
    { id: "select.down", title: "Node below", group: "Select", keys: ["Alt+ArrowDown"], run: () => towards(app, 0, 1) },
  ];
}

function stepOut(app: App): void {
  if (app.isFocus.value) app.isFocus.value = false;
  else if (
    app.editor.selection.value.nodes.length + app.editor.selection.value.groups.length + app.editor.selection.value.reroutes.length >
    0
  )
    app.editor.selection.value = NONE;
  else app.editor.leave();
}

function step(app: App, by: 1 | -1): void {
  const order = readingOrder(app.editor.graph.value.nodes);
  if (order.length === 0) return;
  const current = order.findIndex((n) => String(n.id) === String(app.editor.selection.value.nodes[0]));
  const next = order[(current + by + order.length) % order.length] ?? order[0];
  if (next) select(app, next);
}

/** The nearest node that lies in a direction; sideways distance counts double. */
function towards(app: App, dx: number, dy: number): void {
  const { nodes } = app.editor.graph.value;
  const from = nodes.find((n) => String(n.id) === String(app.editor.selection.value.nodes[0])) ?? readingOrder(nodes)[0];
  if (!from) return;
  const centre = (n: DocNode): readonly [number, number] => {
    const [x, y, w, h] = outerRect(n);
    return [x + w / 2, y + h / 2];
  };
  const [fx, fy] = centre(from);
  let best: { readonly node: DocNode; readonly cost: number } | undefined;
  for (const node of nodes) {
    if (node === from) continue;
    const [x, y] = centre(node);
    const along = (x - fx) * dx + (y - fy) * dy;
    const aside = Math.abs((x - fx) * dy) + Math.abs((y - fy) * dx);
    if (along <= 20 || aside > along * 3) continue;
    const cost = along + aside * 2;
    if (!best || cost < best.cost) best = { node, cost };
  }
  if (best) select(app, best.node);
  else select(app, from);
}

function select(app: App, node: DocNode): void {
  app.editor.selection.value = { ...NONE, nodes: [node.id] };
  app.reveal(node.id);
}
