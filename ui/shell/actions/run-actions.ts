import type { App } from "../../state/app.ts";
import { prefs, setPrefs } from "../../state/prefs.ts";
import { say } from "../../state/toasts.ts";
import type { Action } from "./action.ts";
import { Chosen } from "./chosen.ts";

export function runActions(app: App): readonly Action[] {
  const chosen = new Chosen(app);
  return [
    { id: "run", title: "Run", group: "Run", keys: ["Ctrl+Enter"], run: () => app.runner.run() },
    {
      id: "run.front",
      title: "Run before everything that waits",
      group: "Run",
      keys: ["Ctrl+Shift+Enter"],
      run: () => app.runner.run({ front: true }),
    },
    {
      id: "run.selected",
      title: "Run to the selected nodes",
      group: "Run",
      keys: ["Shift+R"],
      run: () => {
        const targets = outputsBelow(app, chosen);
        if (targets.length === 0) say("Nothing below the selection is saved or shown: look at it with Ctrl+Shift+click instead.");
        else return app.runner.run({ targets });
        return undefined;
      },
      isEnabled: chosen.isAny,
    },
    { id: "run.stop", title: "Stop", group: "Run", keys: ["Ctrl+Alt+Enter"], run: () => app.runner.stop() },
    { id: "run.pause", title: "Pause or go on", group: "Run", keys: ["Ctrl+Alt+P"], run: () => app.runner.pause() },
    { id: "run.cost", title: "Estimate what it costs", group: "Run", keys: ["Ctrl+Alt+D"], run: () => app.runner.estimate() },
    { id: "run.auto", title: "Run after each change", group: "Run", keys: [], run: () => setPrefs({ autoRun: !prefs.value.autoRun }) },
  ];
}

/** The selected output nodes; without any, those below the selection. */
function outputsBelow({ editor }: App, chosen: Chosen): string[] {
  const wanted = new Set(chosen.ids.map(String));
  const open = [...wanted];
  const { links } = editor.graph.value;
  for (let id = open.pop(); id !== undefined; id = open.pop())
    for (const l of links)
      if (String(l.origin_id) === id && !wanted.has(String(l.target_id))) {
        wanted.add(String(l.target_id));
        open.push(String(l.target_id));
      }
  const outputs = editor.graph.value.nodes.filter((n) => editor.faces.get(n.type)?.isOutput);
  const own = outputs.filter((n) => chosen.ids.some((id) => String(id) === String(n.id)));
  return (own.length > 0 ? own : outputs.filter((n) => wanted.has(String(n.id)))).map((n) => editor.promptId(n.id));
}
