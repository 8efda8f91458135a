import { boundsOf } from "../../doc/arrange.ts";
import { nodeById } from "../../doc/document.ts";
import type { App } from "../../state/app.ts";
import { isInspectorOpen, openRail, setInspector, setRail } from "../../state/panels.ts";
import { LINK_SHAPES, prefs, setPrefs } from "../../state/prefs.ts";
import { say } from "../../state/toasts.ts";
import { stageRef } from "../stage-ref.ts";
import type { Action } from "./action.ts";

export function viewActions(app: App): readonly Action[] {
  const panel = (id: "nodes" | "graphs" | "models" | "runs", title: string, key: string): Action => ({
    id: `panel.${id}`,
    title,
    group: "View",
    keys: [key],
    run: () => setRail(openRail.value === id ? null : id),
  });
  const drawer = (id: "problems" | "queue" | "log", title: string, keys: readonly string[]): Action => ({
    id: `drawer.${id}`,
    title,
    group: "View",
    keys,
    run: () => {
      app.drawer.value = app.drawer.value === id ? null : id;
    },
  });
  return [
    { id: "view.fit", title: "Fit the view", group: "View", keys: ["."], run: () => fitView(app) },
    { id: "view.in", title: "Zoom in", group: "View", keys: ["Alt+=", "Alt++"], run: () => stageRef.current?.zoomBy(1.25) },
    { id: "view.out", title: "Zoom out", group: "View", keys: ["Alt+-"], run: () => stageRef.current?.zoomBy(0.8) },
    {
      id: "view.natural",
      title: "Zoom to 100 %",
      group: "View",
      keys: ["Alt+0"],
      run: () => stageRef.current?.zoomBy(1 / (stageRef.current?.view.scale ?? 1)),
    },
    { id: "view.minimap", title: "Minimap", group: "View", keys: ["Alt+M"], run: () => setPrefs({ minimap: !prefs.value.minimap }) },
    {
      id: "view.links",
      title: "Shape of links",
      group: "View",
      keys: [],
      run: () => {
        setPrefs({ links: LINK_SHAPES[(LINK_SHAPES.indexOf(prefs.value.links) + 1) % LINK_SHAPES.length] ?? "spline" });
      },
    },
    {
      id: "view.snap",
      title: "Snap to grid",
      group: "View",
      keys: [],
      run: () => {
        setPrefs({ snap: !prefs.value.snap });
        say(prefs.value.snap ? "Nodes snap to the grid." : "Nodes move freely.");
      },
    },
    {
      id: "view.lock",
      title: "Lock the canvas",
      group: "View",
      keys: ["Ctrl+Alt+L"],
      run: () => {
        app.isReadOnly.value = !app.isReadOnly.value;
      },
    },
    {
      id: "view.focus",
      title: "Focus on the canvas",
      group: "View",
      keys: ["F"],
      run: () => {
        app.isFocus.value = !app.isFocus.value;
      },
    },
    {
      id: "view.list",
      title: "List of nodes and links",
      group: "View",
      keys: ["Ctrl+Alt+K"],
      run: () => {
        app.isList.value = !app.isList.value;
      },
    },
    {
      id: "view.form",
      title: "Simple form",
      group: "View",
      keys: ["Ctrl+Alt+F"],
      run: () => {
        app.dialog.value = { kind: "form" };
      },
    },
    { id: "view.inspector", title: "Inspector", group: "View", keys: ["I"], run: () => setInspector(!isInspectorOpen.value) },
    {
      id: "view.theme",
      title: "Dark or light",
      group: "View",
      keys: [],
      run: () => setPrefs({ theme: document.documentElement.dataset.theme === "dark" ? "light" : "dark" }),
    },
    panel("nodes", "Nodes", "N"),
    panel("graphs", "Graphs", "W"),
    panel("models", "Models", "M"),
    panel("runs", "Runs", "Q"),
    drawer("problems", "Problems", ["Ctrl+Alt+M"]),
    drawer("queue", "Queue", []),
    drawer("log", "Log", ["Ctrl+`"]),
  ];
}

export function fitView(app: App): void {
  const { graph, selection } = app.editor;
  const chosen = selection.value.nodes.flatMap((id) => nodeById(graph.value, id) ?? []);
  const bounds = boundsOf(chosen.length > 1 ? chosen : graph.value.nodes);
  if (bounds) stageRef.current?.fitTo(bounds);
}
