import type { CatalogueNode } from "./catalogue.ts";
import { isLink } from "./prompt.ts";

/** What is certain before anything runs: values of primitives, of switches whose position is known, and what a preview passes on. */
export class KnownValues {
  readonly #values = new Map<string, { readonly value: unknown }>();

  /** The value that a link brings; undefined when it is not certain, or `input` is no link. */
  at(input: unknown): { readonly value: unknown } | undefined {
    return isLink(input) && input[1] === 0 ? this.#values.get(input[0]) : undefined;
  }

  /**
   * Adds a node; its sources come first.
   * @param widgets its parsed values, as far as they are certain
   * @param inputs its links; other values may be among them
   * @returns the one input that the node passes on; undefined when it makes a value of its own, or when that is not known
   */
  add(
    id: string,
    declaration: CatalogueNode,
    widgets: Readonly<Record<string, unknown>>,
    inputs: ReadonlyMap<string, unknown>,
  ): string | undefined {
    const passed = declaration.passes(widgets);
    if (passed === undefined) return undefined;
    const value = Object.hasOwn(widgets, passed) ? { value: widgets[passed] } : this.at(inputs.get(passed));
    if (value) this.#values.set(id, value);
    return passed;
  }
}
