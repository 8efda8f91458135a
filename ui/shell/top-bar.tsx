import { isDirty } from "../doc/tabs.ts";
import { Icon } from "../panels/icon.tsx";
import { useApp } from "../state/context.ts";
import { runAction } from "./actions-ref.ts";

export function TopBar() {
  const app = useApp();
  const { tabs } = app.editor.tabs.value;
  const active = app.editor.tabId.value;
  return (
    <header class="top">
      <div class="brand">
        <img src={new URL("../icon.svg", import.meta.url).href} alt="Who's Who" />
      </div>
      <div class="tabs" role="tablist" aria-label="Open graphs">
        {tabs.map((tab) => {
          const run = app.runs.summaryOf(tab.id);
          return (
            <div class={`tab${tab.id === active ? " active" : ""}`} key={tab.id} role="presentation">
              <button
                type="button"
                role="tab"
                aria-selected={tab.id === active}
                onClick={() => app.editor.activate(tab.id)}
                onAuxClick={(e) => e.button === 1 && app.files.closeTab(tab.id)}
                onDblClick={() => (app.dialog.value = { kind: "save", tab: tab.id })}
              >
                {run?.state === "running" && <i class="state-dot running" role="img" aria-label="running" />}
                <span class="cut">{tab.name}</span>
                {isDirty(tab) && <i class="dirty" role="img" aria-label="not saved" title="Not saved" />}
              </button>
              <button type="button" class="close" aria-label={`Close ${tab.name}`} onClick={() => app.files.closeTab(tab.id)}>
                <Icon name="close" />
              </button>
            </div>
          );
        })}
      </div>
      <button type="button" class="icon-button" aria-label="New graph" title="New graph" onClick={() => app.editor.newTab()}>
        <Icon name="plus" />
      </button>
      <span class="grow" />
      <button type="button" class="search-button" onClick={() => (app.dialog.value = { kind: "palette" })}>
        <Icon name="search" />
        <span class="grow">Search everything</span>
        <kbd>Ctrl+K</kbd>
      </button>
      <button type="button" class="icon-button" aria-label="Save" title="Save (Ctrl+S)" onClick={() => runAction("graph.save")}>
        <Icon name="save" />
      </button>
      <button type="button" class="icon-button" aria-label="Simple form" title="Simple form" onClick={() => runAction("view.form")}>
        <Icon name="form" />
      </button>
      <button
        type="button"
        class="icon-button"
        aria-label="List of nodes and links"
        title="List of nodes and links"
        aria-pressed={app.isList.value}
        onClick={() => runAction("view.list")}
      >
        <Icon name="list" />
      </button>
      <button
        type="button"
        class="icon-button"
        aria-label="Keyboard shortcuts"
        title="Keyboard shortcuts (?)"
        onClick={() => runAction("help.shortcuts")}
      >
        <Icon name="keyboard" />
      </button>
      <button type="button" class="icon-button" aria-label="Settings" title="Settings" onClick={() => runAction("help.settings")}>
        <Icon name="settings" />
      </button>
      <button type="button" class="icon-button" aria-label="Inspector" title="Inspector (I)" onClick={() => runAction("view.inspector")}>
        <Icon name="menu" />
      </button>
    </header>
  );
}
