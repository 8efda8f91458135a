// A training of the server's: polled while it runs, with what can be done about it.
import { useEffect, useState } from "preact/hooks";
import { fileUrl } from "../../../engine/api/files.ts";
import type { Curves, Samples } from "../../../engine/api/training.ts";
import { call } from "../../net/client.ts";
import { useApp } from "../../state/context.ts";
import { say } from "../../state/toasts.ts";
import type { OtherRun } from "./other-run.ts";
import { appendCurves } from "./series.ts";
import { TrainingPanel } from "./training-panel.tsx";

interface Props {
  readonly node: string;
  readonly runId: string;
  /** Of the training, below the output folder; absent when it is not known. */
  readonly directory: string | undefined;
  readonly updates: number;
}

const POLL_MS = 1500;
const NONE: Samples["samples"] = [];

export function LiveTraining({ node, runId, directory, updates }: Props) {
  const app = useApp();
  const summary = app.runs.summaries.value.get(runId);
  const state = summary?.state ?? "finished";
  const { curves, samples } = useTraining(runId, node, state);
  const [other, setOther] = useState<OtherRun>();
  const act = (name: "pause" | "resume" | "cancel", done: string) => (): void =>
    void app.try(async () => {
      await call(name, { params: { id: runId } });
      say(done);
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
  return (
    <TrainingPanel
      name={nameOf(summary)}
      state={state}
      curves={curves ?? emptyCurves(updates)}
      samples={samples}
      onPause={isRunning ? act("pause", "It ends its step, saves, and pauses.") : undefined}
      onResume={summary?.canResume && !isRunning ? act("resume", "Goes on from its checkpoint.") : undefined}
      onStop={isRunning ? act("cancel", "It ends its step, saves, and stops.") : undefined}
      onExport={
        directory !== undefined && (curves?.updates.done ?? 0) > 0
          ? () => download(`${fileUrl({ filename: "checkpoint.safetensors", subfolder: directory, type: "output" })}?download=1`)
          : undefined
      }
      onFork={() => void app.openRun(runId)}
      others={others.slice(0, 50).map((r) => ({ id: r.id, name: nameOf(r) }))}
      other={other}
      onCompare={compare}
    />
  );
}

/** Curves are added to; samples are asked for when an update has passed that may have drawn some. */
function useTraining(
  runId: string,
  node: string,
  state: string,
): { readonly curves: Curves | undefined; readonly samples: Samples["samples"] } {
  const [held, setHeld] = useState<{ readonly run: string; readonly curves: Curves; readonly samples: Samples["samples"] }>();
  const mine = held?.run === runId ? held : undefined;
  useEffect(() => {
    let isGone = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let known: Curves | undefined;
    const poll = async (): Promise<void> => {
      try {
        const params = { id: runId };
        const more = await call("curves", { params, query: { node, ...(known && { after: known.updates.done }) } });
        const drawn =
          !known || more.updates.done > known.updates.done ? (await call("samples", { params, query: { node } })).samples : undefined;
        known = known ? appendCurves(known, more) : more;
        const curves = known;
        if (!isGone) setHeld((before) => ({ run: runId, curves, samples: drawn ?? before?.samples ?? NONE }));
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
  }, [runId, node, state]);
  return { curves: mine?.curves, samples: mine?.samples ?? NONE };
}

function emptyCurves(total: number): Curves {
  return { curves: [], alarms: [], updates: { done: 0, total }, secondsLeft: null, best: null, settings: {} };
}

function nameOf(summary: { readonly name: string; readonly created: number } | undefined): string {
  if (!summary) return "this run";
  return `${summary.name}, ${new Date(summary.created).toLocaleString(undefined, { dateStyle: "short", timeStyle: "short" })}`;
}

function download(url: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = "";
  link.click();
}
