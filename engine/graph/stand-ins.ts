// Nodes of rgthree's pack that many published files use, told in nodes that are here: what they do is known from their values alone.
import type { Issue } from "../base/issues.ts";
import { isLink, type Link, type Prompt, type PromptNode, unwrapValue } from "./prompt.ts";
import type { UiNode } from "./ui-workflow.ts";

const LORA_STACKS = new Set(["Power Lora Loader (rgthree)", "Lora Loader Stack (rgthree)"]);
const SWITCH = "Any Switch (rgthree)";
const SEED = "Seed (rgthree)";
/** The same node by another name: its type here, and its inputs by the names that they have here. */
const SAME: ReadonlyMap<string, { readonly type: string; readonly inputs: Readonly<Record<string, string>> }> = new Map([
  ["Image Comparer (rgthree)", { type: "ImageCompare", inputs: { image_a: "image_a", image_b: "image_b" } }],
  ["Display Any (rgthree)", { type: "PreviewAny", inputs: { source: "source" } }],
]);

/** Values of a node of another pack by name, where they cannot be told by its declaration: there is none. */
export function foreignValues({ type, widgetsValues, namedValues }: UiNode): Map<string, unknown> | undefined {
  if (!LORA_STACKS.has(type) && type !== SEED) return undefined;
  const values = namedValues ? [...namedValues.values()] : Object.values(widgetsValues);
  if (type === SEED) return new Map([["seed", values[0]]]);
  // One has an object for each LoRA among other things, the other names and strengths in turn.
  const found = values.some((v) => typeof v === "string" && v !== "") ? stacked(values) : values.filter((v) => entryOf(v) !== undefined);
  return new Map(found.map((entry, i) => [`lora_${i + 1}`, entry]));
}

/** @returns the prompt without nodes that stand for others; ids of new nodes begin with the old one's */
export function replaceForeign(prompt: Prompt): { readonly prompt: Prompt; readonly warnings: readonly Issue[] } {
  const warnings: Issue[] = [];
  const nodes = new Map<string, PromptNode>();
  /** Where links to a node that is gone lead instead; null = nowhere. */
  const routes = new Map<string, readonly (Link | null)[]>();
  let isChanged = false;
  for (const [id, node] of Object.entries(prompt)) {
    const same = SAME.get(node.class_type);
    if (LORA_STACKS.has(node.class_type)) replaceStack(id, node, nodes, routes);
    else if (node.class_type === SWITCH) routes.set(id, [firstLink(node)]);
    else if (node.class_type === SEED) nodes.set(id, seedNode(id, node, warnings));
    else if (same) {
      const inputs = Object.entries(same.inputs).flatMap(([from, to]) => (from in node.inputs ? [[to, node.inputs[from]]] : []));
      nodes.set(id, { ...node, class_type: same.type, inputs: Object.fromEntries(inputs) });
    } else {
      nodes.set(id, node);
      continue;
    }
    isChanged = true;
  }
  if (!isChanged) return { prompt, warnings };
  const rerouted = [...nodes].map(([id, node]): [string, PromptNode] => {
    const inputs = Object.entries(node.inputs).flatMap(([name, value]): [string, unknown][] => {
      const led = isLink(value) ? follow(value, routes) : value;
      return led === null ? [] : [[name, led]];
    });
    return [id, { ...node, inputs: Object.fromEntries(inputs) }];
  });
  return { prompt: Object.fromEntries(rerouted), warnings };
}

function follow(link: Link, routes: ReadonlyMap<string, readonly (Link | null)[]>): Link | null {
  const seen = new Set<string>();
  let at: Link = link;
  for (;;) {
    const route = routes.get(at[0]);
    if (!route) return at;
    const next = route[at[1]];
    // A switch that leads to itself leads nowhere.
    if (!next || seen.has(at[0])) return null;
    seen.add(at[0]);
    at = next;
  }
}

interface Entry {
  readonly lora: string;
  readonly strength: number;
  readonly clip: number;
}

/** A chain of loaders in place of a stack: the last one keeps its id. LoRAs that are off, or of strength 0, are left out. */
function replaceStack(id: string, node: PromptNode, nodes: Map<string, PromptNode>, routes: Map<string, readonly (Link | null)[]>): void {
  const { model, clip } = node.inputs;
  const hasClip = isLink(clip);
  const values = Object.keys(node.inputs).some((name) => /^strength_\d+$/.test(name))
    ? stacked(Object.keys(node.inputs).flatMap((name) => stackValue(node, name)))
    : Object.entries(node.inputs).flatMap(([name, value]) => (/^lora_\d+$/i.test(name) ? [unwrapValue(value)] : []));
  const entries = values.flatMap((value) => entryOf(value) ?? []).filter((e) => e.strength !== 0 || (hasClip && e.clip !== 0));
  if (entries.length === 0) {
    routes.set(id, [isLink(model) ? model : null, hasClip ? clip : null]);
    return;
  }
  const title = node._meta?.title ?? node.class_type;
  let [fromModel, fromClip]: [unknown, unknown] = [model, clip];
  entries.forEach((entry, i) => {
    const own = i === entries.length - 1 ? id : `${id}:lora_${i + 1}`;
    nodes.set(own, {
      class_type: hasClip ? "LoraLoader" : "LoraLoaderModelOnly",
      inputs: {
        ...(fromModel !== undefined && { model: fromModel }),
        ...(hasClip && { clip: fromClip }),
        lora_name: entry.lora,
        strength_model: entry.strength,
        ...(hasClip && { strength_clip: entry.clip }),
      },
      _meta: { title: `${title}: ${entry.lora}` },
    });
    [fromModel, fromClip] = [
      [own, 0],
      [own, 1],
    ];
  });
}

/** lora_01, strength_01 … as pairs of their values, in the file's order. */
function stackValue(node: PromptNode, name: string): unknown[] {
  const number = /^lora_(\d+)$/.exec(name)?.[1];
  return number === undefined ? [] : [node.inputs[name], node.inputs[`strength_${number}`] ?? 1];
}

function stacked(values: readonly unknown[]): unknown[] {
  return values.flatMap((lora, i) =>
    i % 2 === 0 && typeof lora === "string" && lora !== "None" && lora !== "" ? [{ on: true, lora, strength: values[i + 1] }] : [],
  );
}

function entryOf(value: unknown): Entry | undefined {
  if (typeof value !== "object" || value === null || !("lora" in value) || !("strength" in value)) return undefined;
  const { lora, strength } = value;
  const isOn = !("on" in value) || value.on === true;
  if (typeof lora !== "string" || lora === "" || lora === "None" || typeof strength !== "number" || !isOn) return undefined;
  const two = "strengthTwo" in value ? value.strengthTwo : undefined;
  return { lora, strength, clip: typeof two === "number" ? two : strength };
}

/** The first input that anything is connected to. */
function firstLink(node: PromptNode): Link | null {
  const names = Object.keys(node.inputs)
    .filter((name) => /^any_\d+$/.test(name))
    .sort();
  for (const name of names) {
    const value = node.inputs[name];
    if (isLink(value)) return value;
  }
  return null;
}

function seedNode(id: string, node: PromptNode, warnings: Issue[]): PromptNode {
  const { seed } = node.inputs;
  const asksForNew = seed === -1 || seed === -2 || seed === -3;
  if (asksForNew)
    warnings.push({
      code: "SEED_UNKNOWN",
      path: [id, "seed"],
      message: `node ${id} (${node._meta?.title ?? SEED}) has seed ${seed}, which asks for a new one at every run: 0 is used`,
      hint: `write a seed into the node, or give one with --set ${id}.value=…`,
    });
  const { seed: _, ...rest } = node.inputs;
  const links = Object.fromEntries(Object.entries(rest).filter(([, value]) => isLink(value)));
  return { ...node, class_type: "PrimitiveInt", inputs: { ...links, ...(seed !== undefined && { value: asksForNew ? 0 : seed }) } };
}
