import type { Command } from "../../doc/commands.ts";
import { type DocNode, type Id, INPUT_NODE, nodeById, OUTPUT_NODE, type Place } from "../../doc/document.ts";
import type { App } from "../../state/app.ts";

/** What the actions work on: the selected nodes, without a subgraph's border. */
export class Chosen {
  readonly #app: App;

  constructor(app: App) {
    this.#app = app;
  }

  get place(): Place {
    return this.#app.editor.place.value;
  }
  get ids(): readonly Id[] {
    return this.#app.editor.selection.value.nodes.filter((id) => id !== INPUT_NODE && id !== OUTPUT_NODE);
  }
  get nodes(): readonly DocNode[] {
    return this.ids.flatMap((id) => nodeById(this.#app.editor.graph.value, id) ?? []);
  }
  /** The selected node, when it is one. */
  get only(): DocNode | undefined {
    return this.ids.length === 1 ? this.nodes[0] : undefined;
  }
  readonly isAny = (): boolean => this.ids.length > 0;
  readonly isOne = (): boolean => this.only !== undefined;

  perform(...commands: Command[]): void {
    this.#app.editor.perform(commands);
  }
}
