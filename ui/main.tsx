// The page: state first, then what is seen of it.
import { render } from "preact";
import { stringifyJson } from "../engine/base/json.ts";
import { Registry } from "../engine/node/registry.ts";
import { nodes } from "../nodes/index.ts";
import { saveDocument } from "./doc/tabs.ts";
import { ApiFailure, call } from "./net/client.ts";
import { claimSession, writeSession, writeSessionNow } from "./net/session-store.ts";
import { stageRef } from "./shell/stage-ref.ts";
import { Window } from "./shell/window.tsx";
import { App } from "./state/app.ts";
import { AppProvider } from "./state/context.ts";
import { watchWidth } from "./state/panels.ts";

async function start(): Promise<void> {
  const root = document.getElementById("app");
  if (!root) throw new Error("the page has no #app");
  const session = await claimSession().catch(() => ({ id: crypto.randomUUID(), text: undefined }));
  const app = new App(new Registry(nodes), {
    ...session,
    write: (text) => writeSession(session.id, text),
    writeNow: (text) => writeSessionNow(session.id, text),
  });
  watchWidth();
  render(
    <AppProvider value={app}>
      <Window />
    </AppProvider>,
    root,
  );
  await app.start();
  await openNamed(app);
  root.dataset.ready = "true";
  // A handle for the console, for scripts and for the tests in test/ui.
  Object.assign(globalThis, {
    whosWho: { app, stage: () => stageRef.current, save: () => stringifyJson(saveDocument(app.editor.tab.value)) },
  });
}

/** The file that was named on the command line is opened once, by the first page that comes. */
async function openNamed(app: App): Promise<void> {
  const name = app.library.system.value?.opened;
  const boot = app.library.system.value?.boot ?? "";
  if (!name || sessionStorage.getItem("opened") === boot) return;
  sessionStorage.setItem("opened", boot);
  const plain =
    name
      .split("/")
      .at(-1)
      ?.replace(/\.json$/, "") ?? name;
  if (app.editor.tabs.value.tabs.some((t) => t.name === plain)) return;
  try {
    const { document } = await call("opened", {});
    app.editor.open(document, plain);
  } catch (error) {
    if (!(error instanceof ApiFailure)) throw error;
  }
}

void start();
