import { stringifyJson } from "../../../engine/base/json.ts";
import { saveDocument } from "../../doc/tabs.ts";
import type { App } from "../../state/app.ts";
import { say } from "../../state/toasts.ts";
import { openers } from "../stage-ref.ts";
import type { Action } from "./action.ts";

export function graphActions(app: App): readonly Action[] {
  const { editor } = app;
  return [
    { id: "graph.new", title: "New graph", group: "Graph", keys: ["Ctrl+Alt+N"], run: () => editor.newTab() },
    { id: "graph.open", title: "Open a file", group: "Graph", keys: ["Ctrl+O"], run: () => openers.files() },
    {
      id: "graph.gallery",
      title: "Starting points",
      group: "Graph",
      keys: ["Ctrl+Alt+G"],
      run: () => {
        app.dialog.value = { kind: "gallery" };
      },
    },
    { id: "graph.save", title: "Save", group: "Graph", keys: ["Ctrl+S"], run: () => app.files.save() },
    {
      id: "graph.saveAs",
      title: "Save as",
      group: "Graph",
      keys: ["Ctrl+Shift+S"],
      run: () => {
        app.dialog.value = { kind: "save", tab: editor.tabId.value };
      },
    },
    { id: "graph.export", title: "Export", group: "Graph", keys: [], run: () => exportFile(app, "ui") },
    { id: "graph.exportApi", title: "Export what runs (API format)", group: "Graph", keys: [], run: () => exportFile(app, "api") },
    { id: "graph.close", title: "Close", group: "Graph", keys: ["Ctrl+Alt+W"], run: () => app.files.closeTab(editor.tabId.value) },
    {
      id: "graph.refresh",
      title: "Refresh models and files",
      group: "Graph",
      keys: ["R"],
      run: async () => {
        await app.refresh();
        say("Models and files are up to date.");
      },
    },
  ];
}

function exportFile(app: App, format: "ui" | "api"): void {
  const tab = app.editor.tab.value;
  if (format === "ui") download(`${tab.name}.json`, stringifyJson(saveDocument(tab), 2));
  else if (app.problems.check.value.prompt) download(`${tab.name}-api.json`, stringifyJson(app.problems.check.value.prompt, 2));
  else say("There is nothing to run in this graph yet.");
}

function download(name: string, text: string, type = "application/json"): void {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
