// What became of each node in a run: events folded into one record per node. Pure.
import type { FileRef } from "../../engine/api/files.ts";
import type { RunDetail } from "../../engine/api/runs.ts";
import { type Shown, shown } from "../../engine/api/shown.ts";
import type { RunError, RunEvent } from "../../engine/graph/events.ts";

export interface NodeRun {
  readonly state: "waiting" | "running" | "done" | "cached" | "skipped" | "error";
  readonly progress?: { readonly value: number; readonly max: number; readonly note?: string };
  /** When it started, by the server's clock. */
  readonly startedAt?: number;
  /** When the first of its progress came, and how much of it there was. */
  readonly firstProgress?: { readonly at: number; readonly share: number };
  readonly ms?: number;
  readonly shown: Shown;
  readonly files: readonly FileRef[];
  readonly scores: Readonly<Record<string, unknown>>;
  readonly linked?: Readonly<Record<string, unknown>>;
  readonly logs: readonly { readonly level: "info" | "warn"; readonly message: string }[];
  readonly error?: RunError;
  /** What its result looks like by now, while it runs: a data URL, and the one before, which is shown until this one is decoded. */
  readonly preview?: { readonly url: string; readonly before?: string };
}

export type NodeRuns = ReadonlyMap<string, NodeRun>;

const EMPTY: NodeRun = { state: "waiting", shown: {}, files: [], scores: {}, logs: [] };

/** A run that begins: its nodes wait, and what they showed before stays until something new comes. */
export function beginRun(before: NodeRuns, ids: readonly string[]): NodeRuns {
  return new Map(
    ids.map((id) => [
      id,
      { ...EMPTY, shown: before.get(id)?.shown ?? {}, files: before.get(id)?.files ?? [], scores: before.get(id)?.scores ?? {} },
    ]),
  );
}

export function foldEvent(runs: NodeRuns, event: RunEvent): NodeRuns {
  if (event.kind === "run.started" || event.kind === "node.planned") return runs;
  if (event.kind === "run.finished" || event.kind === "run.failed" || event.kind === "run.cancelled")
    return ended(runs, event.kind, "error" in event ? event.error : undefined);
  const before = runs.get(event.node) ?? EMPTY;
  const next = new Map(runs);
  next.set(event.node, foldNode(before, event));
  return next;
}

function foldNode(node: NodeRun, event: Extract<RunEvent, { readonly node: string }>): NodeRun {
  switch (event.kind) {
    case "node.started": {
      const { progress: _, firstProgress: __, error: ___, ...rest } = node;
      return { ...rest, state: "running", startedAt: event.at, logs: [] };
    }
    case "node.progress": {
      const share = event.max > 0 ? event.value / event.max : 0;
      return {
        ...node,
        state: "running",
        progress: { value: event.value, max: event.max, ...(event.note !== undefined && { note: event.note }) },
        firstProgress: node.firstProgress ?? { at: event.at, share },
        ...(event.preview && {
          preview: {
            url: `data:${event.preview.mime};base64,${event.preview.base64}`,
            ...(node.preview && { before: node.preview.url }),
          },
        }),
      };
    }
    case "node.cached":
      return { ...node, state: event.from === "unneeded" ? "skipped" : "cached" };
    case "node.finished":
      return { ...withoutPreview(node), state: "done", ms: event.ms };
    case "node.shown": {
      const parsed = shown.safeParse(event.ui);
      return parsed.success ? { ...node, shown: { ...node.shown, ...parsed.data } } : node;
    }
    case "node.scored":
      return { ...node, scores: { ...node.scores, [event.name]: event.value } };
    case "node.saved":
      return {
        ...node,
        files: [...node.files.filter((f) => f.filename !== event.file.filename || f.subfolder !== event.file.subfolder), event.file],
      };
    case "node.logged":
      return { ...node, logs: [...node.logs.slice(-199), { level: event.level, message: event.message }] };
    default:
      return node;
  }
}

/** Its colours are a guess: nobody shall take it for the result. */
function withoutPreview({ preview: _, ...node }: NodeRun): NodeRun {
  return node;
}

function ended(runs: NodeRuns, kind: string, error: RunError | undefined): NodeRuns {
  const next = new Map<string, NodeRun>();
  for (const [id, last] of runs) {
    const node = withoutPreview(last);
    const isBlamed = kind === "run.failed" && error?.node === id;
    if (isBlamed && error) next.set(id, { ...node, state: "error", error });
    else if (node.state === "running" || node.state === "waiting") next.set(id, { ...node, state: "skipped" });
    else next.set(id, node);
  }
  if (kind === "run.failed" && error?.node !== undefined && !next.has(error.node))
    next.set(error.node, { ...EMPTY, state: "error", error });
  return next;
}

/** The same from what the server keeps of a run. */
export function fromDetail(detail: RunDetail): NodeRuns {
  const { error } = detail.summary;
  return new Map(
    detail.nodes.map((n): [string, NodeRun] => {
      const parsed = shown.safeParse(n.shown ?? {});
      return [
        n.id,
        {
          state: stateOf(n.state, !["queued", "running"].includes(detail.summary.state)),
          ...(n.ms !== undefined && { ms: n.ms }),
          shown: parsed.success ? parsed.data : {},
          files: n.files,
          scores: Object.fromEntries(detail.summary.scores.flatMap((s) => (s.node === n.id ? [[s.name, s.value]] : []))),
          ...(n.linked && { linked: n.linked }),
          logs: n.logs,
          ...(error?.node === n.id && n.state === "failed" ? { error } : {}),
        },
      ];
    }),
  );
}

/** In a run that is over nothing runs or waits. */
function stateOf(told: RunDetail["nodes"][number]["state"], isOver: boolean): NodeRun["state"] {
  if (told === "finished") return "done";
  if (told === "failed") return "error";
  return told === "unneeded" || (isOver && (told === "running" || told === "waiting")) ? "skipped" : told;
}

/** Seconds until a running node ends, from how its progress went so far; undefined while that can't be told. */
export function secondsLeft(node: NodeRun, now: number): number | undefined {
  const { progress, firstProgress } = node;
  if (node.state !== "running" || !progress || !firstProgress || progress.max <= 0) return undefined;
  const share = progress.value / progress.max;
  const done = share - firstProgress.share;
  const took = now - firstProgress.at;
  return done > 0 && took > 500 ? ((1 - share) * took) / done / 1000 : undefined;
}

/** Pictures of a node, what it saved before what it only shows. */
export function picturesOf(node: NodeRun | undefined): readonly FileRef[] {
  if (!node) return [];
  if (node.shown.images && node.shown.images.length > 0) return node.shown.images;
  const faces = node.shown.faces?.flatMap((f) => f.pictures) ?? [];
  // Previews that a panel is made of are not results of their own.
  const isPicture = (f: FileRef): boolean => f.type === "output" && /\.(png|jpe?g|webp)$/i.test(f.filename);
  return faces.length > 0 ? faces : node.files.filter(isPicture);
}
