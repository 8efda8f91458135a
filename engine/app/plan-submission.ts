// From what a client sends to a plan, with everything that is wrong with it.
import type { WorkflowInput } from "../api/runs.ts";
import { AppError } from "../base/errors.ts";
import type { Issue } from "../base/issues.ts";
import { readWorkflow } from "../graph/parse-workflow.ts";
import type { Plan } from "../graph/plan.ts";
import type { Places } from "../host/messages.ts";
import type { Registry } from "../node/registry.ts";
import { InputFiles } from "../store/input-files.ts";
import { ModelFolders } from "../store/model-folders.ts";
import { plainIssue } from "./journalled-run.ts";
import { loadGraph, planGraph } from "./load-workflow.ts";

export interface PlanPlaces {
  readonly registry: Registry;
  readonly inputs: Places;
  readonly models: Places;
  /** Where runs save. */
  readonly output: string;
  /** Keys of the results that are to stand, by node. @throws AppError PIN_LOST */
  readonly pinned: (pinned: WorkflowInput["pinned"]) => ReadonlyMap<string, string>;
}

/** A workflow, and the files outside the roots that it may name, by the text that names them. */
export type Plannable = WorkflowInput & { readonly allowed?: Readonly<Record<string, string>> | undefined };

export interface PlannedSubmission {
  readonly plan: Plan;
  /** In API form. */
  readonly api: unknown;
  /** In UI form, if it came in one. */
  readonly document: unknown;
  readonly issues: readonly Issue[];
  readonly warnings: readonly Issue[];
  readonly places: { readonly inputs: Places; readonly models: Places };
}

/** @throws AppError PIN_LOST, PIN_UNKNOWN */
export async function planSubmission(
  given: Plannable,
  { registry, inputs, models, output, pinned }: PlanPlaces,
): Promise<PlannedSubmission> {
  const places = { inputs: { ...inputs, allowed: { ...inputs.allowed, ...given.allowed } }, models };
  const {
    workflow: loaded,
    issues,
    warnings,
  } = loadGraph(readWorkflow(given.prompt ?? given.workflow), registry, { targets: given.targets });
  if (!loaded) return { plan: { steps: [], skipped: [] }, api: null, document: undefined, issues, warnings, places };
  const planned = await planGraph(loaded.graph, new InputFiles({ ...places.inputs, output }), new ModelFolders(models), {
    pinned: pinned(given.pinned),
  });
  return {
    plan: planned.plan,
    api: loaded.prompt,
    document: given.prompt ? given.workflow : loaded.document,
    issues: [...issues, ...planned.issues],
    warnings,
    places,
  };
}

/** The error of a workflow of which nothing can run. */
export function invalidWorkflow({ issues, warnings }: Pick<PlannedSubmission, "issues" | "warnings">): AppError {
  const [first] = issues;
  return new AppError("WORKFLOW_INVALID", first?.message ?? "nothing of this workflow can run", {
    ...(first?.hint !== undefined && { hint: first.hint }),
    details: { issues: issues.map(plainIssue), warnings: warnings.map(plainIssue) },
  });
}
