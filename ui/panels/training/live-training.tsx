// A training of the server's: polled while it runs, with what can be done about it.
import { useEffect, useState } from "preact/hooks";
import type { Curves, Samples } from "../../../engine/api/training.ts";
import { call } from "../../net/client.ts";
import { useApp } from "../../state/context.ts";
import { say } from "../../state/toasts.ts";
import { runName } from "../run-name.ts";
import type { OtherRun } from "./other-run.ts";
import { appendCurves } from "./series.ts";
import { TrainingPanel } from "./training-panel.tsx";

interface Props {
  readonly node: string;
  readonly runId: string;
  readonly updates: number;
}

const POLL_MS = 1500;
const NONE: Samples["samples"] = [];

export function LiveTraining({ node, runId, updates }: Props) {
  const app = useApp();
  const summary = app.runs.summaries.value.get(runId);
  const state = summary?.state ?? "finished";
  const held = useTraining(runId, node, state);
  const [other, setOther] = useState<OtherRun>();
  const act = (name: "pause" | "resume" | "cancel", done: string) => (): void =>
    void app.try(async () => {
      await call(name, { params: { id: runId } });
      say(done);
    });
  const exportLora = (update?: "best"): void =>
    void app.try(async () => {
      const bytes = await call("exportLora", { params: { id: runId }, query: { node, ...(update && { update }) } });
      const about = summary ? summary.name : "training";
      saveBytes(bytes, `${about}${update ? "-best" : ""}-lora.safetensors`);
    });
  const compare = (id: string | null): void => {
    if (id === null) setOther(undefined);
    else
      void app.try(async () => {
        const params = { id };
        const [theirs, drawn] = await Promise.all([call("curves", { params, query: {} }), call("samples", { params, query: {} })]);
        setOther({ id, name: nameOf(app.runs.summaries.value.get(id)), curves: theirs, samples: drawn.samples });
      });
  };
  const others = app.runs.history.value.filter((r) => r.id !== runId && r.kind === "run" && r.state !== "queued" && r.scores !== undefined);
  const isRunning = state === "running";
  // A run in progress is reported at once; nothing is known about one that has ended until it is read.
  if (!held && !isRunning) return <p class="dim">Reading the curves of this training.</p>;
  const curves = held?.curves;
  return (
    <TrainingPanel
      name={nameOf(summary)}
      state={state}
      curves={curves ?? emptyCurves(updates)}
      samples={held?.samples ?? NONE}
      onPause={isRunning ? act("pause", "It ends its step, saves, and pauses.") : undefined}
      onResume={summary?.canResume && !isRunning ? act("resume", "Continues from its checkpoint.") : undefined}
      onStop={isRunning ? act("cancel", "It ends its step, saves, and stops.") : undefined}
      onExport={(curves?.updates.done ?? 0) > 0 ? () => exportLora() : undefined}
      onExportBest={curves?.best ? () => exportLora("best") : undefined}
      onFork={() => void app.files.openRun(runId)}
      others={others.slice(0, 50).map((r) => ({ id: r.id, name: nameOf(r) }))}
      other={other}
      onCompare={compare}
    />
  );
}

interface Held {
  readonly curves: Curves;
  readonly samples: Samples["samples"];
}

/** What was read last, by run and node: a panel that opens again, or larger, has it at once. */
const lastRead = new Map<string, Held>();
const MAX_KEPT = 8;

function keep(key: string, held: Held): void {
  lastRead.delete(key);
  lastRead.set(key, held);
  if (lastRead.size > MAX_KEPT) lastRead.delete(lastRead.keys().next().value ?? "");
}

/** Curves are added to; samples are asked for when an update has passed that may have drawn some. Undefined until the first answer. */
function useTraining(runId: string, node: string, state: string): Held | undefined {
  const key = `${runId} ${node}`;
  const [, setTick] = useState(0);
  useEffect(() => {
    let isGone = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const poll = async (): Promise<void> => {
      try {
        const before = lastRead.get(key);
        const params = { id: runId };
        const more = await call("curves", { params, query: { node, ...(before && { after: before.curves.updates.done }) } });
        const isNew = !before || more.updates.done !== before.curves.updates.done;
        const drawn = isNew ? (await call("samples", { params, query: { node } })).samples : before.samples;
        keep(key, { curves: before ? appendCurves(before.curves, more) : more, samples: drawn });
        if (!isGone) setTick((n) => n + 1);
      } catch {
        // Not begun, or the server is away: the banner says so, and the next poll asks again.
      }
      if (!isGone && state === "running") timer = setTimeout(() => void poll(), POLL_MS);
    };
    if (runId !== "") void poll();
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [key, state]);
  return lastRead.get(key);
}

function emptyCurves(total: number): Curves {
  return { curves: [], alarms: [], updates: { done: 0, total }, secondsLeft: null, best: null, settings: {} };
}

function nameOf(summary: { readonly name: string; readonly created: number } | undefined): string {
  return summary ? runName(summary) : "this run";
}

function saveBytes(bytes: Uint8Array, name: string): void {
  const url = URL.createObjectURL(new Blob([new Uint8Array(bytes)], { type: "application/octet-stream" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
