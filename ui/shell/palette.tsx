// Ctrl-K: every command, every node that can be added, every node of the graph, saved graphs, starting points, runs.
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { titleOf } from "../doc/node-layout.ts";
import { search } from "../doc/search.ts";
import type { App } from "../state/app.ts";
import { blueprintName, insertBlueprint } from "../state/blueprints.ts";
import { useApp } from "../state/context.ts";
import { keysOf } from "./actions/action.ts";
import { actionsRef } from "./actions-ref.ts";
import { stageRef } from "./stage-ref.ts";

interface Entry {
  readonly kind: string;
  readonly title: string;
  readonly more: string;
  readonly keys: string;
  readonly run: () => void;
}

export function Palette() {
  const app = useApp();
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef<HTMLUListElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const entries = useMemo(() => entriesOf(app), [app]);
  const found = useMemo(() => search(query, entries, (e) => ({ text: e.title, more: `${e.kind} ${e.more}` }), 60), [query, entries]);
  useLayoutEffect(() => input.current?.focus(), []);
  useLayoutEffect(() => list.current?.children[at]?.scrollIntoView({ block: "nearest" }), [at]);
  const run = (entry: Entry | undefined): void => {
    if (!entry) return;
    app.dialog.value = null;
    document.querySelector<HTMLElement>("canvas.board")?.focus({ preventScroll: true });
    entry.run();
  };
  return (
    <div
      class="dialog"
      role="dialog"
      aria-modal="true"
      aria-label="Go anywhere"
      onKeyDown={(e) => {
        if (e.key === "Enter") run(found[at]);
        else if (e.key === "ArrowDown" || e.key === "ArrowUp") {
          e.preventDefault();
          setAt((at + (e.key === "ArrowDown" ? 1 : -1) + found.length) % Math.max(1, found.length));
        }
      }}
    >
      <input
        ref={input}
        class="palette-input"
        role="combobox"
        aria-expanded="true"
        aria-controls="palette"
        aria-activedescendant={found[at] ? `palette-${at}` : undefined}
        aria-label="Commands, nodes, graphs, runs"
        placeholder="Commands, nodes, graphs, runs"
        value={query}
        onInput={(e) => {
          setQuery(e.currentTarget.value);
          setAt(0);
        }}
      />
      <ul class="palette-list" id="palette" role="listbox" aria-label="Results" ref={list}>
        {found.map((entry, i) => (
          <li
            key={`${entry.kind} ${entry.title} ${entry.more}`}
            id={`palette-${i}`}
            role="option"
            aria-selected={i === at}
            onClick={() => run(entry)}
            onPointerMove={() => setAt(i)}
          >
            <span class="cut">{entry.title}</span>
            <span class="small dimmer grow cut">{entry.more}</span>
            {entry.keys !== "" ? <kbd>{entry.keys}</kbd> : <span class="small dimmer">{entry.kind}</span>}
          </li>
        ))}
        {found.length === 0 && <li class="dim">Nothing matches “{query}”</li>}
      </ul>
    </div>
  );
}

function entriesOf(app: App): readonly Entry[] {
  const { editor } = app;
  const doc = editor.doc.value;
  const entry = (kind: string, title: string, more: string, run: () => void, keys = ""): Entry => ({ kind, title, more, run, keys });
  return [
    ...actionsRef.current.flatMap((a) =>
      a.isEnabled?.() === false || a.id === "go.anywhere"
        ? []
        : [entry("command", a.title, a.group, () => void a.run(), keysOf(a)[0] ?? "")],
    ),
    ...editor.graph.value.nodes.map((n) =>
      entry("go to node", titleOf(doc, n), `${n.type} ${n.id}`, () => app.goTo(editor.promptId(n.id))),
    ),
    ...editor.faces.all().map((f) =>
      entry(
        "add node",
        f.type,
        f.category,
        () =>
          void editor.add({
            name: "node.add",
            args: { place: editor.place.value, type: f.type, pos: stageRef.current?.centre ?? [0, 0] },
          }),
      ),
    ),
    ...app.library.graphs.value.map((g) => {
      const blueprint = blueprintName(g.name);
      return blueprint === undefined
        ? entry("open graph", g.name, `${g.nodes} nodes`, () => void app.files.open(g.name))
        : entry("add subgraph", blueprint, "published", () => void insertBlueprint(app, blueprint, stageRef.current?.centre ?? [0, 0]));
    }),
    ...app.library.gallery.value.map((g) => entry("starting point", g.title, g.summary, () => void app.files.openStartingPoint(g.name))),
    ...app.runs.history.value
      .slice(0, 100)
      .map((r) => entry("run", r.name, `${r.state} ${new Date(r.created).toLocaleString()}`, () => void app.files.openRun(r.id))),
  ];
}
