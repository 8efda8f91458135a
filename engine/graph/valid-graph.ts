import type { CatalogueNode } from "./catalogue.ts";
import type { Link } from "./prompt.ts";

/** A node whose every input is known to be right. */
export interface ValidNode {
  readonly id: string;
  readonly declaration: CatalogueNode;
  readonly title: string;
  /** Parsed values: literals, defaults, and what arrives over links from nodes whose value is known. */
  readonly widgets: Readonly<Record<string, unknown>>;
  /** Declared inputs that come over links and are needed, in declared order. */
  readonly links: ReadonlyMap<string, Link>;
  /** Variadic links, by number. */
  readonly extra: ReadonlyMap<string, Link>;
}

/** What `validate` makes and `plan` takes. The private field keeps look-alikes out. */
export class ValidGraph {
  readonly #validated = true;
  /** What the outputs reach. */
  readonly nodes: ReadonlyMap<string, ValidNode>;
  /** Roots, in stable order. */
  readonly outputs: readonly string[];

  constructor(nodes: ReadonlyMap<string, ValidNode>, outputs: readonly string[]) {
    this.nodes = nodes;
    this.outputs = outputs;
  }

  static is(value: unknown): value is ValidGraph {
    return typeof value === "object" && value !== null && #validated in value;
  }
}
