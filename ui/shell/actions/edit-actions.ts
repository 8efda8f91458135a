import { stringifyJson } from "../../../engine/base/json.ts";
import { writeClip } from "../../doc/clipboard.ts";
import type { App } from "../../state/app.ts";
import { say } from "../../state/toasts.ts";
import { openers, stageRef } from "../stage-ref.ts";
import type { Action } from "./action.ts";
import { Chosen } from "./chosen.ts";

export function editActions(app: App): readonly Action[] {
  const { editor } = app;
  const chosen = new Chosen(app);
  const at = (): readonly [number, number] => stageRef.current?.centre ?? [0, 0];
  return [
    { id: "edit.undo", title: "Undo", group: "Edit", keys: ["Ctrl+Z"], run: () => editor.undo() },
    { id: "edit.redo", title: "Redo", group: "Edit", keys: ["Ctrl+Y", "Ctrl+Shift+Z"], run: () => editor.redo() },
    {
      id: "edit.copy",
      title: "Copy",
      group: "Edit",
      keys: ["Ctrl+C"],
      run: async () => {
        const clip = editor.copy();
        if (clip) await navigator.clipboard?.writeText(stringifyJson(writeClip(clip))).catch(() => undefined);
      },
      isEnabled: () => chosen.isAny() || editor.selection.value.groups.length > 0,
    },
    {
      id: "edit.cut",
      title: "Cut",
      group: "Edit",
      keys: ["Ctrl+X"],
      run: () => {
        editor.copy();
        remove(app);
      },
      isEnabled: chosen.isAny,
    },
    { id: "edit.paste", title: "Paste", group: "Edit", keys: ["Ctrl+V"], run: () => editor.paste(at(), false) },
    { id: "edit.pasteLinked", title: "Paste with links", group: "Edit", keys: ["Ctrl+Shift+V"], run: () => editor.paste(at(), true) },
    {
      id: "edit.duplicate",
      title: "Duplicate",
      group: "Edit",
      keys: ["Ctrl+D"],
      run: () => void editor.add({ name: "nodes.duplicate", args: { place: chosen.place, ids: chosen.ids } }),
      isEnabled: chosen.isAny,
    },
    { id: "edit.delete", title: "Delete", group: "Edit", keys: ["Delete", "Backspace"], run: () => remove(app) },
    { id: "edit.add", title: "Add a node", group: "Edit", keys: ["A"], run: () => openers.addNode() },
    {
      id: "edit.connect",
      title: "Connect the selected node",
      group: "Edit",
      keys: ["L"],
      run: () => openers.connect(),
      isEnabled: chosen.isOne,
    },
    {
      id: "edit.disconnect",
      title: "Cut the links of the selected nodes",
      group: "Edit",
      keys: ["Shift+L"],
      run: () => disconnect(app),
      isEnabled: chosen.isAny,
    },
  ];
}

function remove(app: App): void {
  const { nodes, groups, reroutes } = app.editor.selection.value;
  const ids = nodes.filter((id) => id !== -10 && id !== -20);
  if (ids.length + groups.length + reroutes.length === 0) return;
  if (app.editor.perform([{ name: "items.remove", args: { place: app.editor.place.value, nodes: ids, groups, reroutes } }]))
    say(ids.length === 1 ? "Deleted a node" : ids.length > 1 ? `Deleted ${ids.length} nodes` : "Deleted", {
      label: "Undo",
      run: () => app.editor.undo(),
    });
}

function disconnect(app: App): void {
  const ids = new Set(app.editor.selection.value.nodes.map(String));
  const links = app.editor.graph.value.links.filter((l) => ids.has(String(l.origin_id)) || ids.has(String(l.target_id)));
  app.editor.perform([{ name: "link.remove", args: { place: app.editor.place.value, ids: links.map((l) => l.id) } }]);
}
