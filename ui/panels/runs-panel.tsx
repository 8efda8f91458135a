// What ran, what runs and what waits: thumbnails, scores, time, what changed against the run before.
import { useEffect, useState } from "preact/hooks";
import { fileUrl } from "../../engine/api/files.ts";
import type { RunDetail, RunSummary } from "../../engine/api/runs.ts";
import { duration } from "../canvas/paint-node.ts";
import { call } from "../net/client.ts";
import { useApp } from "../state/context.ts";
import { say } from "../state/toasts.ts";
import { ago } from "./ago.ts";
import { Icon } from "./icon.tsx";

const STATES: Readonly<Record<RunSummary["state"], string>> = {
  queued: "waits",
  running: "running",
  paused: "paused",
  finished: "done",
  failed: "failed",
  cancelled: "stopped",
  interrupted: "interrupted",
};

export function RunsPanel() {
  const app = useApp();
  const runs = app.runs.history.value.filter((r) => r.kind === "run");
  const waiting = app.runs.queue.value.queued.flatMap((id) => runs.find((r) => r.id === id) ?? []);
  const rest = runs.filter((r) => r.state !== "queued");
  return (
    <div class="panel-body">
      {waiting.length > 0 && (
        <section aria-label="Waiting">
          <h3 class="group-title">Waiting</h3>
          {waiting.map((r) => (
            <RunCard key={r.id} run={r} />
          ))}
        </section>
      )}
      <section aria-label="Runs">
        {rest.map((r) => (
          <RunCard key={r.id} run={r} />
        ))}
      </section>
      {runs.length === 0 && (
        <p class="dim">
          No runs yet. Open a starting point or press <kbd>Ctrl+Enter</kbd>.
        </p>
      )}
      {app.runs.hasMore.value !== null && (
        <button type="button" class="button" onClick={() => void app.try(() => app.runs.loadMore())}>
          Show earlier runs
        </button>
      )}
    </div>
  );
}

function RunCard({ run }: { readonly run: RunSummary }) {
  const app = useApp();
  const [first] = run.pictures;
  const isActive = run.state === "queued" || run.state === "running";
  const act = (name: "cancel" | "retry" | "resume" | "pause", done: string) => (): void =>
    void app.try(async () => {
      await call(name, { params: { id: run.id } });
      say(done);
    });
  const remove = (): void =>
    void app.try(async () => {
      await call("removeRun", { params: { id: run.id } });
      app.runs.forget(run.id);
      say("Removed from the history; its files stay.");
    });
  return (
    <article class="run-card" aria-label={`${run.name}, ${STATES[run.state]}`}>
      <button
        type="button"
        class="pictures"
        aria-label={first ? `Pictures of ${run.name}` : `Open the graph of ${run.name}`}
        onClick={() => {
          if (first) app.dialog.value = { kind: "viewer", pictures: run.pictures, index: 0 };
          else void app.files.openRun(run.id);
        }}
      >
        {first ? <img src={fileUrl(first, 128)} alt="" loading="lazy" /> : <Icon name={run.state === "failed" ? "error" : "graphs"} />}
      </button>
      <div class="row">
        <i class={`state-dot ${run.state}`} aria-hidden="true" />
        <span class="cut grow">{run.name}</span>
        <span class="small dimmer">{ago(run.created)}</span>
      </div>
      <p class="small dim cut">
        {STATES[run.state]}
        {run.state === "running" && ` · ${run.progress.done} of ${run.progress.total}`}
        {run.ms !== null && ` · ${duration(run.ms)}`}
        {run.error && <span class="bad"> · {run.error.message}</span>}
      </p>
      {!isActive && !run.error && <Changes run={run} />}
      <div class="tools">
        {isActive ? (
          <button type="button" class="icon-button" aria-label="Stop" title="Stop" onClick={act("cancel", "Stopping.")}>
            <Icon name="stop" />
          </button>
        ) : (
          <>
            <button
              type="button"
              class="icon-button"
              aria-label="Open its graph"
              title="Open its graph"
              onClick={() => void app.files.openRun(run.id)}
            >
              <Icon name="open" />
            </button>
            <button type="button" class="icon-button" aria-label="Run again" title="Run again" onClick={act("retry", "Queued again.")}>
              <Icon name="runs" />
            </button>
            <button
              type="button"
              class="icon-button"
              aria-label="Compare with another run"
              title="Compare with another run"
              onClick={() => (app.dialog.value = { kind: "compare", run: run.id })}
            >
              <Icon name="compare" />
            </button>
            {run.canResume && (
              <button
                type="button"
                class="icon-button"
                aria-label="Go on from its checkpoint"
                title="Go on from its checkpoint"
                onClick={act("resume", "Continues from its checkpoint.")}
              >
                <Icon name="play" />
              </button>
            )}
            <button type="button" class="icon-button" aria-label="Remove from the history" title="Remove from the history" onClick={remove}>
              <Icon name="trash" />
            </button>
          </>
        )}
      </div>
    </article>
  );
}

/** Settings that differ from the run of the same name before, and the first scores. */
function Changes({ run }: { readonly run: RunSummary }) {
  const app = useApp();
  const [text, setText] = useState<string | undefined>();
  const before = app.runs.history.value.find((r) => r.created < run.created && r.name === run.name && r.kind === "run");
  useEffect(() => {
    let isGone = false;
    const load = async (): Promise<void> => {
      const [now, then] = await Promise.all([details(run.id), before ? details(before.id) : undefined]);
      if (!isGone) setText(then ? differences(now, then) : undefined);
    };
    load().catch(() => undefined);
    return () => {
      isGone = true;
    };
  }, [run.id, before?.id]);
  const scores = run.scores
    .flatMap((s) => (typeof s.value === "number" ? [`${s.name} ${Number(s.value.toPrecision(3))}`] : []))
    .slice(0, 2);
  const shown = [text, ...scores].filter((t) => t !== undefined && t !== "").join(" · ");
  return shown === "" ? null : (
    <p class="small dimmer cut" title={shown}>
      {shown}
    </p>
  );
}

const known = new Map<string, Promise<RunDetail>>();
function details(id: string): Promise<RunDetail> {
  let found = known.get(id);
  if (!found) {
    found = call("run", { params: { id } });
    known.set(id, found);
    if (known.size > 200) known.delete(known.keys().next().value ?? "");
    found.catch(() => known.delete(id));
  }
  return found;
}

/** `steps 16 → 20, seed 1 → 2`. */
export function differences(now: Pick<RunDetail, "parameters">, then: Pick<RunDetail, "parameters">): string {
  const old = new Map(then.parameters.map((p) => [`${p.node} ${p.input}`, p.value]));
  const changed = now.parameters.flatMap((p) => {
    const before = old.get(`${p.node} ${p.input}`);
    old.delete(`${p.node} ${p.input}`);
    return JSON.stringify(before, big) === JSON.stringify(p.value, big)
      ? []
      : [`${p.input} ${before === undefined ? "" : `${short(before)} → `}${short(p.value)}`];
  });
  const gone = [...old.keys()].map((key) => `${key.split(" ")[1]} at its default`);
  return [...changed, ...gone].slice(0, 4).join(", ");
}

function big(_key: string, value: unknown): unknown {
  return typeof value === "bigint" ? value.toString() : value;
}
function short(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value, big);
  return text.length > 24 ? `${text.slice(0, 23)}…` : text;
}
