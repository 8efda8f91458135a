// The one transform from what the editor saves to what is executed; the same in browser, server and CLI.
import { toAppError } from "../base/errors.ts";
import type { Issue } from "../base/issues.ts";
import type { Catalogue } from "./catalogue.ts";
import { WORKFLOW_LIMITS, type Workflow } from "./parse-workflow.ts";
import type { Prompt, PromptNode } from "./prompt.ts";
import { type LinkedWidgets, repairLinkedValues } from "./repair-linked-values.ts";
import { resolveInput } from "./resolve-link.ts";
import { BYPASSED, MUTED, openScopes, type Scope } from "./scope.ts";
import type { UiNode } from "./ui-workflow.ts";
import { namedWidgetValues } from "./widget-positions.ts";

export type PromptResult =
  | { readonly ok: true; readonly prompt: Prompt; readonly warnings: readonly Issue[] }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/** Nodes that only exist on the canvas. */
const VIRTUAL = new Set(["Reroute", "PrimitiveNode", "Note", "MarkdownNote"]);

/**
 * UI workflow → API prompt: widget values by name, modes, reroutes, primitives, subgraphs ("instance:inner" ids). A prompt passes unchanged.
 * Pure. The result still has to be validated.
 */
export function workflowToPrompt(workflow: Workflow, catalogue: Catalogue): PromptResult {
  if (workflow.format === "api") return { ok: true, prompt: workflow.prompt, warnings: [] };
  let scopes: Scope[];
  try {
    scopes = openScopes(workflow.ui, WORKFLOW_LIMITS.maxNodes);
  } catch (error) {
    const { code, message, hint } = toAppError(error);
    return { ok: false, issues: [{ code, path: [], message, ...(hint !== undefined && { hint }) }] };
  }
  const nodes = new Map<string, PromptNode>();
  const linked: LinkedWidgets = new Map();
  for (const scope of scopes)
    for (const node of scope.graph.nodes.values()) {
      if (VIRTUAL.has(node.type) || node.mode === MUTED || node.mode === BYPASSED || scope.inner.has(node.id)) continue;
      nodes.set(`${scope.prefix}${node.id}`, promptNode(scope, node, catalogue, linked));
    }
  const warnings = repairLinkedValues(nodes, linked, catalogue);
  return { ok: true, prompt: Object.fromEntries(nodes), warnings };
}

function promptNode(scope: Scope, node: UiNode, catalogue: Catalogue, linked: LinkedWidgets): PromptNode {
  const declaration = catalogue.get(node.type);
  const values = namedWidgetValues(node, declaration);
  // A promoted control_after_generate is the editor's affair.
  for (const [name, value] of scope.innerValues.get(node.id) ?? []) if (declaration?.inputs.has(name) ?? true) values.set(name, value);
  const inputs = new Map([...values].map(([name, value]) => [name, Array.isArray(value) ? { __value__: value } : value]));
  for (const input of node.inputs) {
    const origin = resolveInput(scope, input);
    if (origin?.kind === "value") inputs.set(input.name, Array.isArray(origin.value) ? { __value__: origin.value } : origin.value);
    else if (origin) {
      const key = `${scope.prefix}${node.id}`;
      if (inputs.has(input.name)) linked.set(key, (linked.get(key) ?? new Map<string, unknown>()).set(input.name, inputs.get(input.name)));
      inputs.set(input.name, origin.link);
    }
  }
  return { class_type: node.type, inputs: Object.fromEntries(inputs), ...(node.title !== undefined && { _meta: { title: node.title } }) };
}
