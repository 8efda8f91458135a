import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { z } from "zod";
import { computeSettings } from "../app/compute-settings.ts";
import { plainIssue, writeRequest } from "../app/journalled-run.ts";
import { loadGraph, planGraph, readWorkflowFile } from "../app/load-workflow.ts";
import { parametersOf } from "../app/parameters.ts";
import { dataFolder, modelRoots } from "../app/places.ts";
import type { Program } from "../app/program.ts";
import { recordRun } from "../app/record-run.ts";
import { runId } from "../app/run-id.ts";
import { namedScores } from "../app/run-record.ts";
import { RunView } from "../app/run-view.ts";
import { type Versions, versionsOf } from "../app/versions.ts";
import { byteCount } from "../base/byte-count.ts";
import { AppError } from "../base/errors.ts";
import type { Issue } from "../base/issues.ts";
import { stringifyJson } from "../base/json.ts";
import { limitMemory } from "../base/memory-limit.ts";
import { DEVICES } from "../graph/devices.ts";
import type { Plan } from "../graph/plan.ts";
import type { Prompt } from "../graph/prompt.ts";
import type { Instance } from "../graph/workflow-to-prompt.ts";
import { ComputeHost, type RunHandle } from "../host/compute-host.ts";
import { Registry } from "../node/registry.ts";
import { InputFiles } from "../store/input-files.ts";
import { Journal } from "../store/journal.ts";
import { ModelFolders } from "../store/model-folders.ts";
import { OutputDirectory } from "../store/output-directory.ts";
import { type Command, EXIT } from "./command.ts";
import { duration } from "./format.ts";
import { pinnedKeys } from "./pinned-keys.ts";
import { printIssues } from "./print-issues.ts";
import { readArgs } from "./read-args.ts";
import { jsonReporter, type Terminal, textReporter } from "./reporter.ts";
import { scoreTable } from "./score-table.ts";
import { type SetValue, setValues } from "./set-values.ts";
import { typedPaths } from "./typed-paths.ts";

const USAGE =
  "graph run FILE [--set NODE.INPUT=VALUE]... [--only NODE]... [--pin NODE]... [--out DIR] [--input DIR] [--models DIR] [--device cpu|webgpu|cuda] [--threads N] [--memory SIZE] [--resume] [--dry-run] [--json]";

const OPTIONS = {
  set: { type: "string", multiple: true },
  only: { type: "string", multiple: true },
  pin: { type: "string", multiple: true },
  out: { type: "string" },
  input: { type: "string", multiple: true },
  models: { type: "string", multiple: true },
  device: { type: "string", default: "cpu" },
  threads: { type: "string" },
  memory: { type: "string" },
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
  const lessMemory = values.memory === undefined ? undefined : limitMemory(values.memory);
  if (lessMemory !== undefined) console.error(`warning: ${lessMemory}`);
  const read = await readWorkflowFile(file);
  const versions = await versionsOf(program);
  // Until the run begins there is nothing to wait for.
  for (const signal of ENDING) process.on(signal, leave);
  const host = new ComputeHost({
    entry: program.worker,
    settings: computeSettings(program, versions, { device: device.data, threads }),
    onStderr: (text) => process.stderr.write(text),
  });
  // The child loads while this process checks the workflow.
  if (read.ok) host.start();
  try {
    const registry = new Registry(await program.nodes());
    let typed: readonly SetValue[] = [];
    const change = (prompt: Prompt, instances: ReadonlyMap<string, Instance>): Prompt => {
      const set = setValues(prompt, values.set ?? [], registry, instances);
      typed = set.values;
      return set.prompt;
    };
    const loaded = loadGraph(read, registry, { change, targets: values.only });
    const wrong = loaded.issues.find((issue) => issue.code === "TARGET_NOT_OUTPUT");
    if (wrong) throw new AppError("USAGE_TARGET", wrong.message, wrong.hint === undefined ? {} : { hint: wrong.hint });
    const found = loaded.workflow;
    if (!found) {
      printIssues(loaded.issues, loaded.warnings, values.json);
      return EXIT.invalid;
    }
    const name = basename(file).replace(/\.(json|png)$/i, "");
    const output = resolve(values.out ?? join("out", name));
    const allowed = await typedPaths(typed);
    const inputs = {
      roots: [
        ...(values.input ?? []).map((path) => resolve(path)),
        ...[file, ...(read.origin === undefined ? [] : [read.origin])].flatMap((f) => [join(dirname(f), "input"), dirname(f)]),
      ],
      allowed: allowed.inputs,
      folders: allowed.folders,
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
    const steps = plan.steps.map(({ id, type, title }) => ({ id, type, title }));
    const kept = writeRequest(
      { name, kind: "run", parent: null, device: device.data, steps: steps.length, resume: values.resume },
      {
        workflow: found.document ?? found.prompt,
        // Values that were set here are not in the document.
        ...(found.document !== undefined && { prompt: found.prompt }),
        ...(values.only && { targets: values.only }),
        api: found.prompt,
        parameters: parametersOf(plan, registry),
        warnings: [...issues, ...loaded.warnings].map(plainIssue),
        steps,
      },
    );
    const about = {
      about: kept,
      workflow: { file, name, sha256 },
      plan,
      graph: found.prompt,
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
  /** What the journal keeps. */
  readonly about: ReturnType<typeof writeRequest>;
  readonly workflow: { readonly file: string; readonly name: string; readonly sha256: string };
  readonly plan: Plan;
  readonly graph: unknown;
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
  const started = Date.now();
  const run = runId(started);
  const journal = new Journal(join(dataFolder(program), "journal.sqlite"));
  try {
    const reporter = asJson ? jsonReporter(terminal()) : textReporter(terminal(), about.plan);
    const { handle, done } = await recordRun({
      ...about,
      view: new RunView(about.plan.steps),
      run,
      journal,
      directory,
      file: "run.json",
      started,
      begin: (onEvent) => begin(run, "run", onEvent),
      onEvent: reporter.event,
    });
    const { state, error, outcome, record } = await interruptible(handle, done, reporter.line);
    for (const line of scoreTable(namedScores(record.scores))) reporter.line(line);
    if (state === "finished")
      reporter.line(`finished in ${duration("ms" in outcome.event ? outcome.event.ms : 0)}: ${join(output, "run.json")}`);
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
  const { event } = await interruptible(handle, handle.done, reporter.line);
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

/** One Ctrl-C may arrive from the terminal and from the process that started this one. */
const SAME_MS = 300;

/** Ctrl-C cancels, a second one kills. */
async function interruptible<T>(handle: RunHandle, done: Promise<T>, say: (text: string) => void): Promise<T> {
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
    return await done;
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
