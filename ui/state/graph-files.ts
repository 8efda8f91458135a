// Workflows in and out: saved graphs, starting points, the graphs of earlier runs.
import { isDirty, openDocument, openTab, saveDocument } from "../doc/tabs.ts";
import { ApiFailure, call } from "../net/client.ts";
import { attempt, sentence } from "./attempt.ts";
import type { Page } from "./page.ts";
import { say } from "./toasts.ts";

export class GraphFiles {
  readonly #page: Page;

  constructor(page: Page) {
    this.#page = page;
  }

  /** An unchanged tab follows what another browser tab saved; a changed one is told when it saves. */
  noticeChanged(name: string | undefined): void {
    const info = this.#page.library.graphs.value.find((g) => g.name === name);
    const tab = this.#page.editor.tabs.value.tabs.find((t) => t.name === name && t.saved !== undefined);
    if (!info || !tab || tab.revision === info.revision || isDirty(tab)) return;
    void attempt(async () => {
      const { document, info: now } = await call("graph", { params: { name: info.name } });
      const doc = openDocument(document, this.#page.editor.faces, crypto.randomUUID());
      this.#page.editor.edit(
        (t) => (isDirty(t) ? t : { ...openTab(t.id, t.name, doc, { revision: now.revision, isSaved: true }), views: t.views }),
        tab.id,
      );
      say(`${info.name} was changed in another window; this is how it is now.`);
    });
  }

  /** Opens a saved graph; one that is open already comes forward. */
  async open(name: string): Promise<void> {
    const open = this.#page.editor.tabs.value.tabs.find((t) => t.name === name && t.saved !== undefined);
    if (open) {
      this.#page.editor.activate(open.id);
      return;
    }
    await attempt(async () => {
      const { info, document } = await call("graph", { params: { name } });
      this.#page.editor.open(document, info.name, { revision: info.revision, isSaved: true });
    });
  }

  async openStartingPoint(name: string): Promise<void> {
    await attempt(async () => {
      const { point, document } = await call("galleryGraph", { params: { name } });
      this.#page.editor.open(document, point.name);
      this.#page.dialog.value = null;
    });
  }

  /** The graph of an earlier run, with its results on the nodes. */
  async openRun(id: string): Promise<void> {
    await attempt(async () => {
      const detail = await call("run", { params: { id } });
      const tab = this.#page.editor.open(detail.workflow ?? detail.prompt, detail.summary.name);
      this.#page.runs.showDetail(tab.id, detail);
    });
  }

  /** Saves under the tab's name; a tab that was never saved asks for one. */
  async save(id = this.#page.editor.tabId.value, options: { readonly name?: string; readonly overwrite?: boolean } = {}): Promise<void> {
    const tab = this.#page.editor.tabs.value.tabs.find((t) => t.id === id);
    if (!tab) return;
    if (tab.saved === undefined && options.name === undefined) {
      this.#page.dialog.value = { kind: "save", tab: id };
      return;
    }
    const name = options.name ?? tab.name;
    const { doc } = tab.history;
    const isNew = tab.saved === undefined || name !== tab.name;
    try {
      const body = { document: saveDocument(tab), ...(options.overwrite ? {} : { base: isNew ? null : tab.revision }) };
      const info = await call("saveGraph", { params: { name }, body });
      this.#page.editor.edit((t) => ({ ...t, name: info.name, revision: info.revision, saved: doc }), id);
      if (this.#page.dialog.value?.kind === "save" || this.#page.dialog.value?.kind === "conflict") this.#page.dialog.value = null;
      say(`Saved ${info.name}`);
      this.#page.library.graphs.value = (await call("graphs", {})).graphs;
    } catch (error) {
      if (!(error instanceof ApiFailure)) throw error;
      if (error.code === "GRAPH_CHANGED") this.#page.dialog.value = { kind: "conflict", tab: id };
      else say(`${name} was not saved: ${error.message} ${sentence(error.hint)}`);
    }
  }

  /** Deletes a saved graph; the toast offers it back. */
  async remove(name: string): Promise<void> {
    await attempt(async () => {
      const kept = await call("graph", { params: { name } });
      await call("removeGraph", { params: { name } });
      this.#page.library.graphs.value = this.#page.library.graphs.value.filter((g) => g.name !== name);
      say(`Deleted ${name}`, {
        label: "Undo",
        run: () =>
          void attempt(async () => void (await call("saveGraph", { params: { name }, body: { document: kept.document, base: null } }))),
      });
    });
  }

  closeTab(id: string, force = false): void {
    const { tabs } = this.#page.editor.tabs.value;
    const at = tabs.findIndex((t) => t.id === id);
    const tab = tabs[at];
    if (!tab) return;
    if (isDirty(tab) && !force) {
      this.#page.dialog.value = { kind: "close", tab: id };
      return;
    }
    this.#page.editor.close(id);
    this.#page.dialog.value = null;
    if (tab.history.doc.nodes.length > 0) say(`Closed ${tab.name}`, { label: "Reopen", run: () => this.#page.editor.reopen(tab, at) });
  }

  /** Under another name, with the tab that shows it. The old one goes once the new one is there. */
  async rename(from: string, to: string): Promise<boolean> {
    return attempt(async () => {
      const { document } = await call("graph", { params: { name: from } });
      const info = await call("saveGraph", { params: { name: to }, body: { document, base: null } });
      await call("removeGraph", { params: { name: from } });
      const tab = this.#page.editor.tabs.value.tabs.find((t) => t.name === from && t.saved !== undefined);
      if (tab) this.#page.editor.edit((t) => ({ ...t, name: info.name, revision: info.revision }), tab.id);
      await this.#page.library.reload("graphs");
      say(`Renamed ${from} to ${to}`);
    });
  }
}
