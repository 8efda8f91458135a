// What the run knows so far: keys and outputs of the steps that are settled. The next step's key and inputs come from here.
import { cacheKey, type StepKey } from "../graph/cache-key.ts";
import type { Catalogue, FileKind } from "../graph/catalogue.ts";
import type { Step, StepLink } from "../graph/plan.ts";
import type { Decision } from "./known-steps.ts";
import type { Result } from "./result-cache.ts";

export class Frontier {
  readonly #catalogue: Catalogue;
  readonly #keys = new Map<string, StepKey>();
  /** Outputs, each dropped when the last step that asks for it has run. */
  readonly #outputs = new Map<string, NonNullable<Result["outputs"]>>();
  readonly #askers = new Map<string, number>();

  constructor(decisions: readonly Decision[], catalogue: Catalogue) {
    this.#catalogue = catalogue;
    for (const { run, step } of decisions) if (run) for (const id of sources(step)) this.#askers.set(id, (this.#askers.get(id) ?? 0) + 1);
  }

  /** Key of a step whose sources are settled. @param identify content of a file that is named over a link; undefined = not to be had */
  async key(step: Step, identify: (kind: FileKind, name: string) => Promise<string | undefined>): Promise<string | null> {
    const files = new Map<string, string>();
    for (const [name, link] of Object.entries(step.links)) {
      const input = this.#catalogue.get(step.type)?.inputs.get(name);
      const value = input?.kind === "widget" && input.file ? this.lookup(link)?.value : undefined;
      if (input?.kind !== "widget" || !input.file || typeof value !== "string") continue;
      const identity = value === "" ? "" : await identify(input.file, value);
      if (identity !== undefined) files.set(name, JSON.stringify([value, identity]));
    }
    return cacheKey(step, this.#catalogue, (id) => this.#keys.get(id), files) ?? null;
  }

  /** Settles a step. */
  put(id: string, key: StepKey, outputs: Result["outputs"]): void {
    this.#keys.set(id, key);
    if (outputs && this.#askers.has(id)) this.#outputs.set(id, outputs);
  }

  readonly lookup = ({ id, output }: StepLink): { readonly value: unknown } | undefined => {
    const outputs = this.#outputs.get(id);
    return outputs && Object.hasOwn(outputs, output) ? { value: outputs[output] } : undefined;
  };

  /** A step has what it asked for. */
  release(step: Step): void {
    for (const id of sources(step)) {
      const left = (this.#askers.get(id) ?? 1) - 1;
      this.#askers.set(id, left);
      if (left === 0) this.#outputs.delete(id);
    }
  }
}

function sources(step: Step): Set<string> {
  return new Set([...Object.values(step.links), ...Object.values(step.extra)].map((link) => link.id));
}
