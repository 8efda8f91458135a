// What ComfyUI's own front end sends for a workflow file, against what this project makes of the same file.
//   pip download --no-deps comfyui-frontend-package, unzip it, then
//   node bench/front-end/compare.ts STATIC DIR…               every workflow file below the folders
//   node bench/front-end/compare.ts STATIC --random 200 [--seed 1]   graphs put together by chance in the front end
// A value that is left out counts as the widget's default. Files with nodes that do not exist here are left out: the front end, which does not know them either,
// shifts the values of subgraphs that hold one.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { stringifyJson } from "../../engine/base/json.ts";
import { parseWorkflow } from "../../engine/graph/parse-workflow.ts";
import { workflowToPrompt } from "../../engine/graph/workflow-to-prompt.ts";
import { Registry } from "../../engine/node/registry.ts";
import { nodes } from "../../nodes/index.ts";
import { comfyInfo } from "./comfy-info.ts";
import { type Asked, openFrontEnd } from "./open-front-end.ts";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { random: { type: "string" }, seed: { type: "string", default: "1" } },
});
const [folder, ...dirs] = positionals;
if (folder === undefined || (dirs.length === 0 && options.random === undefined)) {
  console.error("usage: node bench/front-end/compare.ts STATIC DIR… | STATIC --random COUNT [--seed N]");
  process.exit(2);
}

const registry = new Registry(nodes);
const info = comfyInfo(registry);
const frontEnd = await openFrontEnd(folder, info);
const total = { files: 0, differ: 0, inputs: 0, values: 0, unread: 0, foreign: 0 };

for (const dir of dirs)
  for (const name of readdirSync(dir, { recursive: true, encoding: "utf8" }).sort()) {
    if (!name.endsWith(".json")) continue;
    const text = readFileSync(join(dir, name), "utf8");
    const parsed = parseWorkflow(text);
    if (!parsed.ok || parsed.workflow.format === "api") continue;
    await compare(name, async () => ({ text, output: await frontEnd.promptOf(text) }));
  }
const seed = Number(options.seed);
for (let i = seed; i < seed + Number(options.random ?? 0); i++) await compare(`seed ${i}`, () => frontEnd.random(i));

console.log(`
${total.files} workflows compared, ${total.differ} differ; ${total.inputs} inputs alike, of them ${total.values} values
left out: ${total.foreign} with nodes that do not exist here, ${total.unread} that the front end cannot send`);
await frontEnd.close();

async function compare(name: string, ask: () => Promise<Asked>): Promise<void> {
  let there: Asked;
  try {
    there = await ask();
  } catch (error) {
    console.log(`\n${name}: ${error instanceof Error ? error.message.split("\n")[0] : String(error)}`);
    total.unread++;
    return;
  }
  const parsed = parseWorkflow(there.text);
  const here = parsed.ok ? workflowToPrompt(parsed.workflow, registry) : parsed;
  if (here.ok && Object.values(here.prompt).some((n) => !registry.get(n.class_type))) {
    total.foreign++;
    return;
  }
  total.files++;
  if (!here.ok) {
    report(name, [here.issues[0]?.message ?? ""]);
    return;
  }
  const lines: string[] = [];
  for (const [id, node] of Object.entries(there.output)) {
    const known = node.class_type === undefined ? undefined : registry.get(node.class_type);
    if (!known) continue;
    const mine = here.prompt[id];
    if (mine?.class_type !== known.type) {
      lines.push(`${id} ${known.type}: ${mine ? `is ${mine.class_type} here` : "only there"}`);
      continue;
    }
    for (const input of known.inputs.keys()) {
      const [a, b] = [node.inputs[input], mine.inputs[input]];
      const isDefault = b === undefined && show(a) === show(info[known.type]?.defaults[input]);
      if (show(a) !== show(b) && !isDefault) lines.push(`${id} ${known.type}.${input}: ${show(a)} there, ${show(b)} here`);
      else if (a !== undefined) {
        total.inputs++;
        if (!Array.isArray(a)) total.values++;
      }
    }
  }
  for (const [id, node] of Object.entries(here.prompt)) if (!there.output[id]) lines.push(`${id} ${node.class_type}: only here`);
  if (lines.length > 0) report(name, [...lines, ...here.warnings.map((w) => `  (warned) ${w.message}`)]);
}

function report(name: string, lines: readonly string[]): void {
  total.differ++;
  console.log(`\n${name}`);
  for (const line of lines) console.log(`  ${line}`);
}

/** The front end's numbers are doubles. */
function show(value: unknown): string {
  const text = value === undefined ? "nothing" : stringifyJson(typeof value === "bigint" ? Number(value) : value);
  return text.length > 100 ? `${text.slice(0, 99)}…` : text;
}
