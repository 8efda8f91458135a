// `--set NODE.INPUT=VALUE`
import { didYouMean } from "../base/did-you-mean.ts";
import { AppError } from "../base/errors.ts";
import type { Catalogue, FileKind, WidgetType } from "../graph/catalogue.ts";
import type { Prompt, PromptNode } from "../graph/prompt.ts";

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

/** Changes inputs of a prompt. A node is named by id or title. @throws AppError USAGE_SET */
export function setValues(prompt: Prompt, settings: readonly string[], catalogue: Catalogue): SetResult {
  const nodes = new Map(Object.entries(prompt));
  const values: SetValue[] = [];
  for (const setting of settings) {
    const equals = setting.indexOf("=");
    const target = setting.slice(0, Math.max(0, equals));
    // Titles may contain dots; inputs never do.
    const dot = target.lastIndexOf(".");
    if (equals < 0 || dot <= 0)
      throw new AppError("USAGE_SET", `--set ${setting} is not NODE.INPUT=VALUE`, { hint: "for example --set 3.seed=7" });
    const [id, node] = findNode(nodes, target.slice(0, dot));
    const name = target.slice(dot + 1);
    const declared = catalogue.get(node.class_type)?.inputs;
    const input = declared?.get(name);
    if (!input && !Object.hasOwn(node.inputs, name)) {
      const names = [...(declared?.keys() ?? Object.keys(node.inputs))];
      const near = didYouMean(name, names);
      throw new AppError("USAGE_SET", `node ${id} (${node.class_type}) has no input ${name}`, {
        hint: near === undefined ? `its inputs are ${names.join(", ")}` : `did you mean ${near}?`,
      });
    }
    const value = input?.kind === "widget" ? literal(setting.slice(equals + 1), input.type) : setting.slice(equals + 1);
    nodes.set(id, { ...node, inputs: { ...node.inputs, [name]: value } });
    values.push({ node: id, input: name, value, file: input?.kind === "widget" ? input.file : undefined });
  }
  return { prompt: Object.fromEntries(nodes), values };
}

function findNode(nodes: ReadonlyMap<string, PromptNode>, wanted: string): readonly [string, PromptNode] {
  const byId = nodes.get(wanted);
  if (byId) return [wanted, byId];
  const titled = [...nodes].filter(([, n]) => (n._meta?.title ?? n.class_type) === wanted);
  const named = titled.length > 0 ? titled : [...nodes].filter(([, n]) => n.class_type === wanted);
  const [only, another] = named;
  if (only && !another) return only;
  if (only)
    throw new AppError("USAGE_SET", `${named.length} nodes are called ${wanted}`, {
      hint: `use one of the ids ${named.map(([id]) => id).join(", ")}`,
    });
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
