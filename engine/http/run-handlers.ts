import { statfs } from "node:fs/promises";
import { LRUCache } from "lru-cache";
import type { z } from "zod";
import type { issue as issueSchema } from "../api/error-body.ts";
import type { DryRunReport } from "../api/runs.ts";
import { readCurves, readSamples } from "../app/training/read-training.ts";
import { TrainingLog } from "../app/training/training-log.ts";
import { byteCount } from "../base/byte-count.ts";
import { AppError } from "../base/errors.ts";
import type { Issue } from "../base/issues.ts";
import { memoryLimit } from "../base/memory-limit.ts";
import type { RunEvent } from "../graph/events.ts";
import { resolveInside } from "../store/safe-path.ts";
import { exportLora } from "./export-lora.ts";
import type { Handlers } from "./mount.ts";
import { scoreSubmission } from "./score-submission.ts";
import type { Services } from "./services.ts";

type Names =
  | "validate"
  | "dryRun"
  | "score"
  | "submit"
  | "runs"
  | "run"
  | "cancel"
  | "pause"
  | "retry"
  | "resume"
  | "removeRun"
  | "curves"
  | "samples"
  | "exportLora"
  | "queue"
  | "pauseQueue"
  | "resumeQueue"
  | "move"
  | "clearQueue";

export function runHandlers(services: Services): Pick<Handlers, Names> {
  const { queue } = services;
  const { history } = queue;
  const logs = new LRUCache<string, TrainingLog>({ max: 16 });
  return {
    async validate({ body }) {
      const { plan, issues, warnings } = await queue.plan(body);
      return { ok: issues.length === 0, issues: issues.map(plain), warnings: warnings.map(plain), steps: plan.steps.length };
    },
    dryRun: ({ body }) => dryRun(services, body),
    submit: ({ body }) => queue.submit(body),
    score: async ({ body }) => queue.submit(await scoreSubmission(services, body)),
    async runs({ query: { before, limit, graph, state } }) {
      const runs = history.list({ before, limit: limit + 1, graph, state });
      const page = runs.slice(0, limit);
      return { runs: page, next: runs.length > limit ? (page.at(-1)?.id ?? null) : null };
    },
    run: ({ params: { id } }) => history.detail(id),
    cancel: ({ params: { id } }) => queue.cancel(id),
    pause: ({ params: { id } }) => queue.pause(id),
    retry: ({ params: { id } }) => queue.again(id, false),
    resume: ({ params: { id } }) => queue.again(id, true),
    removeRun({ params: { id } }) {
      history.remove(id);
      return {};
    },
    async curves({ params: { id }, query: { after, node } }) {
      const { output, directory, of } = training(id, node);
      const { nodes, parameters } = history.detail(id);
      const view = nodes.find((n) => n.id === of);
      return readCurves(await logOf(output, directory), {
        after,
        total: shownUpdates(view?.shown?.training),
        isRunning: view?.state === "running",
        alarms: view?.alarms ?? [],
        settings: Object.fromEntries(parameters.filter((p) => p.node === of).map((p) => [p.input, p.value])),
      });
    },
    samples({ params: { id }, query: { node } }) {
      const { output, directory } = training(id, node);
      return readSamples(output, directory, history.refOf(id));
    },
    async exportLora({ params: { id }, query: { node, update, format } }) {
      const { output, directory } = training(id, node);
      const path = await resolveInside(output, directory);
      return exportLora(services, { directory: path, ...(update !== undefined && { update }), format });
    },
    queue: () => queue.state(),
    pauseQueue: () => queue.setPaused(true),
    resumeQueue: () => queue.setPaused(false),
    move: ({ body: { run, before } }) => queue.move(run, before),
    clearQueue: () => queue.clear(),
  };

  /** Kept, so that a poll reads only what is new. */
  async function logOf(output: string, directory: string): Promise<TrainingLog> {
    const path = await resolveInside(output, directory);
    const log = logs.get(path) ?? new TrainingLog(path);
    logs.set(path, log);
    return log;
  }

  /** @throws AppError RUN_NOT_FOUND, TRAINING_NONE */
  function training(id: string, node: string | undefined): { readonly output: string; readonly directory: string; readonly of: string } {
    const { output, directories } = history.trainings(id);
    const all = Object.entries(directories);
    const found = node === undefined ? all[0] : all.find(([own]) => own === node);
    if (!found) throw new AppError("TRAINING_NONE", "this run has no training that has begun", { hint: "wait until its node runs" });
    return { output, of: found[0], directory: found[1] };
  }
}

function shownUpdates(training: readonly unknown[] | undefined): number {
  const [first] = training ?? [];
  return typeof first === "object" && first !== null && "updates" in first && typeof first.updates === "number" ? first.updates : 0;
}

async function dryRun(
  { queue, output, inputs, models, dryHost }: Services,
  body: Parameters<Services["queue"]["plan"]>[0],
): Promise<DryRunReport> {
  const { plan, api, issues, warnings } = await queue.plan(body);
  const nodes = new Map<string, DryRunReport["nodes"][number]>();
  const found: z.infer<typeof issueSchema>[] = issues.map(plain);
  if (plan.steps.length > 0) {
    const { host, release } = await dryHost();
    try {
      const request = {
        run: "dry",
        mode: "dry" as const,
        plan,
        workflow: { prompt: api },
        output: output.root,
        resume: false,
        inputs,
        models,
      };
      const { event } = await host.run(request, (told: RunEvent) => {
        if (told.kind !== "node.planned") return;
        const { node: id, state, estimate } = told;
        const { seconds, memoryBytes, diskBytes, notes } = estimate ?? {};
        nodes.set(id, { id, state, seconds, memoryBytes, diskBytes, notes: notes ?? [] });
        for (const { input, message, hint } of told.issues)
          found.push({
            code: "DRY_RUN_ISSUE",
            path: input === undefined ? [id] : [id, input],
            message,
            ...(hint !== undefined && { hint }),
          });
      }).done;
      if (event.kind === "run.failed" && event.error.code !== "DRY_RUN_ISSUES") {
        const { code, message, hint, node } = event.error;
        found.push({ code, path: node === undefined ? [] : [node], message, ...(hint !== undefined && { hint }) });
      }
    } finally {
      release();
    }
  }
  const all = [...nodes.values()];
  const sum = (of: (n: (typeof all)[number]) => number | undefined) => all.reduce((total, n) => total + (of(n) ?? 0), 0);
  // One node computes at a time: memory is the largest's, not the sum.
  const total = {
    seconds: sum((n) => n.seconds),
    memoryBytes: Math.max(0, ...all.map((n) => n.memoryBytes ?? 0)),
    diskBytes: sum((n) => n.diskBytes),
  };
  const disk = await statfs(output.root).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => null,
  );
  const available = { memoryBytes: memoryLimit(), diskBytes: disk };
  return { nodes: all, issues: found, warnings: warnings.map(plain), total, available, shortages: shortagesOf(all, total, available) };
}

function shortagesOf(
  nodes: DryRunReport["nodes"],
  total: DryRunReport["total"],
  available: DryRunReport["available"],
): DryRunReport["shortages"] {
  const out: DryRunReport["shortages"] = [];
  for (const { id, memoryBytes = 0 } of nodes)
    if (memoryBytes > available.memoryBytes)
      out.push({
        code: "MEMORY_TOO_SMALL",
        path: [id],
        message: `This needs about ${byteCount(memoryBytes)} of memory; this machine has ${byteCount(available.memoryBytes)}.`,
        hint: "Choose a smaller model, smaller pictures or fewer references, or a machine with more memory.",
      });
  if (available.diskBytes !== null && total.diskBytes > available.diskBytes)
    out.push({
      code: "DISK_TOO_SMALL",
      path: [],
      message: `This writes about ${byteCount(total.diskBytes)}; ${byteCount(available.diskBytes)} are free.`,
      hint: "Free some space, or choose another folder with --out.",
    });
  return out;
}

function plain({ code, path, message, hint }: Issue): z.infer<typeof issueSchema> {
  return { code, path: [...path], message, ...(hint !== undefined && { hint }) };
}
