import { BYPASSED, MUTED, nodeById, subgraphOf } from "../../doc/document.ts";
import type { App } from "../../state/app.ts";
import { maskSource, paintMask } from "../../state/mask-source.ts";
import { lookAt } from "../look-at.ts";
import { openers } from "../stage-ref.ts";
import type { Action } from "./action.ts";
import { Chosen } from "./chosen.ts";

export function nodeActions(app: App): readonly Action[] {
  const { editor } = app;
  const chosen = new Chosen(app);
  const toggleMode = (mode: number): void =>
    chosen.perform({
      name: "node.mode",
      args: { place: chosen.place, ids: chosen.ids, mode: chosen.nodes.every((n) => n.mode === mode) ? 0 : mode },
    });
  return [
    {
      id: "node.edit",
      title: "Edit the selected node",
      group: "Node",
      keys: ["Enter"],
      run: () => edit(app),
      isEnabled: chosen.isOne,
    },
    {
      id: "node.rename",
      title: "Rename",
      group: "Node",
      keys: ["F2"],
      run: () => {
        const node = chosen.only;
        if (node) openers.title(node.id);
      },
      isEnabled: chosen.isOne,
    },
    { id: "node.mute", title: "Mute", group: "Node", keys: ["Ctrl+M"], run: () => toggleMode(MUTED), isEnabled: chosen.isAny },
    { id: "node.bypass", title: "Bypass", group: "Node", keys: ["Ctrl+B"], run: () => toggleMode(BYPASSED), isEnabled: chosen.isAny },
    {
      id: "node.collapse",
      title: "Collapse",
      group: "Node",
      keys: ["Alt+C"],
      run: () =>
        chosen.perform({
          name: "node.collapse",
          args: { place: chosen.place, ids: chosen.ids, on: !chosen.nodes.every((n) => n.flags.collapsed === true) },
        }),
      isEnabled: chosen.isAny,
    },
    {
      id: "node.pin",
      title: "Pin in place",
      group: "Node",
      keys: ["P"],
      run: () =>
        chosen.perform({
          name: "node.pin",
          args: { place: chosen.place, ids: chosen.ids, on: !chosen.nodes.every((n) => n.flags.pinned === true) },
        }),
      isEnabled: chosen.isAny,
    },
    {
      id: "node.pinResult",
      title: "Pin the result",
      group: "Node",
      keys: ["Shift+P"],
      run: () => {
        for (const id of chosen.ids) app.runner.togglePin(editor.promptId(id));
      },
      isEnabled: chosen.isAny,
    },
    {
      id: "node.look",
      title: "Look at its output",
      group: "Node",
      keys: ["Shift+O"],
      run: () => {
        const node = chosen.only;
        if (node) lookAt(app, node.id);
      },
      isEnabled: chosen.isOne,
    },
    {
      id: "node.help",
      title: "About this node",
      group: "Node",
      keys: [],
      run: () => {
        const node = chosen.only;
        if (node) app.dialog.value = { kind: "help", type: node.type };
      },
      isEnabled: () => chosen.only !== undefined && editor.faces.get(chosen.only.type) !== undefined,
    },
    {
      id: "node.mask",
      title: "Paint a mask",
      group: "Node",
      keys: [],
      run: () => {
        const node = chosen.only;
        if (node) paintMask(app, node);
      },
      isEnabled: () => {
        const node = chosen.only;
        return node !== undefined && maskSource(app, node) !== undefined;
      },
    },
    {
      id: "node.group",
      title: "Group",
      group: "Node",
      keys: ["Ctrl+G"],
      run: () => chosen.perform({ name: "group.around", args: { place: chosen.place, ids: chosen.ids, title: "Group" } }),
      isEnabled: chosen.isAny,
    },
    {
      id: "node.subgraph",
      title: "Make a subgraph",
      group: "Node",
      keys: ["Ctrl+Shift+E"],
      run: () =>
        void editor.add({
          name: "subgraph.create",
          args: { place: chosen.place, ids: chosen.ids, name: "Subgraph", uuid: crypto.randomUUID() },
        }),
      isEnabled: chosen.isAny,
    },
    {
      id: "node.unpack",
      title: "Unpack the subgraph",
      group: "Node",
      keys: ["Ctrl+Shift+U"],
      run: () => {
        for (const n of chosen.nodes)
          if (subgraphOf(editor.doc.value, n)) chosen.perform({ name: "subgraph.unpack", args: { place: chosen.place, id: n.id } });
      },
      isEnabled: () => chosen.nodes.some((n) => subgraphOf(editor.doc.value, n) !== undefined),
    },
    {
      id: "node.publish",
      title: "Publish the subgraph",
      group: "Node",
      keys: [],
      run: () => {
        const node = chosen.only;
        if (node) app.dialog.value = { kind: "publish", node: node.id };
      },
      isEnabled: () => {
        const node = chosen.only;
        return node !== undefined && subgraphOf(editor.doc.value, node) !== undefined;
      },
    },
  ];
}

function edit(app: App): void {
  const id = app.editor.selection.value.nodes[0];
  const node = id === undefined ? undefined : nodeById(app.editor.graph.value, id);
  if (!node) return;
  if (subgraphOf(app.editor.doc.value, node)) app.editor.enter(node.id);
  else openers.widget(node.id);
}
