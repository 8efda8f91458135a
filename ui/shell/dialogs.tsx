// Everything that stands over the window. One at a time; Esc closes; the focus stays inside and goes back where it was.
import { useEffect, useRef, useState } from "preact/hooks";
import { graphName } from "../../engine/api/graphs.ts";
import { BADGES } from "../doc/badges.ts";
import { isDirty } from "../doc/tabs.ts";
import { Icon } from "../panels/icon.tsx";
import { resultPanels } from "../panels/result-panels.tsx";
import { CompareRuns } from "../panels/runs/compare-runs.tsx";
import { useApp } from "../state/context.ts";
import { DEFAULT_PREFS, LINK_SHAPES, prefs, setPrefs } from "../state/prefs.ts";
import { keysOf } from "./actions/action.ts";
import { actionsRef } from "./actions-ref.ts";
import { Dialog } from "./dialog.tsx";
import { FormView } from "./form-view.tsx";
import { Gallery } from "./gallery.tsx";
import { keyText } from "./keys.ts";
import { MaskEditor } from "./mask/mask-editor.tsx";
import { NodeHelp } from "./node-help.tsx";
import { Palette } from "./palette.tsx";
import { PublishDialog } from "./publish-dialog.tsx";
import { TrackerSettings } from "./tracker-settings.tsx";
import { Viewer } from "./viewer.tsx";

export function Dialogs() {
  const app = useApp();
  const dialog = app.dialog.value;
  const layer = useRef<HTMLDivElement>(null);
  const close = (): void => {
    app.dialog.value = null;
  };
  useEffect(() => {
    if (!dialog) return undefined;
    const before = document.activeElement;
    const find = (selector: string) => layer.current?.querySelector<HTMLElement>(selector);
    const first = find("[autofocus]") ?? find("input:not([type=hidden])") ?? find("button.primary") ?? find("button");
    if (!layer.current?.contains(document.activeElement)) first?.focus();
    return () => {
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, [dialog?.kind]);
  if (!dialog) return null;
  return (
    <div
      class={`layer${dialog.kind === "palette" ? " top-layer" : ""}`}
      ref={layer}
      onPointerDown={(e) => e.target === e.currentTarget && dialog.kind !== "mask" && close()}
      onKeyDown={(e) => {
        e.stopPropagation();
        if (e.key === "Escape") close();
        if (e.key === "Tab") keepInside(e, e.currentTarget);
      }}
    >
      {dialog.kind === "palette" && <Palette />}
      {dialog.kind === "gallery" && <Gallery close={close} />}
      {dialog.kind === "settings" && <Settings close={close} />}
      {dialog.kind === "shortcuts" && <Shortcuts close={close} />}
      {dialog.kind === "viewer" && <Viewer {...dialog} close={close} />}
      {dialog.kind === "save" && <SaveAs tab={dialog.tab} close={close} />}
      {dialog.kind === "close" && <CloseTab tab={dialog.tab} close={close} />}
      {dialog.kind === "conflict" && <Conflict tab={dialog.tab} close={close} />}
      {dialog.kind === "form" && (
        <Dialog title={app.editor.tabName.value} close={close}>
          <FormView />
        </Dialog>
      )}
      {dialog.kind === "rename-group" && <RenameGroup index={dialog.index} title={dialog.title} close={close} />}
      {dialog.kind === "compare" && (
        <Dialog title="Compare two runs" close={close} size="wide">
          <CompareRuns run={dialog.run} />
        </Dialog>
      )}
      {dialog.kind === "result" && <Result node={dialog.node} close={close} />}
      {dialog.kind === "rename-graph" && <RenameGraph from={dialog.name} close={close} />}
      {dialog.kind === "help" && <NodeHelp type={dialog.type} close={close} />}
      {dialog.kind === "publish" && <PublishDialog node={dialog.node} close={close} />}
      {dialog.kind === "mask" && <MaskEditor {...dialog} close={close} />}
    </div>
  );
}

function keepInside(e: KeyboardEvent, box: HTMLElement): void {
  const all = [
    ...box.querySelectorAll<HTMLElement>("button:not(:disabled), input:not(:disabled), select, textarea, a[href], [tabindex='0']"),
  ].filter((el) => el.offsetParent !== null);
  const first = all[0];
  const last = all.at(-1);
  if (e.shiftKey && document.activeElement === first) {
    e.preventDefault();
    last?.focus();
  } else if (!e.shiftKey && document.activeElement === last) {
    e.preventDefault();
    first?.focus();
  }
}

function SaveAs({ tab: id, close }: { readonly tab: string; readonly close: () => void }) {
  const app = useApp();
  const tab = app.editor.tabs.value.tabs.find((t) => t.id === id);
  const [name, setName] = useState(tab?.name ?? "");
  const parsed = graphName.safeParse(name.trim());
  const isTaken =
    app.library.graphs.value.some((g) => g.name === name.trim()) && name.trim() !== (tab?.saved === undefined ? undefined : tab.name);
  const save = (): void => {
    if (parsed.success) void app.files.save(id, { name: parsed.data, overwrite: isTaken });
  };
  return (
    <Dialog
      title="Save as"
      close={close}
      foot={
        <>
          <button type="button" class="button" onClick={close}>
            Cancel
          </button>
          <button type="button" class="button primary" disabled={!parsed.success} onClick={save}>
            {isTaken ? "Replace" : "Save"}
          </button>
        </>
      }
    >
      <input
        class="field"
        autofocus
        aria-label="Name"
        value={name}
        onInput={(e) => setName(e.currentTarget.value)}
        onKeyDown={(e) => e.key === "Enter" && save()}
        ref={(el) => el?.select()}
      />
      {!parsed.success && name !== "" && (
        <p class="small warn">A name has letters, digits, spaces, -, _ and ., and begins with a letter or digit.</p>
      )}
      {isTaken && <p class="small warn">A graph of this name exists: it will be replaced.</p>}
    </Dialog>
  );
}

function CloseTab({ tab: id, close }: { readonly tab: string; readonly close: () => void }) {
  const app = useApp();
  const tab = app.editor.tabs.value.tabs.find((t) => t.id === id);
  return (
    <Dialog
      title={`Close ${tab?.name ?? ""}`}
      close={close}
      foot={
        <>
          <button type="button" class="button" onClick={close}>
            Cancel
          </button>
          <button type="button" class="button danger" onClick={() => app.files.closeTab(id, true)}>
            Close without saving
          </button>
          <button
            type="button"
            class="button primary"
            onClick={() =>
              void app.files.save(id).then(() => {
                const now = app.editor.tabs.value.tabs.find((t) => t.id === id);
                if (now && !isDirty(now)) app.files.closeTab(id, true);
              })
            }
          >
            Save
          </button>
        </>
      }
    >
      <p>It has changes that are not saved.</p>
    </Dialog>
  );
}

function Conflict({ tab: id, close }: { readonly tab: string; readonly close: () => void }) {
  const app = useApp();
  const tab = app.editor.tabs.value.tabs.find((t) => t.id === id);
  return (
    <Dialog
      title={`${tab?.name ?? "The graph"} was changed elsewhere`}
      close={close}
      foot={
        <>
          <button type="button" class="button" onClick={() => (app.dialog.value = { kind: "save", tab: id })}>
            Save under another name
          </button>
          <button type="button" class="button danger" onClick={() => void app.files.save(id, { overwrite: true })}>
            Replace what is there
          </button>
        </>
      }
    >
      <p>Another window saved it after you opened it. Nothing was overwritten.</p>
    </Dialog>
  );
}

function RenameGraph({ from, close }: { readonly from: string; readonly close: () => void }) {
  const app = useApp();
  const [name, setName] = useState(from);
  const wanted = name.trim();
  const isValid = graphName.safeParse(wanted).success;
  const isTaken = wanted !== from && app.library.graphs.value.some((g) => g.name === wanted);
  const rename = (): void => {
    if (wanted === from) close();
    else if (isValid && !isTaken) void app.files.rename(from, wanted).then((done) => done && close());
  };
  return (
    <Dialog
      title={`Rename ${from}`}
      close={close}
      foot={
        <button type="button" class="button primary" disabled={!isValid || isTaken} onClick={rename}>
          Rename
        </button>
      }
    >
      <input
        class="field"
        autofocus
        aria-label="Name"
        value={name}
        onInput={(e) => setName(e.currentTarget.value)}
        onKeyDown={(e) => e.key === "Enter" && rename()}
        ref={(el) => el?.select()}
      />
      {!isValid && <p class="small warn">A name has letters, digits, spaces, -, _ and ., and begins with a letter or digit.</p>}
      {isTaken && <p class="small warn">A graph of this name exists.</p>}
    </Dialog>
  );
}

function RenameGroup({ index, title, close }: { readonly index: number; readonly title: string; readonly close: () => void }) {
  const app = useApp();
  const [text, setText] = useState(title);
  const keep = (): void => {
    app.editor.perform([{ name: "group.edit", args: { place: app.editor.place.value, index, change: { title: text } } }]);
    close();
  };
  return (
    <Dialog
      title="Rename the group"
      close={close}
      foot={
        <button type="button" class="button primary" onClick={keep}>
          Rename
        </button>
      }
    >
      <input
        class="field"
        autofocus
        aria-label="Title"
        value={text}
        onInput={(e) => setText(e.currentTarget.value)}
        onKeyDown={(e) => e.key === "Enter" && keep()}
      />
    </Dialog>
  );
}

function Result({ node, close }: { readonly node: string; readonly close: () => void }) {
  const app = useApp();
  const run = app.nodeRun(node);
  const runId = app.runs.tabRun(app.editor.tabId.value).run ?? "";
  return (
    <Dialog title={app.titleAt(node)} close={close} size="full">
      {run &&
        resultPanels
          .filter((p) => p.matches(run))
          .map(({ id, Component }) => <Component key={id} node={node} run={run} runId={runId} isLarge />)}
    </Dialog>
  );
}

function Settings({ close }: { readonly close: () => void }) {
  const app = useApp();
  const p = prefs.value;
  const toggle = (key: "snap" | "minimap" | "autoRun" | "autoCost", label: string) => (
    <label class="row">
      <input type="checkbox" class="switch" checked={p[key]} onChange={(e) => setPrefs({ [key]: e.currentTarget.checked })} />
      {label}
    </label>
  );
  const system = app.library.system.value;
  return (
    <Dialog
      title="Settings"
      close={close}
      foot={
        <button type="button" class="button" onClick={() => setPrefs(DEFAULT_PREFS)}>
          Back to the defaults
        </button>
      }
    >
      <div class="widget-row">
        <label for="theme">Colours</label>
        <select
          id="theme"
          class="field"
          value={p.theme}
          onChange={(e) =>
            setPrefs({ theme: e.currentTarget.value === "dark" ? "dark" : e.currentTarget.value === "light" ? "light" : "system" })
          }
        >
          <option value="system">as the system</option>
          <option value="dark">dark</option>
          <option value="light">light</option>
        </select>
        <label for="links">Links</label>
        <select
          id="links"
          class="field"
          value={p.links}
          onChange={(e) => setPrefs({ links: LINK_SHAPES.find((l) => l === e.currentTarget.value) ?? "spline" })}
        >
          <option value="spline">curved</option>
          <option value="linear">in one line</option>
          <option value="straight">at right angles</option>
          <option value="hidden">hidden</option>
        </select>
        <label for="badges">Badges on nodes</label>
        <select
          id="badges"
          class="field"
          value={p.badges}
          onChange={(e) => setPrefs({ badges: BADGES.find((b) => b === e.currentTarget.value) ?? "special" })}
        >
          <option value="special">experimental, deprecated, from elsewhere</option>
          <option value="ids">the number of each node too</option>
          <option value="none">none</option>
        </select>
        <label for="wheel">Wheel</label>
        <select
          id="wheel"
          class="field"
          value={p.wheel}
          onChange={(e) => setPrefs({ wheel: e.currentTarget.value === "pan" ? "pan" : "zoom" })}
        >
          <option value="zoom">zooms</option>
          <option value="pan">moves the view (Ctrl zooms)</option>
        </select>
      </div>
      {toggle("snap", "Snap nodes to the grid")}
      {toggle("minimap", "Minimap")}
      {toggle("autoRun", "Run again after each change")}
      {toggle("autoCost", "Estimate the cost after each change")}
      <TrackerSettings />
      <button type="button" class="button" onClick={() => (app.dialog.value = { kind: "shortcuts" })}>
        <Icon name="keyboard" /> Keyboard shortcuts
      </button>
      {system && (
        <dl class="pairs small">
          <dt>Version</dt>
          <dd>{system.versions.package}</dd>
          <dt>ONNX Runtime</dt>
          <dd>{system.versions.onnxruntime}</dd>
          <dt>Node</dt>
          <dd>{system.versions.node}</dd>
          <dt>Device</dt>
          <dd>
            {system.device}, {system.threads} of {system.cores} cores
          </dd>
          <dt>Output folder</dt>
          <dd>{system.folders.output}</dd>
          <dt>Input folder</dt>
          <dd>{system.folders.input}</dd>
        </dl>
      )}
    </Dialog>
  );
}

function Shortcuts({ close }: { readonly close: () => void }) {
  const [editing, setEditing] = useState<string | undefined>();
  const [query, setQuery] = useState("");
  const groups = new Map<string, (typeof actionsRef.current)[number][]>();
  for (const action of actionsRef.current)
    if (`${action.title} ${keysOf(action).join(" ")}`.toLowerCase().includes(query.toLowerCase()))
      groups.set(action.group, [...(groups.get(action.group) ?? []), action]);
  const taken = (keys: string, id: string): string | undefined =>
    actionsRef.current.find((a) => a.id !== id && keysOf(a).includes(keys))?.title;
  return (
    <Dialog
      title="Keyboard shortcuts"
      close={close}
      size="wide"
      foot={
        <button type="button" class="button" disabled={Object.keys(prefs.value.keys).length === 0} onClick={() => setPrefs({ keys: {} })}>
          Back to the defaults
        </button>
      }
    >
      <input
        class="field"
        type="search"
        autofocus
        placeholder="Search commands and keys"
        aria-label="Search commands and keys"
        value={query}
        onInput={(e) => setQuery(e.currentTarget.value)}
      />
      <div class="keys">
        {[...groups].map(([group, actions]) => (
          <section key={group}>
            <h3>{group}</h3>
            <ul>
              {actions.map((action) => (
                <li key={action.id}>
                  <span class="grow cut">{action.title}</span>
                  {editing === action.id ? (
                    <input
                      class="field key-field"
                      aria-label={`New key for ${action.title}`}
                      placeholder="Press a key"
                      ref={(el) => el?.focus()}
                      onBlur={() => setEditing(undefined)}
                      onKeyDown={(e) => {
                        e.preventDefault();
                        e.stopPropagation();
                        if (e.key === "Escape") {
                          setEditing(undefined);
                          return;
                        }
                        if (e.key === "Backspace") {
                          setPrefs({ keys: { ...prefs.value.keys, [action.id]: [] } });
                          setEditing(undefined);
                          return;
                        }
                        const keys = keyText(e);
                        if (keys === "") return;
                        const other = actionsRef.current.find((a) => a.id !== action.id && keysOf(a).includes(keys));
                        setPrefs({
                          keys: {
                            ...prefs.value.keys,
                            [action.id]: [keys],
                            ...(other && { [other.id]: keysOf(other).filter((k) => k !== keys) }),
                          },
                        });
                        setEditing(undefined);
                      }}
                    />
                  ) : (
                    <button
                      type="button"
                      class="row"
                      aria-label={`Change the key of ${action.title}`}
                      onClick={() => setEditing(action.id)}
                    >
                      {keysOf(action).length === 0 && <span class="small dimmer">none</span>}
                      {keysOf(action).map((k) => (
                        <kbd key={k} title={taken(k, action.id)}>
                          {k}
                        </kbd>
                      ))}
                    </button>
                  )}
                </li>
              ))}
            </ul>
          </section>
        ))}
        <section>
          <h3>Pointer</h3>
          <ul>
            {[
              ["Move the view", "drag, Space"],
              ["Zoom", "wheel"],
              ["Select in a box", "Ctrl+drag"],
              ["Add to the selection", "Shift+click"],
              ["Copy a node", "Alt+drag"],
              ["Join two nodes", "drop one on the other"],
              ["Cut links", "right drag, Alt+drag"],
              ["Bend a link", "Alt+click on it"],
              ["Look at an output", "Ctrl+Shift+click"],
              ["Branch a link", "Shift+drag from it"],
            ].map(([what, how]) => (
              <li key={what}>
                <span class="grow">{what}</span>
                <span class="small dim">{how}</span>
              </li>
            ))}
          </ul>
        </section>
      </div>
      <p class="small dim">Click a key to change it: press the new one, Backspace for none.</p>
    </Dialog>
  );
}
