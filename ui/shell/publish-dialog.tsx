import { useState } from "preact/hooks";
import { graphName } from "../../engine/api/graphs.ts";
import { type Id, nodeById } from "../doc/document.ts";
import { titleOf } from "../doc/node-layout.ts";
import { graphOfBlueprint, publishSubgraph } from "../state/blueprints.ts";
import { useApp } from "../state/context.ts";
import { Dialog } from "./dialog.tsx";

/** A name for a subgraph that is to be found among the nodes from now on. */
export function PublishDialog({ node: id, close }: { readonly node: Id; readonly close: () => void }) {
  const app = useApp();
  const node = nodeById(app.editor.graph.value, id);
  const [name, setName] = useState(node ? titleOf(app.editor.doc.value, node) : "");
  const trimmed = name.trim();
  const isValid = graphName.safeParse(graphOfBlueprint(trimmed)).success && trimmed !== "";
  const isTaken = app.library.graphs.value.some((g) => g.name === graphOfBlueprint(trimmed));
  if (!node) return null;
  const publish = (): void => {
    if (isValid) void publishSubgraph(app, node, trimmed).then((done) => done && close());
  };
  return (
    <Dialog
      title="Publish the subgraph"
      close={close}
      foot={
        <>
          <button type="button" class="button" onClick={close}>
            Cancel
          </button>
          <button type="button" class="button primary" disabled={!isValid} onClick={publish}>
            {isTaken ? "Replace" : "Publish"}
          </button>
        </>
      }
    >
      <p class="dim">It is kept with the values it has now, and can be added to any graph from Nodes.</p>
      <input
        class="field"
        autofocus
        aria-label="Name"
        value={name}
        onInput={(e) => setName(e.currentTarget.value)}
        onKeyDown={(e) => e.key === "Enter" && publish()}
        ref={(el) => el?.select()}
      />
      {!isValid && name !== "" && (
        <p class="small warn">A name has letters, digits, spaces, -, _ and ., and begins with a letter or digit.</p>
      )}
      {isTaken && (
        <p class="small warn">A subgraph of this name is published: it will be replaced. Graphs that use it keep what they have.</p>
      )}
    </Dialog>
  );
}
