// From a file's bytes to a plan, with every issue on the way.
import { AppError, toAppError } from "../base/errors.ts";
import type { Issue } from "../base/issues.ts";
import { fillFileNames } from "../graph/file-names.ts";
import { parseWorkflow, type WorkflowResult } from "../graph/parse-workflow.ts";
import { fileId, fileReferences, type Plan, type PlanOptions, plan } from "../graph/plan.ts";
import type { Prompt } from "../graph/prompt.ts";
import type { ValidGraph } from "../graph/valid-graph.ts";
import { type GraphIssue, validate } from "../graph/validate.ts";
import { type Instance, workflowToPrompt } from "../graph/workflow-to-prompt.ts";
import type { Registry } from "../node/registry.ts";
import type { InputFiles } from "../store/input-files.ts";
import type { ModelFolders } from "../store/model-folders.ts";
import { madeWith } from "./made-with.ts";

/** Reads a workflow: JSON, or what a PNG, a LoRA or a run.json was made with. @throws AppError USAGE_FILE when the file can't be read */
export async function readWorkflowFile(path: string): Promise<WorkflowResult & { readonly origin?: string }> {
  try {
    const { kind, graph, origin } = await madeWith(path);
    if (graph === undefined && kind !== "picture")
      throw new AppError("USAGE_FILE", `${path} does not say which graph made it`, {
        hint: "it was written by another program or an older version",
      });
    return { ...parseWorkflow(graph ?? ""), ...(origin !== undefined && { origin }) };
  } catch (error) {
    if (error instanceof AppError && error.code === "USAGE_FILE") throw error;
    return { ok: false, issues: [issueOf(error, [])] };
  }
}

export interface Loaded {
  /** The part of the workflow that can run; absent when nothing can. */
  readonly workflow?: {
    readonly graph: ValidGraph;
    readonly prompt: Prompt;
    /** The file as it was, when it came from the editor. */
    readonly document: unknown;
  };
  readonly issues: readonly Issue[];
  readonly warnings: readonly Issue[];
}

export interface LoadOptions {
  /** Changes the prompt before it is validated. @param instances of subgraphs, which are not in the prompt */
  readonly change?: (prompt: Prompt, instances: ReadonlyMap<string, Instance>) => Prompt;
  /** Only these outputs. */
  readonly targets?: readonly string[] | undefined;
}

/** Workflow → validated graph. Errors thrown by `change` are passed on. */
export function loadGraph(read: WorkflowResult, registry: Registry, { change = (p) => p, targets }: LoadOptions = {}): Loaded {
  if (!read.ok) return { issues: read.issues, warnings: [] };
  const converted = workflowToPrompt(read.workflow, registry);
  if (!converted.ok) return { issues: converted.issues, warnings: [] };
  const { prompt, warnings: names } = fillFileNames(change(converted.prompt, converted.instances), new Date());
  const checked = validate(prompt, registry, targets && { targets });
  const document = read.workflow.format === "ui" ? read.workflow.document : undefined;
  return {
    workflow: { graph: checked.graph, prompt, document },
    issues: checked.issues,
    warnings: [...converted.warnings, ...names, ...checked.warnings],
  };
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
        fingerprints.set(id, await (kind.kind === "input" ? inputs.fingerprint(name, kind.holds) : models.fingerprint(kind.folder, name)));
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
