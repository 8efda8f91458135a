import { resolve } from "node:path";
import { madeWith } from "../app/made-with.ts";
import { stringifyJson } from "../base/json.ts";
import { parseWorkflow } from "../graph/parse-workflow.ts";
import { workflowToPrompt } from "../graph/workflow-to-prompt.ts";
import { Registry } from "../node/registry.ts";
import { type Command, EXIT } from "./command.ts";
import { readArgs } from "./read-args.ts";

/** Shown as a graph below, or too long for a line. */
const ELSEWHERE = new Set(["prompt", "workflow", "graph", "nodes", "issues", "warnings"]);

/** What a run, a LoRA or a picture was made with. */
export const show: Command = async (args, program) => {
  const { values, positionals } = readArgs(args, { json: { type: "boolean", default: false } }, [1, 1], "graph show FILE [--json]");
  const made = await madeWith(resolve(positionals[0] ?? ""));
  const read = made.graph === undefined ? undefined : parseWorkflow(made.graph);
  const converted = read?.ok ? workflowToPrompt(read.workflow, new Registry(await program.nodes())) : undefined;
  const prompt = converted?.ok ? converted.prompt : undefined;
  if (values.json) {
    console.log(stringifyJson({ kind: made.kind, about: made.about, graph: prompt ?? null }, 2));
    return EXIT.ok;
  }
  console.log({ picture: "a picture", weights: "weights", run: "a run", workflow: "a workflow" }[made.kind]);
  for (const [name, value] of Object.entries(made.about))
    if (!ELSEWHERE.has(name)) console.log(`  ${name}: ${typeof value === "string" ? value : stringifyJson(value)}`);
  if (!prompt) {
    console.log("it does not say which graph made it");
    return EXIT.ok;
  }
  for (const [id, node] of Object.entries(prompt)) {
    const inputs = Object.entries(node.inputs).map(([name, value]) => `${name} ${stringifyJson(value)}`);
    console.log(`${id} ${node.class_type}${inputs.length > 0 ? `: ${inputs.join(", ")}` : ""}`);
  }
  return EXIT.ok;
};
