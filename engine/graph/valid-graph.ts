import type { CatalogueNode } from "./catalogue.ts";
import type { Link } from "./prompt.ts";

/** A node whose every input is known to be right. */
export interface ValidNode {
  readonly id: string;
  readonly declaration: CatalogueNode;
  readonly title: string;
  /** Parsed values, also those typed where a link of any type may come in: literals, defaults, and what arrives over links from nodes whose value is known. */
  readonly widgets: Readonly<Record<string, unknown>>;
  /** Declared inputs that come over links and are needed, in declared order. */
  readonly links: ReadonlyMap<string, Link>;
  /** Variadic links, by number. */
  readonly extra: ReadonlyMap<string, Link>;
}

/** An output node that cannot run: something it needs is wrong. */
export interface SkippedOutput {
  readonly id: string;
  readonly type: string;
  readonly title: string;
}

/** What `validate` makes and `plan` takes. The private field keeps other objects of the same shape out. */
export class ValidGraph {
  readonly #validated = true;
  /** Every valid node that an output asks for, even an output that cannot run. */
  readonly nodes: ReadonlyMap<string, ValidNode>;
  /** Roots that can run, in stable order; everything they need is in `nodes`. */
  readonly outputs: readonly string[];
  readonly skipped: readonly SkippedOutput[];

  constructor(nodes: ReadonlyMap<string, ValidNode>, outputs: readonly string[], skipped: readonly SkippedOutput[] = []) {
    this.nodes = nodes;
    this.outputs = outputs;
    this.skipped = skipped;
  }

  /** The same graph without the outputs that need any of these nodes, for example because a file that one of them names is missing. */
  without(unusable: Iterable<string>): ValidGraph {
    const spoiled = reach(unusable, consumersOf(this.nodes));
    const lost = this.outputs.filter((id) => spoiled.has(id));
    const { nodes } = this;
    const skipped = lost.map((id) => ({ id, type: nodes.get(id)?.declaration.type ?? "", title: nodes.get(id)?.title ?? id }));
    return new ValidGraph(
      nodes,
      this.outputs.filter((id) => !spoiled.has(id)),
      [...this.skipped, ...skipped],
    );
  }

  /** The outputs, runnable or not, that need a node. */
  outputsOf(id: string): readonly string[] {
    const reached = reach([id], consumersOf(this.nodes));
    return [...this.outputs, ...this.skipped.map((s) => s.id)].filter((output) => reached.has(output));
  }

  static is(value: unknown): value is ValidGraph {
    return typeof value === "object" && value !== null && #validated in value;
  }
}

/** Source id → ids that ask for it. */
export function consumersOf(nodes: ReadonlyMap<string, Pick<ValidNode, "links" | "extra">>): ReadonlyMap<string, readonly string[]> {
  const out = new Map<string, string[]>();
  for (const [id, { links, extra }] of nodes)
    for (const [source] of [...links.values(), ...extra.values()]) {
      const known = out.get(source);
      if (known) known.push(id);
      else out.set(source, [id]);
    }
  return out;
}

/** The ids and all that can be reached from them. */
export function reach(from: Iterable<string>, next: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const reached = new Set(from);
  // Iterating over a Set also visits what is added meanwhile.
  for (const id of reached) for (const other of next.get(id) ?? []) reached.add(other);
  return reached;
}
