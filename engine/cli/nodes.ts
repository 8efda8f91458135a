import { didYouMean } from "../base/did-you-mean.ts";
import { AppError } from "../base/errors.ts";
import { stringifyJson } from "../base/json.ts";
import type { AnyDeclaration, InputSpec } from "../node/define-node.ts";
import { nodeInfo, objectInfo } from "../node/object-info.ts";
import { Registry } from "../node/registry.ts";
import { describeWidget } from "../node/widget-type.ts";
import { type Command, EXIT } from "./command.ts";
import { readArgs } from "./read-args.ts";

export const nodes: Command = async (args, program) => {
  const { values, positionals } = readArgs(args, { json: { type: "boolean", default: false } }, [0, 1], "graph nodes [NAME] [--json]");
  const registry = new Registry(await program.nodes());
  const [name] = positionals;
  if (name === undefined) {
    console.log(values.json ? stringifyJson(objectInfo(registry), 2) : listing(registry).join("\n"));
    return EXIT.ok;
  }
  const node = registry.node(name) ?? registry.node(registry.types().find((type) => type.toLowerCase() === name.toLowerCase()) ?? "");
  if (!node) {
    const near = didYouMean(name, registry.types());
    throw new AppError("USAGE_NODE", `there is no node ${name}`, {
      hint: near === undefined ? "list them with `graph nodes`" : `did you mean ${near}?`,
    });
  }
  console.log(values.json ? stringifyJson({ [node.type]: nodeInfo(node) }, 2) : description(node).join("\n"));
  return EXIT.ok;
};

function listing(registry: Registry): string[] {
  const byCategory = new Map<string, AnyDeclaration[]>();
  for (const type of registry.types()) {
    const node = registry.node(type);
    if (node) byCategory.set(node.category, [...(byCategory.get(node.category) ?? []), node]);
  }
  const width = Math.max(0, ...registry.types().map((type) => type.length));
  return [...byCategory]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([category, all]) => [`${category}`, ...all.map((node) => `  ${node.type.padEnd(width)}  ${node.summary}`)]);
}

function description(node: AnyDeclaration): string[] {
  const lines = [`${node.type} ${node.version}  (${node.category})`, node.summary];
  const rows = Object.entries(node.inputs).map(([name, spec]) => [name, inputText(spec), tooltipOf(spec)] as const);
  if (node.variadic) rows.push([`${node.variadic.prefix}N`, `${node.variadic.socket.name}, any number`, ""]);
  const outputs = Object.entries(node.outputs).map(([name, { name: type }]) => [name, type, ""] as const);
  const width = Math.max(0, ...[...rows, ...outputs].map(([name]) => name.length));
  const show = ([name, type, tooltip]: readonly [string, string, string]): string[] => [
    `  ${name.padEnd(width)}  ${type}`,
    ...(tooltip === "" ? [] : [`  ${" ".repeat(width)}    ${tooltip}`]),
  ];
  if (rows.length > 0) lines.push("", "inputs", ...rows.flatMap(show));
  if (outputs.length > 0) lines.push("", "outputs", ...outputs.flatMap(show));
  const caching = { pure: "its result is kept", seeded: "its result is kept for equal seeds", never: "it runs each time" }[node.cache];
  lines.push("", `${caching}${node.isOutput ? "; it is a root of execution" : ""}`);
  return lines;
}

function inputText(spec: InputSpec): string {
  if (spec.kind === "socket") return `${spec.socket.name}${spec.optional ? ", optional" : ""}`;
  const about = describeWidget(spec.schema);
  if (!about) return "any value";
  const { type, min, max, options, required } = about;
  const range = min !== undefined || max !== undefined ? ` ${min ?? ""}..${max ?? ""}` : "";
  const choices = options ? ` ${options.join(" | ")}` : "";
  const file = spec.hints.file ? (spec.hints.file.kind === "input" ? ", an input file" : `, a file of ${spec.hints.file.folder}`) : "";
  return `${type}${range}${choices}${required ? ", required" : ` = ${stringifyJson(about.default)}`}${file}`;
}

function tooltipOf(spec: InputSpec): string {
  return (spec.kind === "socket" ? spec.tooltip : spec.hints.tooltip) ?? "";
}
