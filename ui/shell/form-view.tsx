// The graph as a form: the widgets someone chose, a button, the result. Kept in the workflow file.
import { fileUrl } from "../../engine/api/files.ts";
import { type DocNode, graphAt, type Place } from "../doc/document.ts";
import { titleOf } from "../doc/node-layout.ts";
import { widgetsOf } from "../doc/widgets.ts";
import { Icon } from "../panels/icon.tsx";
import { WidgetField } from "../panels/widget-field.tsx";
import { useApp } from "../state/context.ts";
import { Bar } from "./bottom-bar.tsx";

export function FormView() {
  const app = useApp();
  const { editor } = app;
  const doc = editor.doc.value;
  const fields = app.form.value;
  const summary = app.runs.summaryOf(editor.tabId.value);
  const isActive = app.runs.isActive(editor.tabId.value);
  const find = (promptId: string): { readonly node: DocNode; readonly place: Place } | undefined => {
    let place: Place = null;
    const parts = promptId.split(":");
    for (const part of parts.slice(0, -1)) {
      const type: string | undefined = graphAt(doc, place).nodes.find((n) => String(n.id) === part)?.type;
      if (type === undefined || !doc.subgraphs.some((s) => s.id === type)) return undefined;
      place = type;
    }
    const node = graphAt(doc, place).nodes.find((n) => String(n.id) === parts.at(-1));
    return node && { node, place };
  };
  const suggested = fields.length > 0 ? fields : suggestions(doc.nodes);
  return (
    <div class="form-view">
      {fields.length === 0 && (
        <p class="dim">
          Nothing was chosen for this form, so it shows what is usually changed. Right click a value on the canvas to put it here.
        </p>
      )}
      {suggested.flatMap(({ node: id, widget }) => {
        const found = find(id);
        const state = found && widgetsOf(doc, found.node, editor.faces).find((w) => w.face.name === widget);
        return found && state
          ? [
              <WidgetField
                key={`${id} ${widget}`}
                place={found.place}
                id={found.node.id}
                state={state}
                promptId={id}
                label={`${titleOf(doc, found.node)}: ${widget}`}
              />,
            ]
          : [];
      })}
      <div class="row">
        <button type="button" class="button primary" onClick={() => void app.runner.run()}>
          <Icon name="play" /> Run
        </button>
        {isActive && summary && <Bar share={summary.progress.done / Math.max(1, summary.progress.total)} />}
        {isActive && (
          <button type="button" class="button" onClick={() => void app.runner.stop()}>
            Stop
          </button>
        )}
      </div>
      {summary && summary.pictures.length > 0 && (
        <div class="pictures-grid">
          {summary.pictures.map((f, index) => (
            <button
              key={fileUrl(f)}
              type="button"
              aria-label={`Open ${f.filename}`}
              onClick={() => (app.dialog.value = { kind: "viewer", pictures: summary.pictures, index })}
            >
              <img src={fileUrl(f, 512)} alt={f.filename} />
            </button>
          ))}
        </div>
      )}
    </div>
  );
}

/** Pictures, prompts, seeds and steps. */
function suggestions(nodes: readonly DocNode[]): readonly { readonly node: string; readonly widget: string }[] {
  const usual = new Set(["image", "prompt", "text", "seed", "steps"]);
  return nodes
    .flatMap((n) =>
      n.inputs.flatMap((i) =>
        i.widget && i.link === null && usual.has(i.widget.name) ? [{ node: String(n.id), widget: i.widget.name }] : [],
      ),
    )
    .slice(0, 12);
}
