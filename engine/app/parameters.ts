import type { RunDetail } from "../api/runs.ts";
import { stringifyJson } from "../base/json.ts";
import type { Plan } from "../graph/plan.ts";
import type { Registry } from "../node/registry.ts";
import { describeWidget } from "../node/widget-type.ts";

/** What a person set: values that differ from the node's default, and those that name files. */
export function parametersOf(plan: Plan, registry: Registry): RunDetail["parameters"] {
  return plan.steps.flatMap(({ id, type, title, widgets }) =>
    Object.entries(widgets).flatMap(([input, value]) => {
      const spec = registry.node(type)?.inputs[input];
      if (spec?.kind !== "widget") return [];
      const initial = describeWidget(spec.schema)?.default;
      return spec.hints.file || stringifyJson(initial) !== stringifyJson(value) ? [{ node: id, type, title, input, value }] : [];
    }),
  );
}
