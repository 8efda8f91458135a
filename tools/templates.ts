// `npm run templates -- DIR [PATTERN] [--model PATTERN]`: how many of a folder's workflow files convert and validate, and what the others miss, most wanted first.
// PATTERN is a regular expression (letter case ignored): only files whose name or text matches it are looked at. --model: only files that load a diffusion
// model or checkpoint whose name matches. --same: files that make the same prompt are counted once.
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Issue } from "../engine/base/issues.ts";
import { stringifyJson } from "../engine/base/json.ts";
import { parseWorkflow } from "../engine/graph/parse-workflow.ts";
import type { Prompt } from "../engine/graph/prompt.ts";
import { validate } from "../engine/graph/validate.ts";
import { workflowToPrompt } from "../engine/graph/workflow-to-prompt.ts";
import { Registry } from "../engine/node/registry.ts";
import { nodes } from "../nodes/index.ts";

/** How many lines of each list are printed. */
const SHOWN = 40;

interface Told {
  readonly file: string;
  readonly issues: readonly Issue[];
  readonly warnings: readonly Issue[];
  readonly prompt: Prompt;
}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { model: { type: "string" }, same: { type: "boolean", default: false } },
});
const [folder, pattern = ""] = positionals;
if (folder === undefined) {
  console.error("usage: npm run templates -- DIR [PATTERN] [--model PATTERN] [--same]");
  process.exit(2);
}

const registry = new Registry(nodes);
const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".json")).sort();
const wanted = new RegExp(pattern, "i");
const model = options.model === undefined ? undefined : new RegExp(options.model, "i");
const seen = new Set<string>();
const refused: string[] = [];
const told: Told[] = [];
for (const file of names) {
  const bytes = await readFile(join(folder, file));
  if (!wanted.test(file) && !wanted.test(bytes.toString("utf8"))) continue;
  const parsed = parseWorkflow(bytes);
  if (!parsed.ok) {
    if (!parsed.issues.every((i) => i.code === "WORKFLOW_FORMAT")) refused.push(`${file}: ${parsed.issues[0]?.message}`);
    continue;
  }
  const converted = workflowToPrompt(parsed.workflow, registry);
  if (!converted.ok) {
    refused.push(`${file}: ${converted.issues[0]?.message}`);
    continue;
  }
  if (model && !modelsOf(converted.prompt).some((name) => model.test(name))) continue;
  const content = stringifyJson(converted.prompt);
  if (options.same && seen.has(content)) continue;
  seen.add(content);
  const checked = validate(converted.prompt, registry);
  const warnings = [...converted.warnings, ...checked.warnings];
  told.push({ file, issues: checked.ok ? [] : checked.issues, warnings, prompt: converted.prompt });
}

const valid = told.filter((t) => t.issues.length === 0);
console.log(`${told.length + refused.length} workflows: ${told.length} convert, ${valid.length} validate`);
list("Cannot be read", refused);
rank("Node types that are missing", (t) => t.issues.flatMap((i) => (i.code === "UNKNOWN_NODE_TYPE" ? [typeAt(t, i)] : [])));
rank("Other issues", (t) =>
  t.issues.flatMap((i) => (i.code === "UNKNOWN_NODE_TYPE" ? [] : [`${i.code} ${typeAt(t, i)}: ${withoutIds(i.message)}`])),
);
rank("Warnings", (t) => t.warnings.map((i) => `${i.code} ${typeAt(t, i)}: ${withoutIds(i.message)}`));
list(
  "Not valid, and why",
  told.flatMap((t) => {
    const why = [
      ...new Set(t.issues.map((i) => (i.code === "UNKNOWN_NODE_TYPE" ? typeAt(t, i) : `${typeAt(t, i)}: ${withoutIds(i.message)}`))),
    ];
    return why.length > 0 ? [`${t.file}: ${why.join(", ")}`] : [];
  }),
);
list(
  "Valid",
  valid.map((t) => t.file),
);

/** The files that loaders of diffusion models and checkpoints name. */
function modelsOf(prompt: Prompt): string[] {
  return Object.values(prompt).flatMap(({ inputs }) =>
    ["unet_name", "ckpt_name"].flatMap((name) => (typeof inputs[name] === "string" ? [inputs[name]] : [])),
  );
}

function typeAt({ prompt }: Told, { path }: Issue): string {
  const id = String(path[0] ?? "");
  return `${prompt[id]?.class_type ?? "–"}${path[1] === undefined ? "" : `.${path[1]}`}`;
}

function withoutIds(message: string): string {
  return message.replace(/\bnode [\w:-]+ \(/g, "node (").replace(/\bnode \d[\w:]*/g, "node …");
}

/** Each line once, with the number of files it stands in. */
function rank(title: string, linesOf: (t: Told) => readonly string[]): void {
  const files = new Map<string, number>();
  for (const t of told) for (const line of new Set(linesOf(t))) files.set(line, (files.get(line) ?? 0) + 1);
  const ranked = [...files].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
  list(
    title,
    ranked.map(([line, count]) => `${String(count).padStart(4)}  ${line}`),
  );
}

function list(title: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  console.log(`\n${title}`);
  for (const line of lines.slice(0, SHOWN)) console.log(`  ${line}`);
  if (lines.length > SHOWN) console.log(`  … and ${lines.length - SHOWN} more`);
}
