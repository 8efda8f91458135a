// Run, how far it is, what waits, what is wrong: always in the same place.
import { useEffect, useRef, useState } from "preact/hooks";
import { duration } from "../canvas/paint-node.ts";
import { call } from "../net/client.ts";
import { bytes } from "../panels/bytes.ts";
import { Icon } from "../panels/icon.tsx";
import { sentence } from "../state/attempt.ts";
import type { Problem } from "../state/checks.ts";
import { useApp } from "../state/context.ts";
import { secondsLeft } from "../state/node-runs.ts";
import { prefs, setPrefs } from "../state/prefs.ts";
import { runAction } from "./actions-ref.ts";

export function BottomBar() {
  const app = useApp();
  const drawer = app.drawer.value;
  const queue = app.runs.queue.value;
  const problems = app.problems.all.value;
  const errors = problems.filter((p) => p.level === "error").length;
  const { system } = app.library;
  const load = app.runs.load.value;
  const isBusy = queue.running !== null;
  return (
    <footer class="foot">
      {drawer && <Drawer kind={drawer} />}
      <div class="foot-bar">
        <button type="button" class="button primary" onClick={() => void app.runner.run()} title="Run (Ctrl+Enter)">
          <Icon name="play" /> Run
        </button>
        <label class="row small dim" title="How many times a press of Run queues the graph">
          ×
          <input
            class="field count"
            type="number"
            min={1}
            max={100}
            aria-label="Number of runs"
            value={app.runner.batchCount.value}
            // At once: when the queue changes, the bar is drawn again, and what was half typed would be gone.
            onInput={({ currentTarget: { valueAsNumber: n } }) => {
              if (Number.isInteger(n) && n >= 1 && n <= 100) app.runner.batchCount.value = n;
            }}
            onChange={(e) => (app.runner.batchCount.value = Math.min(100, Math.max(1, Math.round(Number(e.currentTarget.value)) || 1)))}
          />
        </label>
        <button
          type="button"
          class="icon-button"
          aria-label={queue.isPaused ? "Go on with the queue" : "Pause"}
          title="Pause or go on"
          aria-pressed={queue.isPaused}
          onClick={() => void app.runner.pause()}
        >
          <Icon name="pause" />
        </button>
        <button
          type="button"
          class="icon-button"
          aria-label="Stop"
          title="Stop (Ctrl+Alt+Enter)"
          disabled={!isBusy}
          onClick={() => void app.runner.stop()}
        >
          <Icon name="stop" />
        </button>
        <Now />
        <button type="button" class="foot-tab" aria-expanded={drawer === "queue"} onClick={() => runAction("drawer.queue")}>
          <Icon name="clock" /> Queue {queue.queued.length + (isBusy ? 1 : 0)}
          {queue.isPaused && <span class="warn">paused</span>}
        </button>
        <button type="button" class="foot-tab" aria-expanded={drawer === "problems"} onClick={() => runAction("drawer.problems")}>
          <Icon name={problems.length === 0 ? "check" : errors > 0 ? "error" : "warn"} />
          <span class={errors > 0 ? "bad" : problems.length > 0 ? "warn" : ""}>
            {problems.length === 0 ? "No problems" : `${problems.length} ${problems.length === 1 ? "problem" : "problems"}`}
          </span>
        </button>
        <button type="button" class="foot-tab" aria-expanded={drawer === "log"} onClick={() => runAction("drawer.log")}>
          <Icon name="list" /> Log
        </button>
        {system.value && (
          <span class="small dimmer foot-load" title="Device · memory of the compute process of the machine's">
            {system.value.device} · {bytes(load?.computeBytes ?? system.value.memory.computeBytes ?? 0)} of{" "}
            {bytes(system.value.memory.totalBytes)}
          </span>
        )}
      </div>
    </footer>
  );
}

/** One line: which node of how many, how far, how long still. */
function Now() {
  const app = useApp();
  const running = app.runs.running.value;
  const tab = app.editor.tabId.value;
  const own = app.runs.summaryOf(tab);
  const node = running?.progress.node;
  const state = running && running.id === app.runs.tabRun(tab).run && node ? app.runs.tabRun(tab).nodes.get(node) : undefined;
  const [, tick] = useState(0);
  useEffect(() => {
    if (!running) return undefined;
    const timer = setInterval(() => tick((n) => n + 1), 1000);
    return () => clearInterval(timer);
  }, [running?.id]);
  useEffect(() => {
    document.title = running
      ? `${Math.round((100 * running.progress.done) / Math.max(1, running.progress.total))} % · ${app.editor.tabName.value}`
      : `${app.editor.tabName.value} · Who's Who`;
  });
  if (!running) {
    const text =
      own?.state === "finished"
        ? `Done in ${duration(own.ms ?? 0)}`
        : own?.state === "failed"
          ? (own.error?.message ?? "Failed")
          : own?.state === "cancelled"
            ? "Stopped"
            : own?.state === "paused"
              ? "Paused: go on from Runs"
              : own?.state === "interrupted"
                ? "Interrupted: the server ended"
                : "";
    return (
      <div class="foot-now" role="status">
        <span class={`cut ${own?.state === "failed" || own?.state === "interrupted" ? "bad" : ""}`}>{text}</span>
        {app.runner.isCosting.value && <span class="dim">Estimating…</span>}
      </div>
    );
  }
  const { done, total } = running.progress;
  const part = state?.progress && state.progress.max > 0 ? state.progress.value / state.progress.max : 0;
  const left = state && secondsLeft(state, Date.now());
  const share = total > 0 ? Math.min(1, (done + part) / total) : 0;
  return (
    <div class="foot-now">
      <span class="cut" role="status">
        {done} of {total}{" "}
        {node !== null && node !== undefined && running.id === app.runs.tabRun(tab).run ? app.titleAt(node) : running.name}
      </span>
      <Bar share={share} />
      {state?.progress && (
        <span class="small cut">
          {state.progress.value} of {state.progress.max}
        </span>
      )}
      {left !== undefined && <span class="small">{duration(left * 1000)} left</span>}
    </div>
  );
}

export function Bar({ share }: { readonly share: number }) {
  const fill = useRef<HTMLElement>(null);
  useEffect(() => {
    if (fill.current) fill.current.style.width = `${(share * 100).toFixed(1)}%`;
  }, [share]);
  return (
    <div class="progress" role="progressbar" aria-valuemin={0} aria-valuemax={100} aria-valuenow={Math.round(share * 100)}>
      <i ref={fill} />
    </div>
  );
}

function Drawer({ kind }: { readonly kind: "problems" | "queue" | "log" }) {
  const app = useApp();
  return (
    <section class="drawer" aria-label={{ problems: "Problems", queue: "Queue", log: "Log" }[kind]}>
      <div class="panel-head">
        <h2>{{ problems: "Problems", queue: "Queue", log: "Log" }[kind]}</h2>
        {kind === "queue" && app.runs.queue.value.queued.length > 0 && (
          <button type="button" class="button" onClick={() => void app.runner.setQueue(() => call("clearQueue", {}))}>
            Clear what waits
          </button>
        )}
        {kind === "queue" && (
          <label class="row small dim">
            <input
              type="checkbox"
              class="switch"
              checked={prefs.value.autoRun}
              onChange={(e) => setPrefs({ autoRun: e.currentTarget.checked })}
            />
            run after each change
          </label>
        )}
        {kind === "problems" && (
          <button type="button" class="button" disabled={app.runner.isCosting.value} onClick={() => void app.runner.estimate()}>
            {app.runner.isCosting.value ? "Estimating…" : "Estimate what it costs"}
          </button>
        )}
        <button type="button" class="icon-button" aria-label="Close" onClick={() => (app.drawer.value = null)}>
          <Icon name="close" />
        </button>
      </div>
      <div class="panel-body">
        {kind === "problems" && <Problems />}
        {kind === "queue" && <Queue />}
        {kind === "log" && <Log />}
      </div>
    </section>
  );
}

function Problems() {
  const app = useApp();
  const problems = app.problems.all.value;
  if (problems.length === 0) return <p class="dim">Nothing is wrong with this graph.</p>;
  return (
    <ul>
      {problems.map((p) => (
        <ProblemRow key={`${p.code} ${p.node} ${p.input} ${p.message}`} problem={p} />
      ))}
    </ul>
  );
}

function ProblemRow({ problem: p }: { readonly problem: Problem }) {
  const app = useApp();
  const text = [p.message, p.hint ? sentence(p.hint) : "", p.trace ?? ""].filter((t) => t !== "").join("\n");
  return (
    <li class="problem">
      <span class={p.level === "error" ? "bad" : "warn"}>
        <Icon name={p.level === "error" ? "error" : "warn"} />
      </span>
      <div>
        <p>
          {p.node !== undefined && <strong>{app.titleAt(p.node)}: </strong>}
          {sentence(p.message)}
        </p>
        {p.hint && <p class="dim">{sentence(p.hint)}</p>}
        {p.trace !== undefined && (
          <details>
            <summary class="dim">Where it came from, for a report</summary>
            <pre class="log trace">{p.trace}</pre>
          </details>
        )}
      </div>
      <span class="row">
        {p.node !== undefined && (
          <button type="button" class="button" onClick={() => p.node !== undefined && app.goTo(p.node)}>
            Go to
          </button>
        )}
        <button
          type="button"
          class="icon-button"
          aria-label="Copy the message"
          onClick={() => void navigator.clipboard?.writeText(`${p.code}: ${text}`).catch(() => undefined)}
        >
          <Icon name="copy" />
        </button>
      </span>
    </li>
  );
}

function Queue() {
  const app = useApp();
  const { queued, running } = app.runs.queue.value;
  const { summaries } = app.runs;
  const move = (run: string, before: string | null): void => void app.runner.setQueue(() => call("move", { body: { run, before } }));
  const cancel = (id: string): void => void app.try(async () => void (await call("cancel", { params: { id } })));
  if (queued.length === 0 && running === null) return <p class="dim">Nothing waits. Ctrl+Enter queues the graph in view.</p>;
  return (
    <ol>
      {running !== null && (
        <li class="item">
          <i class="state-dot running" aria-hidden="true" />
          <span class="grow cut">{summaries.value.get(running)?.name ?? "A run"}</span>
          <span class="small dim">running</span>
          <button type="button" class="icon-button" aria-label="Stop" onClick={() => cancel(running)}>
            <Icon name="stop" />
          </button>
        </li>
      )}
      {queued.map((id, i) => (
        <li class="item" key={id}>
          <i class="state-dot" aria-hidden="true" />
          <span class="grow cut">{summaries.value.get(id)?.name ?? "A run"}</span>
          <button type="button" class="icon-button" aria-label="Earlier" disabled={i === 0} onClick={() => move(id, queued[i - 1] ?? null)}>
            <Icon name="up" />
          </button>
          <button
            type="button"
            class="icon-button"
            aria-label="Later"
            disabled={i === queued.length - 1}
            onClick={() => move(id, queued[i + 2] ?? null)}
          >
            <Icon name="down" />
          </button>
          <button type="button" class="icon-button" aria-label="Take out of the queue" onClick={() => cancel(id)}>
            <Icon name="close" />
          </button>
        </li>
      ))}
    </ol>
  );
}

function Log() {
  const app = useApp();
  const end = useRef<HTMLDivElement>(null);
  const lines = app.runs.log.value;
  useEffect(() => end.current?.scrollIntoView({ block: "end" }), [lines]);
  if (lines.length === 0) return <p class="dim">Nothing was logged yet.</p>;
  return (
    <div class="log" role="log">
      {lines.map((l, i) => (
        <p key={i} class={l.level === "error" ? "bad" : l.level === "warn" ? "warn" : ""}>
          <span class="dimmer">{new Date(l.at).toLocaleTimeString()} </span>
          {l.message}
        </p>
      ))}
      <div ref={end} />
    </div>
  );
}
