import { useState } from "preact/hooks";
import { useApp } from "../state/context.ts";
import { bytes } from "./bytes.ts";

export function ModelsPanel() {
  const app = useApp();
  const [query, setQuery] = useState("");
  const list = app.library.models.value;
  const models = list?.models.filter((m) => `${m.folder}/${m.name}`.toLowerCase().includes(query.toLowerCase())) ?? [];
  const folders = [...new Set(models.map((m) => m.folder))];
  return (
    <>
      <div class="panel-tools">
        <input
          class="field"
          type="search"
          placeholder="Search models"
          aria-label="Search models"
          value={query}
          onInput={(e) => setQuery(e.currentTarget.value)}
        />
      </div>
      <div class="panel-body">
        {folders.map((folder) => (
          <section key={folder} aria-label={folder}>
            <h3 class="group-title">{folder}</h3>
            <ul>
              {models
                .filter((m) => m.folder === folder)
                .map((m) => (
                  <li key={m.name} class="item" title={m.name}>
                    <span class="cut grow">{m.name}</span>
                    <span class="small dimmer">{bytes(m.bytes)}</span>
                  </li>
                ))}
            </ul>
          </section>
        ))}
        {list && models.length === 0 && <p class="dim">{query === "" ? "There are no models." : `No model matches “${query}”.`}</p>}
        {list && (
          <section class="section small dim">
            <h3>Searched folders</h3>
            {list.roots.map((root) => (
              <p key={root} class="log">
                {root}
              </p>
            ))}
            <p>
              Put a model into the folder of its kind below one of these, then refresh with <kbd>R</kbd>.
            </p>
          </section>
        )}
      </div>
    </>
  );
}
