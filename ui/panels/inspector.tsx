// What is selected: its values, its links, what it said in the last run.
import { fileUrl } from "../../engine/api/files.ts";
import { duration } from "../canvas/paint-node.ts";
import { socketHue, socketShape } from "../canvas/socket-look.ts";
import { sourceOf } from "../doc/badges.ts";
import { type DocNode, type DocSubgraph, linkById, nodeById, subgraphOf, typeName } from "../doc/document.ts";
import { titleOf } from "../doc/node-layout.ts";
import { isPromoted } from "../doc/subgraphs.ts";
import { showValue, type WidgetState, widgetsOf } from "../doc/widgets.ts";
import { sentence } from "../state/attempt.ts";
import { useApp } from "../state/context.ts";
import { maskSource, paintMask } from "../state/mask-source.ts";
import { type NodeRun, picturesOf } from "../state/node-runs.ts";
import { Icon } from "./icon.tsx";
import { NoteText } from "./note-text.tsx";
import { resultPanels } from "./result-panels.tsx";
import { ScoreDrop } from "./reward/score-drop.tsx";
import { WidgetField } from "./widget-field.tsx";

export function Inspector() {
  const app = useApp();
  const { nodes: ids, groups } = app.editor.selection.value;
  const graph = app.editor.graph.value;
  const nodes = ids.flatMap((id) => nodeById(graph, id) ?? []);
  const [only] = nodes;
  if (nodes.length === 1 && only) return <OneNode node={only} key={`${only.id}`} />;
  if (nodes.length > 1) return <Many nodes={nodes} />;
  if (groups.length === 1 && groups[0] !== undefined) return <OneGroup index={groups[0]} />;
  return <WholeGraph />;
}

export function TypeMark({ type }: { readonly type: string }) {
  return <i class={`shape ${socketShape(type)} hue-${socketHue(type)}`} aria-hidden="true" />;
}

function OneNode({ node }: { readonly node: DocNode }) {
  const app = useApp();
  const { editor } = app;
  const doc = editor.doc.value;
  const face = editor.faces.get(node.type);
  const definition = subgraphOf(doc, node);
  const promptId = editor.promptId(node.id);
  const widgets = widgetsOf(doc, node, editor.faces);
  const reward = node.outputs.findIndex((o) => typeName(o.type) === "REWARD");
  const run = app.nodeRun(promptId);
  const hasPanel = run !== undefined && resultPanels.some((p) => p.matches(run));
  const problems = app.problems.all.value.filter((p) => p.node === promptId && !widgets.some((w) => w.face.name === p.input));
  return (
    <div class="panel-body">
      <div class="section">
        <div>
          <div class="row">
            <h2 class="cut grow">{titleOf(doc, node)}</h2>
            {face && (
              <button
                type="button"
                class="icon-button"
                aria-label={`About ${face.type}`}
                title={`About ${face.type}`}
                onClick={() => (app.dialog.value = { kind: "help", type: face.type })}
              >
                <Icon name="help" />
              </button>
            )}
          </div>
          <p class="small dimmer">
            {[definition ? "subgraph" : node.type, promptId, face?.stage, face ? undefined : sourceOf(node)].filter(Boolean).join(" · ")}
          </p>
        </div>
        <p class="dim">
          {definition
            ? `${definition.nodes.length} nodes inside`
            : (face?.summary ?? "This type is not known here. Its data is kept as it is, and a run that needs it stops before it begins.")}
        </p>
        {problems.map((p) => (
          <div class={`problem ${p.level === "error" ? "bad" : "warn"}`} key={p.message} role="alert">
            <Icon name={p.level === "error" ? "error" : "warn"} />
            <div>
              <p>{sentence(p.message)}</p>
              {p.hint && <p class="dim">{sentence(p.hint)}</p>}
            </div>
          </div>
        ))}
      </div>
      {/* Who is who, a training, a score: what the node is looked at for comes before its settings. */}
      {run && hasPanel && <Results node={promptId} run={run} />}
      {node.type === "MarkdownNote" && (
        <div class="section">
          <NoteText text={showValue(widgets[0]?.value)} />
        </div>
      )}
      {widgets.length > 0 && <Widgets node={node} widgets={widgets} promptId={promptId} />}
      {definition && <Promoted definition={definition} />}
      {run && !hasPanel && <Results node={promptId} run={run} />}
      {reward >= 0 && !definition && <ScoreDrop key={promptId} node={promptId} slot={reward} />}
      <Sockets node={node} />
    </div>
  );
}

/** What the other values leave unread is there too, behind a line that says so. */
function Widgets({
  node,
  widgets,
  promptId,
}: {
  readonly node: DocNode;
  readonly widgets: readonly WidgetState[];
  readonly promptId: string;
}) {
  const app = useApp();
  const place = app.editor.place.value;
  const field = (state: WidgetState) => <WidgetField key={state.face.name} place={place} id={node.id} state={state} promptId={promptId} />;
  const unread = widgets.filter((w) => !w.isRead && !w.face.when);
  return (
    <div class="section">
      {widgets.filter((w) => w.isRead).map(field)}
      {maskSource(app, node) && (
        <button type="button" class="button" onClick={() => paintMask(app, node)}>
          <Icon name="brush" /> Paint a mask
        </button>
      )}
      {unread.length > 0 && (
        <details class="unread">
          <summary class="dim">
            {unread.length} {unread.length === 1 ? "value" : "values"} not read with these settings
          </summary>
          {unread.map(field)}
        </details>
      )}
    </div>
  );
}

/** The values of the nodes inside, and which of them this node shows. */
function Promoted({ definition }: { readonly definition: DocSubgraph }) {
  const { editor } = useApp();
  const doc = editor.doc.value;
  const inner = definition.nodes.flatMap((node) =>
    widgetsOf(doc, node, editor.faces)
      .filter((w) => !w.linked)
      .map((w) => ({ node, name: w.face.name })),
  );
  if (inner.length === 0) return null;
  return (
    <details class="section promoted">
      <summary>Values shown on this node</summary>
      <ul>
        {inner.map(({ node, name }) => (
          <li key={`${node.id} ${name}`}>
            <label class="row">
              <input
                type="checkbox"
                class="switch"
                checked={isPromoted(doc, definition.id, node.id, name)}
                onChange={(e) =>
                  editor.perform([
                    { name: "widget.promote", args: { place: definition.id, id: node.id, name, on: e.currentTarget.checked } },
                  ])
                }
              />
              <span class="cut grow">
                {titleOf(doc, node)}: {name}
              </span>
            </label>
          </li>
        ))}
      </ul>
    </details>
  );
}

function Results({ node, run }: { readonly node: string; readonly run: NodeRun }) {
  const app = useApp();
  const pictures = run.shown.faces ? [] : picturesOf(run);
  const runId = app.runs.tabRun(app.editor.tabId.value).run ?? "";
  const panels = resultPanels.filter((p) => p.matches(run));
  // Tables belong to the node's own panel.
  const scores = Object.entries(run.scores).filter(([, value]) => panels.length === 0 || typeof value !== "object");
  const hasText = run.shown.text !== undefined && run.shown.text.length > 0;
  return (
    <div class="section">
      <div class="row">
        <h3 class="grow">Last run</h3>
        <span class="small dim">
          {
            { waiting: "waits", running: "running", done: "done", cached: "known from before", skipped: "not needed", error: "failed" }[
              run.state
            ]
          }
          {run.ms !== undefined && ` · ${duration(run.ms)}`}
        </span>
      </div>
      {run.progress && run.state === "running" && (
        <p class="small dim">
          {run.progress.value} of {run.progress.max}
          {run.progress.note && ` · ${run.progress.note}`}
        </p>
      )}
      {run.preview && pictures.length === 0 && (
        <figure class="preview">
          <img src={run.preview.url} alt="" />
          <figcaption class="small dim">What it looks like by now, roughly</figcaption>
        </figure>
      )}
      {panels.map(({ id, title, Component }) => (
        <section key={id} aria-label={title}>
          <div class="row">
            <h3 class="grow">{title}</h3>
            <button
              type="button"
              class="icon-button"
              aria-label={`${title} in full`}
              onClick={() => (app.dialog.value = { kind: "result", node })}
            >
              <Icon name="fit" />
            </button>
          </div>
          <Component node={node} run={run} runId={runId} isLarge={false} />
        </section>
      ))}
      {pictures.length > 0 && (
        <div class="pictures-grid">
          {pictures.map((f, index) => (
            <button
              key={fileUrl(f)}
              type="button"
              aria-label={`Open ${f.filename}`}
              onClick={() => (app.dialog.value = { kind: "viewer", pictures, index })}
            >
              <img src={fileUrl(f, 256)} alt={f.filename} />
            </button>
          ))}
        </div>
      )}
      {hasText && <pre class="log">{run.shown.text?.join("\n")}</pre>}
      {scores.length > 0 && (
        <dl class="pairs">
          {scores.map(([name, value]) => (
            <Score key={name} name={name} value={value} />
          ))}
        </dl>
      )}
      {run.files.length > 0 && pictures.length === 0 && (
        <ul>
          {run.files.map((f) => (
            <li key={fileUrl(f)}>
              <a class="item cut" href={`${fileUrl(f)}?download=1`} download={f.filename}>
                <Icon name="down" /> {f.filename}
              </a>
            </li>
          ))}
        </ul>
      )}
      {run.logs.length > 0 && (
        <div class="log small">
          {run.logs.slice(-20).map((l, i) => (
            <p key={i} class={l.level === "warn" ? "warn" : "dim"}>
              {l.message}
            </p>
          ))}
        </div>
      )}
    </div>
  );
}

function Score({ name, value }: { readonly name: string; readonly value: unknown }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{scoreText(value)}</dd>
    </>
  );
}

/** Tables belong to the node's own panel; here they are only counted. */
function scoreText(value: unknown): string {
  if (typeof value === "number") return String(Number(value.toPrecision(5)));
  if (Array.isArray(value)) return `${value.length} ${value.length === 1 ? "entry" : "entries"}`;
  if (typeof value === "object" && value !== null) return `${Object.keys(value).length} values`;
  return showValue(value).slice(0, 200);
}

function Sockets({ node }: { readonly node: DocNode }) {
  const app = useApp();
  const graph = app.editor.graph.value;
  const doc = app.editor.doc.value;
  const inputs = node.inputs.filter((i) => !i.widget || i.link !== null);
  const line = (key: string, type: string, name: string, others: readonly { readonly id: string; readonly title: string }[]) => (
    <li key={key} class="row">
      <TypeMark type={type} />
      <span class="cut">{name}</span>
      <span class="small dimmer grow">{type}</span>
      {others.length === 0 ? (
        <span class="small dimmer">not connected</span>
      ) : (
        others.slice(0, 3).map((o) => (
          <button key={o.id} type="button" class="small cut link" onClick={() => app.goTo(o.id)}>
            {o.title}
          </button>
        ))
      )}
    </li>
  );
  const named = (id: DocNode | undefined) => (id ? [{ id: app.editor.promptId(id.id), title: titleOf(doc, id) }] : []);
  if (inputs.length + node.outputs.length === 0) return null;
  return (
    <div class="section">
      {inputs.length > 0 && <h3>Inputs</h3>}
      <ul>
        {inputs.map((i, n) => {
          const link = linkById(graph, i.link);
          return line(`in ${n}`, typeName(i.type), i.name, named(link && nodeById(graph, link.origin_id)));
        })}
      </ul>
      {node.outputs.length > 0 && <h3>Outputs</h3>}
      <ul>
        {node.outputs.map((o, n) => {
          const targets = (o.links ?? []).flatMap((id) => {
            const link = linkById(graph, id);
            return named(link && nodeById(graph, link.target_id));
          });
          return line(`out ${n}`, typeName(o.type), o.name, targets);
        })}
      </ul>
    </div>
  );
}

function Many({ nodes }: { readonly nodes: readonly DocNode[] }) {
  const app = useApp();
  const types = new Map<string, number>();
  for (const n of nodes) types.set(n.type, (types.get(n.type) ?? 0) + 1);
  return (
    <div class="panel-body">
      <div class="section">
        <h2>{nodes.length} nodes</h2>
        <dl class="pairs">
          {[...types].map(([type, count]) => (
            <Score key={type} name={app.editor.faces.get(type)?.type ?? "subgraph"} value={count} />
          ))}
        </dl>
      </div>
    </div>
  );
}

function OneGroup({ index }: { readonly index: number }) {
  const app = useApp();
  const group = app.editor.graph.value.groups[index];
  if (!group) return null;
  return (
    <div class="panel-body">
      <div class="section">
        <h3>Group</h3>
        <input
          class="field"
          aria-label="Title"
          value={group.title}
          onChange={(e) =>
            app.editor.perform([
              { name: "group.edit", args: { place: app.editor.place.value, index, change: { title: e.currentTarget.value } } },
            ])
          }
        />
      </div>
    </div>
  );
}

function WholeGraph() {
  const app = useApp();
  const tab = app.editor.tab.value;
  const graph = app.editor.graph.value;
  const summary = app.runs.summaryOf(tab.id);
  const report = app.runner.cost.value?.doc === tab.history.doc ? app.runner.cost.value.report : undefined;
  return (
    <div class="panel-body">
      <div class="section">
        <h2 class="cut">{tab.name}</h2>
        <dl class="pairs">
          <Score name="nodes" value={graph.nodes.length} />
          <Score name="links" value={graph.links.length} />
          {tab.history.doc.subgraphs.length > 0 && <Score name="subgraphs" value={tab.history.doc.subgraphs.length} />}
        </dl>
      </div>
      {report && (
        <div class="section">
          <h3>What it would cost</h3>
          <dl class="pairs">
            <Score name="time" value={`≈ ${duration(report.total.seconds * 1000)}`} />
            <Score
              name="memory"
              value={`${(report.total.memoryBytes / 1e9).toFixed(2)} of ${(report.available.memoryBytes / 1e9).toFixed(1)} GB`}
            />
            {report.total.diskBytes > 0 && <Score name="disk" value={`${(report.total.diskBytes / 1e9).toFixed(2)} GB`} />}
          </dl>
          {report.nodes
            .flatMap((n) => n.notes.map((note) => ({ n, note })))
            .map(({ n, note }) => (
              <p class="small dim" key={`${n.id} ${note}`}>
                {app.titleAt(n.id)}: {note}
              </p>
            ))}
        </div>
      )}
      {summary && (
        <div class="section">
          <h3>Last run</h3>
          <dl class="pairs">
            <Score name="state" value={summary.state} />
            {summary.ms !== null && <Score name="time" value={duration(summary.ms)} />}
            {summary.peakMemoryBytes !== null && <Score name="memory" value={`${(summary.peakMemoryBytes / 1e9).toFixed(2)} GB`} />}
            {summary.scores.slice(0, 40).map((s) => (
              <Score key={`${s.node} ${s.name}`} name={s.name} value={s.value} />
            ))}
          </dl>
        </div>
      )}
      <div class="section dim">
        <p>Select a node to see its values, links and results.</p>
        <p class="small">
          Double click or <kbd>A</kbd> adds a node, <kbd>?</kbd> shows every key.
        </p>
      </div>
    </div>
  );
}
