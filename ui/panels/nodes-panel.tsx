// The library of nodes: by category, searched, marked; a click adds one in the middle, a drag where it is dropped.
import { useState } from "preact/hooks";
import type { NodeFace } from "../doc/node-face.ts";
import { nodeWords, search } from "../doc/search.ts";
import { blueprintName, graphOfBlueprint, insertBlueprint } from "../state/blueprints.ts";
import { useApp } from "../state/context.ts";
import { prefs, setPrefs } from "../state/prefs.ts";
import { Icon } from "./icon.tsx";
import { TypeMark } from "./inspector.tsx";

export function NodesPanel({ centre }: { readonly centre: () => readonly [number, number] }) {
  const app = useApp();
  const [query, setQuery] = useState("");
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set());
  const all = app.editor.faces.all();
  const marked = new Set(prefs.value.bookmarks);
  const found = query === "" ? all : search(query, all, (f) => ({ text: f.type, more: nodeWords(f) }), 80);
  const groups = new Map<string, NodeFace[]>();
  for (const face of found)
    groups.set(query === "" ? face.category : "found", [...(groups.get(query === "" ? face.category : "found") ?? []), face]);
  const bookmarks = query === "" ? all.filter((f) => marked.has(f.type)) : [];
  const published = app.library.graphs.value.flatMap((g) => {
    const name = blueprintName(g.name);
    return name?.toLowerCase().includes(query.toLowerCase()) ? [name] : [];
  });
  const add = (type: string): void =>
    void app.editor.add({ name: "node.add", args: { place: app.editor.place.value, type, pos: centre() } });
  const item = (face: NodeFace) => (
    <li key={face.type}>
      <div class="item" draggable title={face.summary} onDragStart={(e) => e.dataTransfer?.setData("application/x-node-type", face.type)}>
        <button type="button" class="row grow" onClick={() => add(face.type)}>
          <TypeMark type={face.outputs[0]?.type ?? "*"} />
          <span class="cut grow">{face.type}</span>
        </button>
        <span class="tools">
          <button
            type="button"
            class="icon-button"
            aria-label={marked.has(face.type) ? `Unmark ${face.type}` : `Mark ${face.type}`}
            aria-pressed={marked.has(face.type)}
            onClick={() =>
              setPrefs({
                bookmarks: marked.has(face.type)
                  ? prefs.value.bookmarks.filter((b) => b !== face.type)
                  : [...prefs.value.bookmarks, face.type],
              })
            }
          >
            <Icon name="star" />
          </button>
        </span>
      </div>
    </li>
  );
  return (
    <>
      <div class="panel-tools">
        <input
          class="field"
          type="search"
          placeholder="Search nodes"
          aria-label="Search nodes"
          value={query}
          onInput={(e) => setQuery(e.currentTarget.value)}
        />
      </div>
      <div class="panel-body">
        {bookmarks.length > 0 && (
          <section aria-label="Marked">
            <h3 class="group-title">Marked</h3>
            <ul>{bookmarks.map(item)}</ul>
          </section>
        )}
        {published.length > 0 && (
          <section aria-label="Published subgraphs">
            <h3 class="group-title">Published subgraphs</h3>
            <ul>
              {published.map((name) => (
                <li key={name}>
                  <div class="item">
                    <button type="button" class="row grow" onClick={() => void insertBlueprint(app, name, centre())}>
                      <Icon name="subgraph" />
                      <span class="cut grow">{name}</span>
                    </button>
                    <span class="tools">
                      <button
                        type="button"
                        class="icon-button"
                        aria-label={`Open ${name}`}
                        title="Open as a graph"
                        onClick={() => void app.files.open(graphOfBlueprint(name))}
                      >
                        <Icon name="open" />
                      </button>
                      <button
                        type="button"
                        class="icon-button"
                        aria-label={`Delete ${name}`}
                        onClick={() => void app.files.remove(graphOfBlueprint(name))}
                      >
                        <Icon name="trash" />
                      </button>
                    </span>
                  </div>
                </li>
              ))}
            </ul>
          </section>
        )}
        {[...groups].map(([name, faces]) => (
          <section key={name} aria-label={name}>
            <button
              type="button"
              class="group-title"
              aria-expanded={!closed.has(name)}
              onClick={() => {
                const next = new Set(closed);
                if (!next.delete(name)) next.add(name);
                setClosed(next);
              }}
            >
              <span class="grow">{name}</span>
              <span class="dimmer">{faces.length}</span>
            </button>
            {!closed.has(name) && <ul>{faces.map(item)}</ul>}
          </section>
        ))}
        {found.length + published.length === 0 && <p class="dim">No node matches “{query}”.</p>}
      </div>
    </>
  );
}
