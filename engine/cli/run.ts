import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod";
import { AppError } from "../base/errors.ts";
import type { Issue } from "../base/issues.ts";
import { stringifyJson } from "../base/json.ts";
import { DEVICES } from "../graph/devices.ts";
import type { Plan } from "../graph/plan.ts";
import { ComputeHost, type RunHandle } from "../host/compute-host.ts";
import type { ComputeSettings } from "../host/messages.ts";
import { Registry } from "../node/registry.ts";
import { InputFiles } from "../store/input-files.ts";
import { Journal } from "../store/journal.ts";
import { ModelFolders } from "../store/model-folders.ts";
import { OutputDirectory } from "../store/output-directory.ts";
import { byteCount, duration } from "./format.ts";
import { loadGraph, planGraph, readWorkflowFile, typedPaths } from "./load-workflow.ts";
import { dataFolder, modelRoots } from "./places.ts";
import { printIssues } from "./print-issues.ts";
import { type Command, EXIT, type Program } from "./program.ts";
import { readArgs } from "./read-args.ts";
import { jsonReporter, type Terminal, textReporter } from "./reporter.ts";
import { namedScores, RunRecord } from "./run-record.ts";
import { scoreTable } from "./score-table.ts";
import { codeIdentity, type Versions, versionsOf } from "./versions.ts";

const USAGE =
  "graph run FILE [--set NODE.INPUT=VALUE]... [--only NODE]... [--pin NODE]... [--out DIR] [--input DIR] [--models DIR] [--device cpu|webgpu|cuda] [--threads N] [--resume] [--dry-run] [--json]";
const MEMORY_BYTES = 2 ** 31;
const STORED_BYTES = 8 * 2 ** 30;

const OPTIONS = {
  set: { type: "string", multiple: true },
  only: { type: "string", multiple: true },
  pin: { type: "string", multiple: true },
  out: { type: "string" },
  input: { type: "string", multiple: true },
  models: { type: "string", multiple: true },
  device: { type: "string", default: "cpu" },
  threads: { type: "string" },
  resume: { type: "boolean", default: false },
  "dry-run": { type: "boolean", default: false },
  json: { type: "boolean", default: false },
} as const;

export const run: Command = async (args, program) => {
  const { values, positionals } = readArgs(args, OPTIONS, [1, 1], USAGE);
  const file = resolve(positionals[0] ?? "");
  const device = z.enum(DEVICES).safeParse(values.device);
  if (!device.success) throw new AppError("USAGE_OPTION", `there is no device ${values.device}`, { hint: `choose ${DEVICES.join(", ")}` });
  const threads = threadCount(values.threads);
  const read = await readWorkflowFile(file);
  const versions = await versionsOf(program);
  const settings: ComputeSettings = {
    device: device.data,
    ...(threads !== undefined && { threads }),
    memoryBytes: MEMORY_BYTES,
    stored: {
      folder: join(dataFolder(program), "results"),
      budgetBytes: STORED_BYTES,
      salt: JSON.stringify([codeIdentity(program, versions), device.data, threads ?? 0]),
    },
  };
  // Until the run begins there is nothing to wait for.
  for (const signal of ENDING) process.on(signal, leave);
  const host = new ComputeHost({ entry: program.worker, settings, onStderr: (text) => process.stderr.write(text) });
  // The child loads while this process checks the workflow.
  if (read.ok) host.start();
  try {
    const registry = new Registry(await program.nodes());
    const loaded = loadGraph(read, registry, values.set ?? [], values.only);
    const found = loaded.workflow;
    if (!found) {
      printIssues(loaded.issues, loaded.warnings, values.json);
      return EXIT.invalid;
    }
    const name = basename(file).replace(/\.(json|png)$/i, "");
    const output = resolve(values.out ?? join("out", name));
    const allowed = await typedPaths(found.values);
    const inputs = {
      roots: [...(values.input ?? []).map((path) => resolve(path)), join(dirname(file), "input"), dirname(file)],
      allowed: allowed.inputs,
    };
    const models = { roots: modelRoots(program, values.models), allowed: allowed.models };
    const pinned = await pinnedKeys(values.pin ?? [], join(output, "run.json"));
    const planned = await planGraph(found.graph, new InputFiles({ ...inputs, output }), new ModelFolders(models), { pinned });
    const { plan } = planned;
    const issues = [...loaded.issues, ...planned.issues];
    printIssues(issues, loaded.warnings, values.json);
    if (plan.steps.length === 0) return EXIT.invalid;
    const workflow = { prompt: found.prompt, ...(found.document !== undefined && { workflow: found.document }) };
    const begin = (id: string, mode: "run" | "dry", onEvent: Parameters<ComputeHost["run"]>[1]): RunHandle =>
      host.run({ run: id, mode, plan, workflow, output, resume: values.resume, inputs, models }, onEvent);
    if (values["dry-run"]) return await rehearse(begin, plan, values.json);
    const sha256 = createHash("sha256").update(stringifyJson(found.prompt)).digest("hex");
    const about = {
      workflow: { file, name, sha256 },
      plan,
      issues,
      warnings: loaded.warnings,
      versions,
      device: device.data,
      threads: threads ?? availableParallelism(),
    };
    return await perform(begin, program, { ...about, output, asJson: values.json });
  } finally {
    for (const signal of ENDING) process.off(signal, leave);
    await host.close();
  }
};

/** SIGHUP: the terminal was closed. */
const ENDING = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

const leave = (): never => process.exit(EXIT.cancelled);

type Begin = (id: string, mode: "run" | "dry", onEvent: Parameters<ComputeHost["run"]>[1]) => RunHandle;

interface Performance {
  readonly workflow: { readonly file: string; readonly name: string; readonly sha256: string };
  readonly plan: Plan;
  readonly issues: readonly Issue[];
  readonly warnings: readonly Issue[];
  readonly versions: Versions;
  readonly device: string;
  readonly threads: number;
  readonly output: string;
  readonly asJson: boolean;
}

async function perform(begin: Begin, program: Program, { output, asJson, ...about }: Performance): Promise<number> {
  const directory = await OutputDirectory.open(output);
  const journal = new Journal(join(dataFolder(program), "journal.sqlite"));
  try {
    const started = Date.now();
    const id = `${new Date(started).toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-")}-${randomBytes(3).toString("hex")}`;
    const record = new RunRecord({ run: id, ...about });
    const reporter = asJson ? jsonReporter(terminal()) : textReporter(terminal(), about.plan);
    journal.begin({ run: id, graph: about.workflow.sha256, output, started });
    const handle = begin(id, "run", (event) => {
      record.add(event);
      reporter.event(event);
    });
    const outcome = await interruptible(handle, reporter.line);
    const { event } = outcome;
    await directory.saveAs("run.json", new TextEncoder().encode(`${stringifyJson(record.document(outcome), 2)}\n`));
    const error = "error" in event ? event.error : undefined;
    const state = event.kind === "run.failed" ? "failed" : event.kind === "run.cancelled" ? "cancelled" : "finished";
    journal.end(id, state, event.at, error);
    for (const line of scoreTable(namedScores(record.scores))) reporter.line(line);
    if (state === "finished") reporter.line(`finished in ${duration("ms" in event ? event.ms : 0)}: ${join(output, "run.json")}`);
    else {
      const place = error?.node === undefined ? "" : ` in node ${error.node} (${error.title ?? error.type})`;
      if (!asJson)
        console.error(`${state === "failed" ? `error ${error?.code}${place}` : "cancelled"}${error ? `: ${error.message}` : ""}`);
      if (!asJson && error?.hint !== undefined) console.error(`  ${error.hint}`);
    }
    const { skipped } = about.plan;
    if (skipped.length > 0 && !asJson)
      console.error(`not run: ${skipped.map((s) => `${s.title} (${s.id})`).join(", ")}; what is wrong stands above, and in run.json`);
    return { finished: skipped.length > 0 ? EXIT.partial : EXIT.ok, failed: EXIT.failed, cancelled: EXIT.cancelled }[state];
  } finally {
    journal.close();
  }
}

async function rehearse(begin: Begin, plan: Plan, asJson: boolean): Promise<number> {
  const reporter = asJson ? jsonReporter(terminal()) : textReporter(terminal(), plan);
  let seconds = 0;
  let diskBytes = 0;
  const handle = begin("dry", "dry", (event) => {
    if (event.kind === "node.planned") {
      seconds += event.estimate?.seconds ?? 0;
      diskBytes += event.estimate?.diskBytes ?? 0;
    }
    reporter.event(event);
  });
  const { event } = await interruptible(handle, reporter.line);
  if (event.kind === "run.cancelled") return EXIT.cancelled;
  if (event.kind === "run.failed") {
    if (!asJson) console.error(`error ${event.error.code}: ${event.error.message}`);
    return event.error.code === "DRY_RUN_ISSUES" ? EXIT.invalid : EXIT.failed;
  }
  const parts = [
    ...(seconds > 0 ? [`about ${duration(seconds * 1000)}`] : []),
    ...(diskBytes > 0 ? [`${byteCount(diskBytes)} on disk`] : []),
  ];
  for (const { id, title } of plan.skipped) reporter.line(`${title} (${id}) would not run`);
  reporter.line(`nothing was run or written${parts.length > 0 ? `; the estimates add up to ${parts.join(", ")}` : ""}`);
  return plan.skipped.length > 0 ? EXIT.invalid : EXIT.ok;
}

const earlierRun = z.object({ nodes: z.array(z.looseObject({ id: z.string(), key: z.string().nullable().optional() })) });

/** The results that the last run in this output directory had of some nodes. @throws AppError USAGE_PIN */
async function pinnedKeys(ids: readonly string[], path: string): Promise<ReadonlyMap<string, string>> {
  if (ids.length === 0) return new Map();
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new AppError("USAGE_PIN", `there is no earlier run to pin results of: cannot read ${path}`, {
      hint: "run it without --pin first",
      cause,
    });
  });
  const { nodes } = earlierRun.parse(JSON.parse(text));
  return new Map(
    ids.map((id) => {
      const key = nodes.find((n) => n.id === id)?.key;
      if (typeof key === "string") return [id, key];
      throw new AppError("USAGE_PIN", `the run in ${path} kept no result of node ${id}`, {
        hint: `it kept those of ${
          nodes
            .filter((n) => typeof n.key === "string")
            .map((n) => n.id)
            .join(", ") || "none"
        }`,
      });
    }),
  );
}

/** One Ctrl-C may arrive from the terminal and from the process that started this one. */
const SAME_MS = 300;

/** Ctrl-C cancels, a second one kills. */
async function interruptible(handle: RunHandle, say: (text: string) => void): ReturnType<() => RunHandle["done"]> {
  let first: number | undefined;
  const onSignal = (): void => {
    const now = performance.now();
    if (first === undefined) {
      first = now;
      say("cancelling; Ctrl-C again kills");
      handle.cancel();
    } else if (now - first >= SAME_MS) handle.kill();
  };
  for (const signal of ENDING) process.off(signal, leave).on(signal, onSignal);
  try {
    return await handle.done;
  } finally {
    for (const signal of ENDING) process.off(signal, onSignal);
  }
}

function threadCount(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,2}$/.test(text))
    throw new AppError("USAGE_OPTION", `--threads ${text} is no number of threads`, { hint: "use 1 or more" });
  return Number(text);
}

function terminal(): Terminal {
  const { stdout } = process;
  return { isTTY: stdout.isTTY, columns: stdout.columns ?? 80, write: (text) => void stdout.write(text) };
}
