// Subgraph instances opened up: every node gets the flattened id "instance:inner", every promoted widget its value.
import { AppError } from "../base/errors.ts";
import type { UiGraph, UiNode, UiSubgraph, UiWorkflow } from "./ui-workflow.ts";

/** One graph seen from one place: the workflow itself, or one instance of a subgraph. */
export interface Scope {
  /** "" or "5:" or "1:4:". */
  readonly prefix: string;
  readonly graph: UiGraph;
  readonly outer: { readonly scope: Scope; readonly instance: UiNode; readonly definition: UiSubgraph } | undefined;
  /** Values of the instance's widgets that stand for the subgraph's inputs, by input name. */
  readonly inputValues: ReadonlyMap<string, unknown>;
  /** Values of the instance's widgets that stand for widgets of inner nodes: node id → widget → value. */
  readonly innerValues: ReadonlyMap<string, ReadonlyMap<string, unknown>>;
  /** The active instances in this graph, by node id. */
  readonly inner: Map<string, Scope>;
}

export const MUTED = 2;
export const BYPASSED = 4;

/** Every scope, outer ones first. @throws AppError GRAPH_SUBGRAPH_CYCLE, WORKFLOW_TOO_LARGE (a few small definitions can unfold into millions) */
export function openScopes(workflow: UiWorkflow, maxNodes: number): Scope[] {
  const root: Scope = { prefix: "", graph: workflow, outer: undefined, inputValues: new Map(), innerValues: new Map(), inner: new Map() };
  const scopes = [root];
  let nodes = 0;
  for (const scope of scopes) {
    nodes += scope.graph.nodes.size;
    if (nodes > maxNodes || scopes.length > maxNodes)
      throw new AppError("WORKFLOW_TOO_LARGE", `with its subgraphs opened the workflow has more than ${maxNodes} nodes`, {
        hint: "split it",
      });
    for (const instance of scope.graph.nodes.values()) {
      const definition = workflow.subgraphs.get(instance.type);
      if (!definition || instance.mode === MUTED || instance.mode === BYPASSED) continue;
      for (let s: Scope | undefined = scope; s; s = s.outer?.scope)
        if (s.outer?.definition === definition)
          throw new AppError("GRAPH_SUBGRAPH_CYCLE", `subgraph ${instance.type} contains itself, at node ${scope.prefix}${instance.id}`, {
            hint: "remove that node",
          });
      const inner: Scope = {
        prefix: `${scope.prefix}${instance.id}:`,
        graph: definition,
        outer: { scope, instance, definition },
        ...promotedValues(instance, scope.innerValues.get(instance.id)),
        inner: new Map(),
      };
      scope.inner.set(instance.id, inner);
      scopes.push(inner);
    }
  }
  return scopes;
}

/** The instance's own widget values, unless the scope around it promotes them further and says otherwise. */
function promotedValues(
  instance: UiNode,
  fromOutside: ReadonlyMap<string, unknown> | undefined,
): Pick<Scope, "inputValues" | "innerValues"> {
  const inputValues = new Map<string, unknown>();
  const innerValues = new Map<string, Map<string, unknown>>();
  const own = instance.inputs.flatMap((i): [string, string][] => (i.widget === undefined ? [] : [["-1", i.name]]));
  const { widgetsValues: values } = instance;
  for (const [at, [node, name]] of (instance.proxyWidgets ?? own).entries()) {
    const stored = Array.isArray(values) ? values[at] : Object.entries(values).find(([key]) => key === name)?.[1];
    const value = fromOutside?.get(name) ?? stored;
    if (value === undefined || value === null) continue;
    if (node === "-1") inputValues.set(name, value);
    else innerValues.set(node, (innerValues.get(node) ?? new Map<string, unknown>()).set(name, value));
  }
  return { inputValues, innerValues };
}
