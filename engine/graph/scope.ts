// Flattens subgraph instances: every node gets the id "instance:inner", every promoted widget its value.
import { AppError } from "../base/errors.ts";
import type { Issue } from "../base/issues.ts";
import { type PromotedValues, promotedValues } from "./promoted-values.ts";
import type { UiGraph, UiNode, UiSubgraph, UiWorkflow } from "./ui-workflow.ts";

/** One graph in one place: the workflow itself, or one instance of a subgraph. */
export interface Scope extends PromotedValues {
  /** "" or "5:" or "1:4:". */
  readonly prefix: string;
  readonly graph: UiGraph;
  /** Every definition, by id. */
  readonly subgraphs: ReadonlyMap<string, UiSubgraph>;
  readonly outer: { readonly scope: Scope; readonly instance: UiNode; readonly definition: UiSubgraph } | undefined;
  /** The active instances in this graph, by node id. */
  readonly inner: Map<string, Scope>;
}

export const MUTED = 2;
export const BYPASSED = 4;

/** Every scope, outer ones first. @throws AppError GRAPH_SUBGRAPH_CYCLE, WORKFLOW_TOO_LARGE (a few small definitions can unfold into millions) */
export function openScopes(
  workflow: UiWorkflow,
  maxNodes: number,
): { readonly scopes: readonly Scope[]; readonly warnings: readonly Issue[] } {
  const { subgraphs } = workflow;
  const root: Scope = {
    prefix: "",
    graph: workflow,
    subgraphs,
    outer: undefined,
    inputValues: new Map(),
    innerValues: new Map(),
    inner: new Map(),
  };
  const scopes = [root];
  const warnings: Issue[] = [];
  let nodes = 0;
  for (const scope of scopes) {
    nodes += scope.graph.nodes.size;
    if (nodes > maxNodes || scopes.length > maxNodes)
      throw new AppError("WORKFLOW_TOO_LARGE", `with its subgraphs opened the workflow has more than ${maxNodes} nodes`, {
        hint: "split it",
      });
    for (const instance of scope.graph.nodes.values()) {
      const definition = subgraphs.get(instance.type);
      if (!definition || instance.mode === MUTED || instance.mode === BYPASSED) continue;
      for (let s: Scope | undefined = scope; s; s = s.outer?.scope)
        if (s.outer?.definition === definition)
          throw new AppError("GRAPH_SUBGRAPH_CYCLE", `subgraph ${instance.type} contains itself, at node ${scope.prefix}${instance.id}`, {
            hint: "remove that node",
          });
      const { warnings: told, ...values } = promotedValues(instance, definition, scope.innerValues.get(instance.id));
      warnings.push(...told.map((w) => ({ ...w, path: [`${scope.prefix}${instance.id}`] })));
      const inner: Scope = {
        prefix: `${scope.prefix}${instance.id}:`,
        graph: definition,
        subgraphs,
        outer: { scope, instance, definition },
        ...values,
        inner: new Map(),
      };
      scope.inner.set(instance.id, inner);
      scopes.push(inner);
    }
  }
  return { scopes, warnings };
}
