// Search and add: every node there is, or only those that fit a link that was dropped.
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { graphAt, type Point, typeName } from "../doc/document.ts";
import { type End, inputOf, outputType, typesFit } from "../doc/links.ts";
import type { NodeFace } from "../doc/node-face.ts";
import { nodeWords, search } from "../doc/search.ts";
import { placePopup } from "../panels/place-popup.ts";
import type { App } from "../state/app.ts";
import { blueprintName, insertBlueprint } from "../state/blueprints.ts";
import { useApp } from "../state/context.ts";
import { prefs } from "../state/prefs.ts";

export interface AddNodeOptions {
  readonly pos: Point;
  readonly at: Point;
  readonly from?: End;
  readonly to?: End;
}

interface Choice {
  readonly type: string;
  readonly name: string;
  readonly category: string;
  readonly summary: string;
  /** What it is found by besides its name. */
  readonly words: string;
  /** A published subgraph. */
  readonly blueprint?: string;
}

export function AddNode({ options, close }: { readonly options: AddNodeOptions; readonly close: () => void }) {
  const app = useApp();
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const popup = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLUListElement>(null);
  // A key must not list all nodes again. The values are read here, so that the page follows them when the list does not.
  const [doc, graphs] = [app.editor.doc.value, app.library.graphs.value];
  const all = useMemo(() => choicesFor(app, options), [app, options, doc, graphs]);
  const marked = new Set(prefs.value.bookmarks);
  const ordered = query === "" ? [...all.filter((c) => marked.has(c.type)), ...all.filter((c) => !marked.has(c.type))] : all;
  const found = search(query, ordered, (c) => ({ text: c.name, more: c.words }), 60);
  useLayoutEffect(() => {
    if (popup.current) placePopup(popup.current, options.at);
    popup.current?.querySelector("input")?.focus({ preventScroll: true });
  }, [options]);
  useLayoutEffect(() => {
    list.current?.children[at]?.scrollIntoView({ block: "nearest" });
  }, [at]);
  const end = (): void => {
    close();
    document.querySelector<HTMLElement>("canvas.board")?.focus({ preventScroll: true });
  };
  const add = (choice: Choice | undefined): void => {
    if (!choice) return;
    const { pos, from, to } = options;
    if (choice.blueprint !== undefined) {
      void insertBlueprint(app, choice.blueprint, pos);
      end();
      return;
    }
    app.editor.add({
      name: "node.add",
      args: {
        place: app.editor.place.value,
        type: choice.type,
        pos: [Math.round(to ? pos[0] - 240 : pos[0]), Math.round(pos[1])],
        ...(from && { from }),
        ...(to && { to }),
      },
    });
    end();
  };
  const filter = filterName(app, options);
  return (
    <div
      class="popup search"
      ref={popup}
      role="dialog"
      aria-label="Add a node"
      onFocusOut={(e) => {
        if (!(e.relatedTarget instanceof Node) || !e.currentTarget.contains(e.relatedTarget)) close();
      }}
      onKeyDown={(e) => {
        e.stopPropagation();
        if (e.key === "Escape") end();
        else if (e.key === "Enter") add(found[at]);
        else if (e.key === "ArrowDown" || e.key === "ArrowUp") {
          e.preventDefault();
          setAt((at + (e.key === "ArrowDown" ? 1 : -1) + found.length) % Math.max(1, found.length));
        }
      }}
    >
      <input
        class="palette-input"
        role="combobox"
        aria-expanded="true"
        aria-controls="add-list"
        aria-activedescendant={found[at] ? `add-${at}` : undefined}
        aria-label="Search nodes"
        placeholder={filter === undefined ? "Search nodes" : `Search nodes that fit ${filter}`}
        value={query}
        onInput={(e) => {
          setQuery(e.currentTarget.value);
          setAt(0);
        }}
      />
      <ul class="palette-list" id="add-list" role="listbox" aria-label="Nodes" ref={list}>
        {found.map((choice, i) => (
          <li
            key={choice.type}
            id={`add-${i}`}
            role="option"
            aria-selected={i === at}
            onPointerDown={(e) => e.preventDefault()}
            onClick={() => add(choice)}
            onPointerMove={() => setAt(i)}
            title={choice.summary}
          >
            <span class="grow cut">{choice.name}</span>
            <span class="small dimmer">{choice.category}</span>
          </li>
        ))}
        {found.length === 0 && <li class="dim">{filter === undefined ? "No node matches" : `No node that fits ${filter} matches`}</li>}
      </ul>
    </div>
  );
}

function choicesFor(app: App, { from, to }: AddNodeOptions): readonly Choice[] {
  const { editor } = app;
  const graph = graphAt(editor.doc.value, editor.place.value);
  const output = from && outputType(graph, from);
  const input = to && inputOf(graph, to);
  const fits = (face: Pick<NodeFace, "inputs" | "outputs" | "variadic">): boolean => {
    if (output !== undefined)
      return (
        face.inputs.some((i) => typesFit(output, i.type, i.kind === "widget")) ||
        (face.variadic !== undefined && typesFit(output, face.variadic.type, false))
      );
    if (input) return face.outputs.some((o) => typesFit(o.type, input.type, input.widget));
    return true;
  };
  /** Nodes that name the type come before those that take anything. */
  const exact = (face: NodeFace): number =>
    output !== undefined
      ? face.inputs.some((i) => i.kind === "socket" && i.type === output)
        ? 0
        : 1
      : input
        ? face.outputs.some((o) => o.type === input.type)
          ? 0
          : 1
        : 0;
  const nodes = editor.faces
    .all()
    .filter(fits)
    .sort((a, b) => exact(a) - exact(b))
    .map((f): Choice => ({ type: f.type, name: f.type, category: f.category, summary: f.summary, words: nodeWords(f) }));
  const place = editor.place.value;
  const subgraphs = editor.doc.value.subgraphs.flatMap((s): Choice[] =>
    s.id !== place &&
    fits({
      inputs: s.inputs.map((i) => ({ kind: "socket", name: i.name, type: typeName(i.type), optional: true })),
      outputs: s.outputs.map((o) => ({ name: o.name, type: typeName(o.type) })),
    })
      ? [{ type: s.id, name: s.name, category: "subgraph", summary: `A subgraph of ${s.nodes.length} nodes`, words: "subgraph" }]
      : [],
  );
  // Their sockets are known once they are there.
  const published = from || to ? [] : app.library.graphs.value.flatMap((g) => blueprintName(g.name) ?? []);
  return [
    ...nodes,
    ...subgraphs,
    ...published.map(
      (b): Choice => ({
        type: `published ${b}`,
        name: b,
        category: "published",
        summary: "A published subgraph",
        words: "published subgraph",
        blueprint: b,
      }),
    ),
  ];
}

function filterName(app: App, { from, to }: AddNodeOptions): string | undefined {
  const graph = app.editor.graph.value;
  return from ? outputType(graph, from) : to ? inputOf(graph, to)?.type : undefined;
}
