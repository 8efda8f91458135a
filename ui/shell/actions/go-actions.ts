import { subgraphOf } from "../../doc/document.ts";
import type { App } from "../../state/app.ts";
import { say } from "../../state/toasts.ts";
import type { Action } from "./action.ts";
import { Chosen } from "./chosen.ts";

/** To other tabs, other graphs, problems, help. */
export function goActions(app: App): readonly Action[] {
  const { editor } = app;
  const chosen = new Chosen(app);
  return [
    { id: "graph.nextTab", title: "Next tab", group: "Go", keys: ["Alt+]", "Ctrl+Alt+PageDown"], run: () => turn(app, 1) },
    { id: "graph.previousTab", title: "Previous tab", group: "Go", keys: ["Alt+[", "Ctrl+Alt+PageUp"], run: () => turn(app, -1) },
    {
      id: "graph.leave",
      title: "Leave the subgraph",
      group: "Go",
      keys: ["Ctrl+Shift+ArrowUp"],
      run: () => editor.leave(),
      isEnabled: () => editor.path.length > 0,
    },
    {
      id: "graph.enter",
      title: "Enter the subgraph",
      group: "Go",
      keys: ["Ctrl+Shift+ArrowDown"],
      run: () => {
        const node = chosen.only;
        if (node && subgraphOf(editor.doc.value, node)) editor.enter(node.id);
      },
      isEnabled: () => {
        const node = chosen.only;
        return node !== undefined && subgraphOf(editor.doc.value, node) !== undefined;
      },
    },
    {
      id: "go.anywhere",
      title: "Go anywhere",
      group: "Go",
      keys: ["Ctrl+K"],
      run: () => {
        app.dialog.value = { kind: "palette" };
      },
    },
    { id: "go.problem", title: "Next problem", group: "Go", keys: ["F8"], run: () => nextProblem(app) },
    {
      id: "help.shortcuts",
      title: "Keyboard shortcuts",
      group: "Help",
      keys: ["?"],
      run: () => {
        app.dialog.value = { kind: "shortcuts" };
      },
    },
    {
      id: "help.settings",
      title: "Settings",
      group: "Help",
      keys: ["Ctrl+,"],
      run: () => {
        app.dialog.value = { kind: "settings" };
      },
    },
  ];
}

function turn(app: App, by: 1 | -1): void {
  const { tabs, active } = app.editor.tabs.value;
  const next = tabs[(tabs.findIndex((t) => t.id === active) + by + tabs.length) % tabs.length];
  if (next) app.editor.activate(next.id);
}

let lastProblem = -1;
function nextProblem(app: App): void {
  const problems = app.problems.all.value.filter((p) => p.node !== undefined);
  if (problems.length === 0) {
    say("There are no problems.");
    return;
  }
  lastProblem = (lastProblem + 1) % problems.length;
  const problem = problems[lastProblem];
  if (problem?.node !== undefined) app.goTo(problem.node);
  app.drawer.value = "problems";
}
