// What is known so far in a run: keys and outputs of the settled steps. The next step's key and inputs come from here.
import { cacheKey, type StepKey } from "../graph/cache-key.ts";
import type { Catalogue } from "../graph/catalogue.ts";
import type { Identify, Opened } from "../graph/opened-file.ts";
import type { Step, StepLink } from "../graph/plan.ts";
import type { Decision } from "./known-steps.ts";
import { union } from "./opened-files.ts";
import type { Result } from "./result-cache.ts";

export class Frontier {
  readonly #catalogue: Catalogue;
  readonly #keys = new Map<string, StepKey>();
  readonly #opened = new Map<string, readonly Opened[]>();
  /** Outputs, each dropped when the last step that needs it has run. */
  readonly #outputs = new Map<string, NonNullable<Result["outputs"]>>();
  readonly #askers = new Map<string, number>();

  constructor(decisions: readonly Decision[], catalogue: Catalogue) {
    this.#catalogue = catalogue;
    for (const { run, step } of decisions) if (run) this.ask(step);
  }

  /** Key of a step whose sources are settled. @param identify for files that are named over links */
  async key(step: Step, identify: Identify): Promise<string | null> {
    const files = new Map<string, string>();
    for (const [name, link] of Object.entries(step.links)) {
      const input = this.#catalogue.get(step.type)?.inputs.get(name);
      const value = input?.kind === "widget" && input.file ? this.lookup(link)?.value : undefined;
      if (input?.kind !== "widget" || !input.file || typeof value !== "string") continue;
      const identity = value === "" ? "" : await identify({ ...input.file, name: value });
      if (identity !== null) files.set(name, JSON.stringify([value, identity]));
    }
    return cacheKey(step, this.#catalogue, (id) => this.#keys.get(id), files) ?? null;
  }

  /** Settles a step. */
  put(id: string, key: StepKey, { outputs, opened }: Omit<Result, "effects">): void {
    this.#keys.set(id, key);
    this.#opened.set(id, opened);
    if (outputs && this.#askers.has(id)) this.#outputs.set(id, outputs);
  }

  readonly lookup = ({ id, output }: StepLink): { readonly value: unknown } | undefined => {
    const outputs = this.#outputs.get(id);
    return outputs && Object.hasOwn(outputs, output) ? { value: outputs[output] } : undefined;
  };

  /** Files that went into a step's inputs. */
  openedBefore(step: Step): readonly Opened[] {
    return union([...sources(step)].map((id) => this.#opened.get(id) ?? []));
  }

  /** The key of a settled step. */
  keyOf(id: string): StepKey {
    return this.#keys.get(id);
  }

  /** Counts a step among those that run. @returns its sources whose outputs are not at hand */
  ask(step: Step): readonly string[] {
    const ids = [...sources(step)];
    for (const id of ids) this.#askers.set(id, (this.#askers.get(id) ?? 0) + 1);
    return ids.filter((id) => !this.#outputs.has(id));
  }

  /** Called when a step has used its inputs. */
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
