// Where a step's input comes from, in words, for messages.
import type { Catalogue } from "../graph/catalogue.ts";
import type { Effect } from "../graph/events.ts";
import type { Plan, Step } from "../graph/plan.ts";

/**
 * The picture's file behind an input, or the node that made it: followed backwards only through nodes with a single link, because behind
 * several links it is not certain. Undefined for an input without a link.
 */
export function stepSource({ steps }: Plan, catalogue: Catalogue): (step: Step, input: string) => string | undefined {
  const byId = new Map(steps.map((step) => [step.id, step]));
  return (step, input) => {
    const link = step.links[input] ?? step.extra[input];
    const first = link && byId.get(link.id);
    for (let at = first; at; ) {
      const file = fileOf(at, catalogue);
      if (file !== undefined) return file;
      const [only, ...others] = [...Object.values(at.links), ...Object.values(at.extra)];
      at = only && others.length === 0 ? byId.get(only.id) : undefined;
    }
    return first && `${first.title} (node ${first.id})`;
  };
}

/** An effect with the source of the input it names, if it names one. */
export function withSource(effect: Effect, sourceOf: (input: string) => string | undefined): Effect {
  if (effect.kind !== "node.logged" || effect.input === undefined) return effect;
  const source = sourceOf(effect.input);
  return source === undefined ? effect : { ...effect, source };
}

/** The file of the input folder that a step reads. */
function fileOf(step: Step, catalogue: Catalogue): string | undefined {
  for (const input of catalogue.get(step.type)?.inputs.values() ?? []) {
    const name = step.widgets[input.name];
    if (input.kind === "widget" && input.file?.kind === "input" && typeof name === "string" && name !== "") return name;
  }
  return undefined;
}
