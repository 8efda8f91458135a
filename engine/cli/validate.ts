import { dirname, join, resolve } from "node:path";
import { type LoadOptions, loadGraph, planGraph, readWorkflowFile } from "../app/load-workflow.ts";
import { modelRoots } from "../app/places.ts";
import { Registry } from "../node/registry.ts";
import { InputFiles } from "../store/input-files.ts";
import { ModelFolders } from "../store/model-folders.ts";
import { type Command, EXIT } from "./command.ts";
import { printIssues } from "./print-issues.ts";
import { readArgs } from "./read-args.ts";
import { type SetValue, setValues } from "./set-values.ts";
import { typedPaths } from "./typed-paths.ts";

const OPTIONS = {
  json: { type: "boolean", default: false },
  input: { type: "string", multiple: true },
  models: { type: "string", multiple: true },
  set: { type: "string", multiple: true },
} as const;

/** Every issue of a workflow at once, missing files included. */
export const validateCommand: Command = async (args, program) => {
  const { values, positionals } = readArgs(
    args,
    OPTIONS,
    [1, 1],
    "graph validate FILE [--set NODE.INPUT=VALUE]… [--input DIR] [--models DIR] [--json]",
  );
  const file = resolve(positionals[0] ?? "");
  const read = await readWorkflowFile(file);
  const registry = new Registry(await program.nodes());
  const settings: SetValue[] = [];
  const change: LoadOptions["change"] = (prompt, instances) => {
    const set = setValues(prompt, values.set ?? [], registry, instances);
    settings.push(...set.values);
    return set.prompt;
  };
  const loaded = loadGraph(read, registry, { change });
  const allowed = await typedPaths(settings);
  const roots = [...(values.input ?? []).map((path) => resolve(path)), join(dirname(file), "input"), dirname(file)];
  const models = new ModelFolders({ roots: modelRoots(program, values.models), allowed: allowed.models });
  const planned =
    loaded.workflow &&
    (await planGraph(loaded.workflow.graph, new InputFiles({ roots, allowed: allowed.inputs, folders: allowed.folders }), models));
  const issues = [...loaded.issues, ...(planned?.issues ?? [])];
  printIssues(issues, loaded.warnings, values.json);
  const { steps, skipped } = planned?.plan ?? { steps: [], skipped: [] };
  if (!values.json && issues.length === 0) console.log(`valid: ${steps.length} nodes would run`);
  else if (!values.json && steps.length > 0)
    console.log(`${steps.length} nodes would run; not: ${skipped.map(({ id, title }) => `${title} (${id})`).join(", ")}`);
  return issues.length === 0 ? EXIT.ok : EXIT.invalid;
};
