// `--set NODE.INPUT=VALUE`
import { didYouMean } from "../base/did-you-mean.ts";
import { AppError } from "../base/errors.ts";
import type { Catalogue, FileKind, WidgetType } from "../graph/catalogue.ts";
import type { Prompt, PromptNode } from "../graph/prompt.ts";
import type { Instance } from "../graph/workflow-to-prompt.ts";

export interface SetValue {
  readonly node: string;
  readonly input: string;
  readonly value: unknown;
  /** The value names a file. */
  readonly file: FileKind | undefined;
}

export interface SetResult {
  readonly prompt: Prompt;
  readonly values: readonly SetValue[];
}

/**
 * Changes inputs of a prompt. A node is named by id or title; a subgraph's instance too, whose promoted inputs then change what they feed.
 * @throws AppError USAGE_SET
 */
export function setValues(
  prompt: Prompt,
  settings: readonly string[],
  catalogue: Catalogue,
  instances: ReadonlyMap<string, Instance> = new Map(),
): SetResult {
  const nodes = new Map(Object.entries(prompt));
  const values: SetValue[] = [];
  for (const setting of settings) {
    const equals = setting.indexOf("=");
    const target = setting.slice(0, Math.max(0, equals));
    if (equals < 0 || target.indexOf(".") <= 0)
      throw new AppError("USAGE_SET", `--set ${setting} is not NODE.INPUT=VALUE`, { hint: "for example --set 3.seed=7" });
    const text = setting.slice(equals + 1);
    for (const [id, name] of targetsOf(target, nodes, catalogue, instances)) {
      const node = nodes.get(id);
      if (!node) continue;
      const input = catalogue.get(node.class_type)?.inputs.get(name);
      const value = input?.kind === "widget" ? literal(text, input.type) : text;
      nodes.set(id, { ...node, inputs: { ...node.inputs, [name]: value } });
      values.push({ node: id, input: name, value, file: input?.kind === "widget" ? input.file : undefined });
    }
  }
  return { prompt: Object.fromEntries(nodes), values };
}

/** Titles may contain dots, and so may inputs: the first dot that parts a node from one of its inputs does. */
function targetsOf(
  target: string,
  nodes: ReadonlyMap<string, PromptNode>,
  catalogue: Catalogue,
  instances: ReadonlyMap<string, Instance>,
): readonly (readonly [node: string, input: string])[] {
  const splits = [...target.matchAll(/\./g)].map(({ index }) => [target.slice(0, index), target.slice(index + 1)] as const);
  for (const [wanted, name] of splits) {
    const found = matching(nodes, wanted);
    const [id] = found;
    const node = id === undefined ? undefined : nodes.get(id);
    if (
      id !== undefined &&
      node &&
      found.length === 1 &&
      (catalogue.get(node.class_type)?.inputs.has(name) || Object.hasOwn(node.inputs, name))
    )
      return [[id, name]];
    const promoted = instanceOf(instances, wanted)?.inputs.get(name);
    if (promoted) return promoted;
  }
  const [wanted = target, name = ""] =
    splits.find(([w]) => instanceOf(instances, w) ?? matching(nodes, w).length > 0) ?? splits.at(-1) ?? [];
  const instance = instanceOf(instances, wanted);
  const [id, node] = instance ? [wanted, undefined] : findNode(nodes, wanted);
  const names = instance
    ? [...instance.inputs.keys()]
    : [...((node && catalogue.get(node.class_type)?.inputs.keys()) || Object.keys(node?.inputs ?? {}))];
  const near = didYouMean(name, names);
  throw new AppError(
    "USAGE_SET",
    `node ${id} (${instance?.title ?? node?.class_type}) has no ${instance ? "promoted " : ""}input ${name}`,
    {
      hint: near === undefined ? `its inputs are ${names.join(", ") || "none"}` : `did you mean ${near}?`,
    },
  );
}

function instanceOf(instances: ReadonlyMap<string, Instance>, wanted: string): Instance | undefined {
  const titled = [...instances.values()].filter(({ title }) => title === wanted);
  return instances.get(wanted) ?? (titled.length === 1 ? titled[0] : undefined);
}

/** Ids of the nodes that a text names: by id, else by title, else by type. */
function matching(nodes: ReadonlyMap<string, PromptNode>, wanted: string): string[] {
  if (nodes.has(wanted)) return [wanted];
  const by = (of: (n: PromptNode) => string): string[] => [...nodes].flatMap(([id, n]) => (of(n) === wanted ? [id] : []));
  const titled = by((n) => n._meta?.title ?? n.class_type);
  return titled.length > 0 ? titled : by((n) => n.class_type);
}

function findNode(nodes: ReadonlyMap<string, PromptNode>, wanted: string): readonly [string, PromptNode] {
  const named = matching(nodes, wanted);
  const [id] = named;
  const node = id === undefined ? undefined : nodes.get(id);
  if (id !== undefined && node && named.length === 1) return [id, node];
  if (named.length > 1)
    throw new AppError("USAGE_SET", `${named.length} nodes are called ${wanted}`, { hint: `use one of the ids ${named.join(", ")}` });
  const titles = [...nodes].map(([id, n]) => [id, n._meta?.title ?? n.class_type] as const);
  const near = didYouMean(wanted, titles.flat());
  const list = titles.slice(0, 30).map(([id, title]) => `${id} (${title})`);
  throw new AppError("USAGE_SET", `the workflow has no node ${wanted}`, {
    hint: near === undefined ? `its nodes are ${list.join(", ")}` : `did you mean ${near}?`,
  });
}

/** Text as the value it stands for. Text that fits nothing stays text, and validation reports it. */
function literal(text: string, type: WidgetType): unknown {
  if (type === "BOOLEAN" && /^(true|false)$/i.test(text)) return text.toLowerCase() === "true";
  if (type === "INT" && /^[+-]?\d{1,40}$/.test(text))
    return Number.isSafeInteger(Number(text)) ? Number(text) : BigInt(text.replace(/^\+/, ""));
  if (type === "FLOAT" && text.trim() !== "" && Number.isFinite(Number(text))) return Number(text);
  return text;
}
