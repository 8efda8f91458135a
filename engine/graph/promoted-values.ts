// Gives the values typed on a subgraph's node to the inputs and inner widgets that they stand for.
import type { Issue } from "../base/issues.ts";
import { SUBGRAPH_INPUT, type UiNode, type UiSubgraph } from "./ui-workflow.ts";
import { isControlWord } from "./widget-positions.ts";

export interface PromotedValues {
  /** Values of the instance's widgets that stand for the subgraph's inputs, by input name. */
  readonly inputValues: ReadonlyMap<string, unknown>;
  /** Values of the instance's widgets that stand for widgets of inner nodes: node id → widget → value. */
  readonly innerValues: ReadonlyMap<string, ReadonlyMap<string, unknown>>;
}

/** Older files prefix a widget that comes from further inside with the id of its node: "12: text". */
const PREFIXED = /^\s*(\d+)\s*:\s*(.+)$/;

/**
 * Three generations of files: values by name (`widgets_values_named`); one value for each promoted widget of the *definition*, in its
 * order (an instance's own list leaves out widgets that nothing is linked to); and, where `proxyWidgets` is there, one value for each of its
 * entries. A value that the editor has set aside (`hostValue`) wins over those, and what the enclosing scope promotes further wins over everything.
 * @param fromOutside values that the enclosing instance gives to this one's widgets, by name
 */
export function promotedValues(
  instance: UiNode,
  definition: UiSubgraph,
  fromOutside: ReadonlyMap<string, unknown> | undefined,
): PromotedValues & { readonly warnings: readonly Issue[] } {
  const promoted = promotedInputs(definition);
  const warnings: Issue[] = [];
  const inputValues = new Map<string, unknown>();
  const innerValues = new Map<string, Map<string, unknown>>();
  const give = (node: string, name: string, value: unknown): void => {
    if (value === undefined || value === null) return;
    const linked = node === "-1" ? name : promoted.find((p) => p.sources.some(([id, widget]) => id === node && widget === name))?.name;
    if (linked !== undefined) inputValues.set(linked, value);
    else innerValues.set(node, (innerValues.get(node) ?? new Map<string, unknown>()).set(name, value));
  };
  const named =
    instance.namedValues ?? (Array.isArray(instance.widgetsValues) ? undefined : new Map(Object.entries(instance.widgetsValues)));
  const values = Array.isArray(instance.widgetsValues) ? instance.widgetsValues : [];
  const proxies = instance.proxyWidgets ?? [];
  if (proxies.length > 0) {
    const covered = new Set(proxies.map(([id, name]) => inputOf(id, name, promoted)));
    const before = promoted.filter((p) => !covered.has(p.name));
    // Widgets of linked inputs that the list does not mention come before it.
    const offset = values.length === proxies.length + before.length ? before.length : 0;
    if (offset > 0) for (const [i, p] of before.entries()) give("-1", p.name, values[i]);
    for (const [i, [node, name]] of proxies.entries()) give(node, name, named?.get(name) ?? values[offset + i]);
    if (named) for (const p of before) give("-1", p.name, named.get(p.name));
  } else if (named) {
    for (const { name } of promoted) give("-1", name, named.get(name));
  } else {
    const used = assign(values, promoted, (name, value) => give("-1", name, value));
    if (values.length > 0 && used !== values.length)
      warnings.push({
        code: "WIDGET_COUNT",
        path: [instance.id],
        message: `node ${instance.id} (${instance.title ?? definition.name}) has ${values.length} values for ${promoted.length} widgets: the first ones are used`,
        hint: "open the file in a current editor, check that node, and save it again",
      });
  }
  for (const [name, value] of instance.quarantined) give("-1", name, value);
  for (const [key, value] of fromOutside ?? []) {
    const [id, name] = split(key);
    const target = targetOf(id, name, promoted, proxies);
    give(target[0], target[1], value);
  }
  return { inputValues, innerValues, warnings };
}

interface PromotedInput {
  readonly name: string;
  /** The inner widgets that the input feeds: node id and widget name. */
  readonly sources: readonly (readonly [id: string, widget: string])[];
}

/** The inputs of a subgraph that show a widget on its node: those that feed a widget inside. */
export function promotedInputs(definition: UiSubgraph): PromotedInput[] {
  const sources = new Map<number, (readonly [string, string])[]>();
  for (const [id, link] of definition.links) {
    if (link.origin !== SUBGRAPH_INPUT) continue;
    const target = definition.nodes.get(link.target);
    const input = target?.inputs.find((i) => i.link === id);
    if (!target || input?.widget === undefined) continue;
    sources.set(link.originSlot, [...(sources.get(link.originSlot) ?? []), [target.id, input.widget]]);
  }
  return definition.inputs.flatMap(({ name }, slot) => {
    const fed = sources.get(slot);
    return fed ? [{ name, sources: fed }] : [];
  });
}

/** @returns how many entries were used */
function assign(values: readonly unknown[], promoted: readonly PromotedInput[], give: (name: string, value: unknown) => void): number {
  let at = 0;
  for (const [i, { name }] of promoted.entries()) {
    if (at >= values.length) break;
    const value = values[at++];
    give(name, value);
    const spare = values.length - at > promoted.length - i - 1;
    if (spare && (typeof value === "number" || typeof value === "bigint") && isControlWord(values[at])) at++;
  }
  return at;
}

function inputOf(id: string, name: string, promoted: readonly PromotedInput[]): string | undefined {
  return id === "-1" ? name : promoted.find((p) => p.sources.some(([node, widget]) => node === id && widget === name))?.name;
}

/** What an enclosing scope's name for one of this instance's widgets means inside it. */
function targetOf(
  id: string | undefined,
  name: string,
  promoted: readonly PromotedInput[],
  proxies: readonly (readonly [id: string, name: string])[],
): readonly [id: string, name: string] {
  const input = promoted.find((p) => (id === undefined ? p.name === name : p.sources.some(([node, w]) => node === id && w === name)));
  if (input) return ["-1", input.name];
  const proxy = proxies.find(([node, n]) => split(n)[1] === name && (id === undefined || node === id || split(n)[0] === id));
  if (proxy) return proxy;
  const source = promoted.find((p) => p.name === name || p.sources.some(([, widget]) => widget === name));
  return ["-1", source?.name ?? name];
}

function split(key: string): readonly [id: string | undefined, name: string] {
  let id: string | undefined;
  let name = key;
  for (let match = PREFIXED.exec(name); match; match = PREFIXED.exec(name)) {
    id = match[1];
    name = match[2] ?? "";
  }
  return [id, name];
}
