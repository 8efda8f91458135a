// From a file's bytes to a plan, with every issue on the way.
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { AppError, toAppError } from "../base/errors.ts";
import type { Issue } from "../base/issues.ts";
import { readPngText } from "../formats/png-metadata.ts";
import { fillFileNames } from "../graph/file-names.ts";
import { parseWorkflow, type WorkflowResult } from "../graph/parse-workflow.ts";
import { fileId, fileReferences, type Plan, type PlanOptions, plan } from "../graph/plan.ts";
import type { Prompt } from "../graph/prompt.ts";
import type { ValidGraph } from "../graph/valid-graph.ts";
import { type GraphIssue, validate } from "../graph/validate.ts";
import { workflowToPrompt } from "../graph/workflow-to-prompt.ts";
import type { Registry } from "../node/registry.ts";
import type { InputFiles } from "../store/input-files.ts";
import type { ModelFolders } from "../store/model-folders.ts";
import { type SetValue, setValues } from "./set-values.ts";

/** Pictures that hold a workflow are larger than workflows. */
const MAX_BYTES = 256 * 2 ** 20;
const PNG = [0x89, 0x50, 0x4e, 0x47];

/** Reads a workflow: JSON, or a PNG it was saved into. @throws AppError USAGE_FILE when the file can't be read */
export async function readWorkflowFile(path: string): Promise<WorkflowResult> {
  let bytes: Uint8Array;
  try {
    if ((await stat(path)).size > MAX_BYTES) throw new Error("it is too large for a workflow");
    bytes = await readFile(path);
  } catch (error) {
    throw new AppError("USAGE_FILE", `cannot read ${path}: ${toAppError(error).message}`, { hint: "name a workflow file" });
  }
  if (!PNG.every((byte, i) => bytes[i] === byte)) return parseWorkflow(bytes);
  try {
    const text = readPngText(bytes);
    return parseWorkflow(text.get("workflow") ?? text.get("prompt") ?? "");
  } catch (error) {
    return { ok: false, issues: [issueOf(error, [])] };
  }
}

export interface Loaded {
  /** What is right in the workflow; absent when nothing can run. */
  readonly workflow?: {
    readonly graph: ValidGraph;
    readonly prompt: Prompt;
    readonly document: unknown;
    readonly values: readonly SetValue[];
  };
  readonly issues: readonly Issue[];
  readonly warnings: readonly Issue[];
}

/** Workflow → validated graph, with `--set` applied. @param targets only these outputs @throws AppError USAGE_SET, USAGE_TARGET */
export function loadGraph(read: WorkflowResult, registry: Registry, settings: readonly string[], targets?: readonly string[]): Loaded {
  if (!read.ok) return { issues: read.issues, warnings: [] };
  const converted = workflowToPrompt(read.workflow, registry);
  if (!converted.ok) return { issues: converted.issues, warnings: [] };
  const changed = setValues(converted.prompt, settings, registry);
  const { prompt, warnings: names } = fillFileNames(changed.prompt, new Date());
  const checked = validate(prompt, registry, targets && { targets });
  const wrong = checked.issues.find((issue) => issue.code === "TARGET_NOT_OUTPUT");
  if (wrong) throw new AppError("USAGE_TARGET", wrong.message, wrong.hint === undefined ? {} : { hint: wrong.hint });
  const document = read.workflow.format === "ui" ? read.workflow.document : undefined;
  return {
    workflow: { graph: checked.graph, prompt, document, values: changed.values },
    issues: checked.issues,
    warnings: [...converted.warnings, ...names, ...checked.warnings],
  };
}

/**
 * Paths that the user typed after `--set`, by that text: those name files outside the input and model folders. A workflow can't:
 * only what stands on the command line is allowed, and only where the input names a file.
 */
export async function typedPaths(
  values: readonly SetValue[],
): Promise<{ readonly inputs: Record<string, string>; readonly models: Record<string, string> }> {
  const inputs: Record<string, string> = {};
  const models: Record<string, string> = {};
  for (const { value: typed, file } of values) {
    if (!file || typeof typed !== "string" || typed === "") continue;
    const path = resolve(typed);
    // As the workflow will name it.
    const value = typed.replaceAll("\\", "/");
    const about = await stat(path).catch(() => undefined);
    if (about?.isFile() && file.kind === "input") inputs[value] = path;
    else if (about && file.kind === "model") models[value] = path;
  }
  return { inputs, models };
}

/** Looks up every file the graph names, and plans. A file that is missing is an issue, and the outputs that need it are left out. */
export async function planGraph(
  graph: ValidGraph,
  inputs: InputFiles,
  models: ModelFolders,
  options: Pick<PlanOptions, "pinned"> = {},
): Promise<{ readonly plan: Plan; readonly issues: readonly GraphIssue[] }> {
  const fingerprints = new Map<string, string>();
  const issues: GraphIssue[] = [];
  for (const { node, input, kind, name } of fileReferences(graph)) {
    try {
      const id = fileId(kind, name);
      if (!fingerprints.has(id))
        fingerprints.set(id, await (kind.kind === "input" ? inputs.fingerprint(name) : models.fingerprint(kind.folder, name)));
    } catch (error) {
      issues.push({ ...issueOf(error, [node, input]), outputs: graph.outputsOf(node) });
    }
  }
  const usable = graph.without(issues.map((issue) => String(issue.path[0])));
  return { plan: plan(usable, { fingerprints, ...options }), issues };
}

function issueOf(error: unknown, path: readonly string[]): Issue {
  const { code, message, hint } = toAppError(error);
  return { code, path, message, ...(hint !== undefined && { hint }) };
}
