// The one transform from what the editor saves to what is executed; the same in browser, server and CLI.
import { toAppError } from "../base/errors.ts";
import type { Issue } from "../base/issues.ts";
import { stringifyJson } from "../base/json.ts";
import type { Catalogue, CatalogueNode } from "./catalogue.ts";
import { WORKFLOW_LIMITS, type Workflow } from "./parse-workflow.ts";
import type { Prompt, PromptNode } from "./prompt.ts";
import { type LinkedWidgets, repairLinkedValues } from "./repair-linked-values.ts";
import { type Boundary, resolveInput, VIRTUAL } from "./resolve-link.ts";
import { BYPASSED, MUTED, openScopes, type Scope } from "./scope.ts";
import { foreignValues, replaceForeign } from "./stand-ins.ts";
import type { UiNode } from "./ui-workflow.ts";
import { isEditorOnly, namedWidgetValues } from "./widget-positions.ts";

export interface Instance {
  readonly title: string;
  /** Its promoted inputs, by name, and the inputs inside that take their value: prompt node and input. */
  readonly inputs: ReadonlyMap<string, readonly (readonly [node: string, input: string])[]>;
}
type Instances = Map<string, { readonly title: string; readonly inputs: Map<string, [string, string][]> }>;

export type PromptResult =
  | {
      readonly ok: true;
      readonly prompt: Prompt;
      readonly warnings: readonly Issue[];
      /** Subgraph instances, by id: they are not in the prompt, but people know their widgets. */
      readonly instances: ReadonlyMap<string, Instance>;
    }
  | { readonly ok: false; readonly issues: readonly Issue[] };

/**
 * UI workflow → API prompt: widget values by name, modes, reroutes, primitives, subgraphs ("instance:inner" ids), and other packs' nodes
 * told in ours. Of a prompt, only the last is changed.
 * Pure. The result still has to be validated.
 */
export function workflowToPrompt(workflow: Workflow, catalogue: Catalogue): PromptResult {
  if (workflow.format === "api") return { ok: true, ...replaceForeign(workflow.prompt), instances: new Map() };
  let opened: ReturnType<typeof openScopes>;
  try {
    opened = openScopes(workflow.ui, WORKFLOW_LIMITS.maxNodes);
  } catch (error) {
    const { code, message, hint } = toAppError(error);
    return { ok: false, issues: [{ code, path: [], message, ...(hint !== undefined && { hint }) }] };
  }
  const nodes = new Map<string, PromptNode>();
  const linked: LinkedWidgets = new Map();
  const warnings = [...opened.warnings];
  const instances: Instances = new Map();
  for (const scope of opened.scopes)
    for (const { instance, definition } of [...scope.inner.values()].flatMap(({ outer }) => (outer ? [outer] : [])))
      instances.set(`${scope.prefix}${instance.id}`, { title: instance.title ?? definition.name, inputs: new Map() });
  for (const scope of opened.scopes)
    for (const node of scope.graph.nodes.values()) {
      if (VIRTUAL.has(node.type) || node.mode === MUTED || node.mode === BYPASSED || scope.inner.has(node.id)) continue;
      nodes.set(`${scope.prefix}${node.id}`, promptNode(scope, node, catalogue, { linked, warnings, instances }));
    }
  warnings.push(...repairLinkedValues(nodes, linked, catalogue));
  const { prompt, warnings: more } = replaceForeign(Object.fromEntries(nodes));
  return { ok: true, prompt, warnings: [...warnings, ...more], instances };
}

interface Findings {
  readonly linked: LinkedWidgets;
  readonly warnings: Issue[];
  readonly instances: Instances;
}

function promptNode(scope: Scope, node: UiNode, catalogue: Catalogue, { linked, warnings, instances }: Findings): PromptNode {
  const declaration = catalogue.get(node.type);
  const id = `${scope.prefix}${node.id}`;
  const values =
    foreignValues(node) ??
    namedWidgetValues(node, declaration, (rest) =>
      warnings.push({
        code: "WIDGET_COUNT",
        path: [id],
        message: `node ${id} (${node.type}) was saved with more widgets than it has here; ignored: ${rest.map(show).join(", ")}`,
        hint: `see \`graph nodes ${node.type}\` for what it has`,
      }),
    );
  warnings.push(...disagreements(id, node, declaration, values));
  const { outer } = scope;
  for (const [name, value] of scope.innerValues.get(node.id) ?? []) {
    if (!(declaration?.inputs.has(name) ?? true)) continue;
    values.set(name, value);
    const { inputs: promoted } = (outer && instances.get(`${outer.scope.prefix}${outer.instance.id}`)) ?? {};
    promoted?.set(name, [...(promoted.get(name) ?? []), [id, name]]);
  }
  for (const [name, value] of values) if (isEditorOnly(name, value) && !declaration?.inputs.has(name)) values.delete(name);
  const inputs = new Map([...values].map(([name, value]) => [name, Array.isArray(value) ? { __value__: value } : value]));
  for (const input of node.inputs) {
    const borders: Boundary[] = [];
    const origin = resolveInput(
      scope,
      input,
      (getter, name) =>
        warnings.push({
          code: "SETTER_MISSING",
          path: [getter],
          message: `node ${getter} gets ${JSON.stringify(name)}, which no SetNode sets: input ${input.name} of node ${id} stays unconnected`,
          hint: "add a SetNode of that name, or connect the input",
        }),
      (boundary) => borders.push(boundary),
    );
    if (origin?.kind !== "link")
      for (const { instance, name } of borders) {
        const { inputs: promoted } = instances.get(instance) ?? {};
        promoted?.set(name, [...(promoted.get(name) ?? []), [id, input.name]]);
      }
    if (origin?.kind === "value") inputs.set(input.name, Array.isArray(origin.value) ? { __value__: origin.value } : origin.value);
    else if (origin) {
      if (inputs.has(input.name)) linked.set(id, (linked.get(id) ?? new Map<string, unknown>()).set(input.name, inputs.get(input.name)));
      inputs.set(input.name, origin.link);
    }
  }
  const { title, name } = node;
  const meta = { ...(title !== undefined && { title }), ...(name !== undefined && name !== node.type && { name }) };
  return { class_type: node.type, inputs: Object.fromEntries(inputs), ...(Object.keys(meta).length > 0 && { _meta: meta }) };
}

/** Where a file gives one value by name and another by position, somebody edited one of the two by hand. */
function disagreements(id: string, node: UiNode, declaration: CatalogueNode | undefined, values: ReadonlyMap<string, unknown>): Issue[] {
  if (!node.namedValues) return [];
  const byPosition = namedWidgetValues({ ...node, namedValues: undefined }, declaration);
  // The same values in another order: the node had its widgets in that order when the file was saved.
  const sorted = (list: Iterable<unknown>): string =>
    [...list]
      .map((v) => stringifyJson(v))
      .sort()
      .join();
  if (Array.isArray(node.widgetsValues) && sorted(node.widgetsValues) === sorted(node.namedValues.values())) return [];
  return [...values].flatMap(([name, value]): Issue[] => {
    const other = byPosition.get(name);
    if (other === undefined || !(declaration?.inputs.has(name) ?? true) || stringifyJson(other) === stringifyJson(value)) return [];
    return [
      {
        code: "WIDGET_TWO_VALUES",
        path: [id, name],
        message: `the file gives ${name} of node ${id} two values: ${show(value)} by name, which is used, and ${show(other)} by position`,
        hint: "remove widgets_values_named from that node to have the other",
      },
    ];
  });
}

function show(value: unknown): string {
  const text = stringifyJson(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
