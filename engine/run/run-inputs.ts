import { AppError } from "../base/errors.ts";
import type { Catalogue } from "../graph/catalogue.ts";
import type { Step, StepLink } from "../graph/plan.ts";
import { parseWidget } from "../graph/widget-value.ts";

/** Finds the value behind a link; undefined while there is none. */
export type Lookup = (link: StepLink) => { readonly value: unknown } | undefined;

export interface RunInputs {
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly extra: Readonly<Record<string, unknown>>;
  /** Names of linked inputs that have no value. */
  readonly missing: readonly string[];
}

/** What a step's `run` receives. @throws AppError when a linked value does not fit its widget */
export function runInputs(step: Step, catalogue: Catalogue, lookup: Lookup): RunInputs {
  const inputs: Record<string, unknown> = { ...step.widgets };
  const extra: Record<string, unknown> = {};
  const missing: string[] = [];
  const declared = catalogue.get(step.type)?.inputs;
  for (const [name, link] of Object.entries(step.links)) {
    const found = lookup(link);
    if (!found) {
      missing.push(name);
      continue;
    }
    const input = declared?.get(name);
    if (input?.kind !== "widget") {
      inputs[name] = found.value;
      continue;
    }
    const parsed = parseWidget(input, found.value);
    if (!parsed.ok)
      throw new AppError(
        parsed.code,
        `${parsed.message} (it comes from node ${link.id})`,
        parsed.hint === undefined ? {} : { hint: parsed.hint },
      );
    if (parsed.note !== undefined)
      throw new AppError("INVALID_INPUT_TYPE", `${name}: ${String(found.value)} is not a whole number (it comes from node ${link.id})`, {
        hint: "link a whole number",
      });
    inputs[name] = parsed.value;
  }
  for (const [name, link] of Object.entries(step.extra)) {
    const found = lookup(link);
    if (found) extra[name] = found.value;
    else missing.push(name);
  }
  return { inputs, extra, missing };
}
