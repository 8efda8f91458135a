import type { Link } from "./prompt.ts";
import { BYPASSED, MUTED, type Scope } from "./scope.ts";
import { socketsMatch } from "./socket-match.ts";
import { SUBGRAPH_INPUT, SUBGRAPH_OUTPUT, type UiInput, type UiNode } from "./ui-workflow.ts";

/** A subgraph instance's own input, which an inner one takes its value from. */
export interface Boundary {
  readonly instance: string;
  readonly name: string;
}

/** Where an input's value really comes from: a node's output, a value typed somewhere on the way, or nowhere. */
export type Origin = { readonly kind: "link"; readonly link: Link } | { readonly kind: "value"; readonly value: unknown } | undefined;

/** Nodes of the canvas that pass on what comes in at the same slot. */
const PASS = new Set(["Reroute", "Reroute (rgthree)", "SetNode", "easy setNode"]);
const GET = new Set(["GetNode", "easy getNode"]);

/** Nodes that only exist on the canvas. */
export const VIRTUAL: ReadonlySet<string> = new Set([
  ...PASS,
  ...GET,
  "PrimitiveNode",
  "Note",
  "MarkdownNote",
  ...["Label", "Bookmark", "Fast Muter", "Fast Bypasser", "Fast Groups Muter", "Fast Groups Bypasser", "Fast Actions Button"].map(
    (name) => `${name} (rgthree)`,
  ),
]);

/**
 * Follows a link through reroutes, primitives, Set and Get nodes, bypassed nodes and subgraph borders. A loop has no source.
 * @param report called for each GetNode whose name no SetNode sets
 * @param cross called for each subgraph border on the way out
 */
export function resolveInput(
  start: Scope,
  input: UiInput,
  report: (node: string, name: string) => void,
  cross: (boundary: Boundary) => void,
): Origin {
  const seen = new Set<string>();
  let scope = start;
  let link = input.link;
  let wanted = input.type;
  // The innermost instance's value, unless one further out overrides it.
  let typed: Origin;
  while (link !== null) {
    const at = `${scope.prefix} ${link}`;
    const found = scope.graph.links.get(link);
    if (!found || seen.has(at)) return undefined;
    seen.add(at);
    const { origin, originSlot } = found;
    if (origin === SUBGRAPH_INPUT && scope.outer) {
      const { instance, definition, scope: around } = scope.outer;
      const name = definition.inputs[originSlot]?.name;
      const outside = instance.inputs.find((i) => i.name === name);
      if (name !== undefined) cross({ instance: `${around.prefix}${instance.id}`, name });
      if (name !== undefined && scope.inputValues.has(name)) typed = { kind: "value", value: scope.inputValues.get(name) };
      if (!outside || outside.link === null) return typed;
      scope = around;
      link = outside.link;
      continue;
    }
    const node = scope.graph.nodes.get(origin);
    if (!node || node.mode === MUTED) return undefined;
    const inner = scope.inner.get(origin);
    if (node.mode === BYPASSED) {
      const passed = passedThrough(scope, node, originSlot, wanted);
      wanted = passed?.type ?? wanted;
      link = passed?.link ?? null;
    } else if (PASS.has(node.type)) link = node.inputs[0]?.link ?? null;
    else if (GET.has(node.type)) {
      const setter = findSetter(scope, nameOf(node));
      if (!setter) {
        report(`${scope.prefix}${origin}`, nameOf(node));
        return undefined;
      }
      scope = setter.scope;
      link = setter.node.inputs[0]?.link ?? null;
    } else if (node.type === "PrimitiveNode") {
      const promoted = [...(scope.innerValues.get(origin) ?? [])].find(([name]) => name !== "control_after_generate")?.[1];
      const value = promoted ?? firstOf(node);
      return value === undefined || value === null ? undefined : { kind: "value", value };
    } else if (inner) {
      link = linkToOutput(inner, originSlot);
      scope = inner;
    } else return { kind: "link", link: [`${scope.prefix}${origin}`, originSlot] };
  }
  return undefined;
}

/**
 * A bypassed node passes on, of the inputs that fit both its output and the consumer, the one at the output's index, else one of exactly the consumer's
 * type, else the first. What takes anything gets the input at the output's index.
 */
function passedThrough(scope: Scope, node: UiNode, slot: number, wanted: string): UiInput | undefined {
  // An instance's own list leaves out inputs that nothing is linked to, which would shift the index.
  const inputs: readonly (UiInput | undefined)[] =
    scope.subgraphs.get(node.type)?.inputs.map(({ name }) => node.inputs.find((i) => i.name === name)) ?? node.inputs;
  const same = inputs[slot];
  if (wanted === "*") return same ?? inputs[0];
  const type = node.outputs[slot] ?? wanted;
  const fits = (input: UiInput | undefined): boolean =>
    input !== undefined && socketsMatch(input.type, type) && socketsMatch(input.type, wanted);
  return fits(same) ? same : (inputs.find((i) => i?.type === wanted) ?? inputs.find(fits));
}

/** The SetNode of that name: in this graph, or in an enclosing one. */
function findSetter(start: Scope, name: string): { readonly scope: Scope; readonly node: UiNode } | undefined {
  for (let scope: Scope | undefined = start; scope; scope = scope.outer?.scope)
    for (const node of scope.graph.nodes.values())
      if (/^(easy setN|SetN)ode$/.test(node.type) && name !== "" && nameOf(node) === name) return { scope, node };
  return undefined;
}

function nameOf(node: UiNode): string {
  return String(firstOf(node) ?? "");
}

function firstOf(node: UiNode): unknown {
  return node.namedValues?.values().next().value ?? Object.values(node.widgetsValues)[0];
}

function linkToOutput(scope: Scope, slot: number): string | null {
  for (const [id, link] of scope.graph.links) if (link.target === SUBGRAPH_OUTPUT && link.targetSlot === slot) return id;
  return null;
}
