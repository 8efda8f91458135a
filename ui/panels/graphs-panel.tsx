import { useState } from "preact/hooks";
import { blueprintName } from "../state/blueprints.ts";
import { useApp } from "../state/context.ts";
import { ago } from "./ago.ts";
import { Icon } from "./icon.tsx";

export function GraphsPanel({ openFile }: { readonly openFile: () => void }) {
  const app = useApp();
  const [query, setQuery] = useState("");
  const graphs = app.library.graphs.value.filter(
    (g) => blueprintName(g.name) === undefined && g.name.toLowerCase().includes(query.toLowerCase()),
  );
  return (
    <>
      <div class="panel-tools row">
        <input
          class="field"
          type="search"
          placeholder="Search graphs"
          aria-label="Search graphs"
          value={query}
          onInput={(e) => setQuery(e.currentTarget.value)}
        />
      </div>
      <div class="panel-body">
        <div class="row">
          <button type="button" class="button grow" onClick={() => (app.dialog.value = { kind: "gallery" })}>
            <Icon name="grid" /> Starting points
          </button>
          <button type="button" class="button grow" onClick={openFile}>
            <Icon name="open" /> Open a file
          </button>
        </div>
        <h3 class="group-title">Saved</h3>
        <ul>
          {graphs.map((g) => (
            <li key={g.name}>
              <div class="item">
                <button type="button" class="grow cut row" title={g.problem} onClick={() => void app.files.open(g.name)}>
                  {g.problem !== undefined && <Icon name="warn" />}
                  <span class="cut grow">{g.name}</span>
                  <span class="small dimmer cut">{g.problem ?? `${g.nodes} nodes · ${ago(g.modified)}`}</span>
                </button>
                <span class="tools">
                  <button
                    type="button"
                    class="icon-button"
                    aria-label={`Rename ${g.name}`}
                    title="Rename"
                    onClick={() => (app.dialog.value = { kind: "rename-graph", name: g.name })}
                  >
                    <Icon name="edit" />
                  </button>
                  <button type="button" class="icon-button" aria-label={`Delete ${g.name}`} onClick={() => void app.files.remove(g.name)}>
                    <Icon name="trash" />
                  </button>
                </span>
              </div>
            </li>
          ))}
        </ul>
        {graphs.length === 0 && (
          <p class="dim">
            {query === "" ? (
              <>
                Nothing saved yet. <kbd>Ctrl+S</kbd> saves the graph in view.
              </>
            ) : (
              `No saved graph matches “${query}”.`
            )}
          </p>
        )}
      </div>
    </>
  );
}
