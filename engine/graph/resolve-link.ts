import type { Link } from "./prompt.ts";
import { BYPASSED, MUTED, type Scope } from "./scope.ts";
import { SUBGRAPH_INPUT, SUBGRAPH_OUTPUT, type UiInput, type UiNode } from "./ui-workflow.ts";

/** Where an input's value really comes from: a node's output, a value typed somewhere on the way, or nowhere. */
export type Origin = { readonly kind: "link"; readonly link: Link } | { readonly kind: "value"; readonly value: unknown } | undefined;

/** Follows a link through reroutes, primitives, bypassed nodes and subgraph borders. Loops lead nowhere. */
export function resolveInput(start: Scope, input: UiInput): Origin {
  const seen = new Set<string>();
  let scope = start;
  let link = input.link;
  while (link !== null) {
    const at = `${scope.prefix} ${link}`;
    const found = scope.graph.links.get(link);
    if (!found || seen.has(at)) return undefined;
    seen.add(at);
    const { origin, originSlot } = found;
    if (origin === SUBGRAPH_INPUT && scope.outer) {
      const { instance, definition, scope: around } = scope.outer;
      const name = definition.inputs[originSlot];
      const outside = instance.inputs.find((i) => i.name === name);
      if (outside && outside.link !== null) {
        scope = around;
        link = outside.link;
        continue;
      }
      return name !== undefined && scope.inputValues.has(name) ? { kind: "value", value: scope.inputValues.get(name) } : undefined;
    }
    const node = scope.graph.nodes.get(origin);
    if (!node || node.mode === MUTED) return undefined;
    const inner = scope.inner.get(origin);
    if (node.mode === BYPASSED) link = passedThrough(node, originSlot, input.type)?.link ?? null;
    else if (node.type === "Reroute") link = node.inputs[0]?.link ?? null;
    else if (node.type === "PrimitiveNode") {
      const value = Array.isArray(node.widgetsValues) ? node.widgetsValues[0] : undefined;
      return value === undefined || value === null ? undefined : { kind: "value", value };
    } else if (inner) {
      link = linkToOutput(inner, originSlot);
      scope = inner;
    } else return { kind: "link", link: [`${scope.prefix}${origin}`, originSlot] };
  }
  return undefined;
}

/** A bypassed node hands on the input of the consumer's type: the one at the same index, else the first. */
function passedThrough(node: UiNode, slot: number, wanted: string): UiInput | undefined {
  const type = wanted === "*" || wanted.includes(",") ? (node.outputs[slot] ?? wanted) : wanted;
  const same = node.inputs[slot];
  return same?.type === type ? same : node.inputs.find((i) => i.type === type);
}

function linkToOutput(scope: Scope, slot: number): string | null {
  for (const [id, link] of scope.graph.links) if (link.target === SUBGRAPH_OUTPUT && link.targetSlot === slot) return id;
  return null;
}
