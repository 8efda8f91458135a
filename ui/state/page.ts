import type { Signal } from "@preact/signals";
import type { Registry } from "../../engine/node/registry.ts";
import type { Dialog, Drawer } from "./dialogs.ts";
import type { Editor } from "./editor.ts";
import type { Library } from "./library.ts";
import type { Runs } from "./runs.ts";

/** What the parts of the page's state share: App is one. */
export interface Page {
  readonly registry: Registry;
  readonly editor: Editor;
  readonly runs: Runs;
  readonly library: Library;
  readonly dialog: Signal<Dialog | null>;
  readonly drawer: Signal<Drawer>;
}
