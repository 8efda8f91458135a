/** How far the walk has come in one node. */
interface Frame {
  readonly id: string;
  readonly next: Iterator<string>;
}

/** A tangled graph can hold millions of cycles, and each one listed may be as long as the graph. */
export const MAX_CYCLES = 20;

export interface Order {
  /** Every id reachable from the roots, sources first. */
  readonly order: readonly string[];
  /** Each lists the ids along it, the first repeated at the end; at most {@link MAX_CYCLES}. */
  readonly cycles: readonly (readonly string[])[];
}

/** Depth-first order without recursion: a chain of thousands of nodes must not overflow the stack. Deterministic in its arguments. */
export function sourcesFirst(roots: Iterable<string>, sources: (id: string) => Iterable<string>): Order {
  const order: string[] = [];
  const cycles: string[][] = [];
  const state = new Map<string, "open" | "done">();
  for (const root of roots) {
    const stack: Frame[] = [];
    const enter = (id: string): void => {
      state.set(id, "open");
      stack.push({ id, next: sources(id)[Symbol.iterator]() });
    };
    if (!state.has(root)) enter(root);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const { done, value } = top.next.next();
      if (done) {
        stack.pop();
        state.set(top.id, "done");
        order.push(top.id);
      } else if (!state.has(value)) enter(value);
      else if (state.get(value) === "open" && cycles.length < MAX_CYCLES) {
        const ids = stack.map((f) => f.id);
        // The stack runs from consumer to source; a path reads from source to consumer.
        cycles.push([value, ...ids.slice(ids.indexOf(value)).reverse()]);
      }
    }
  }
  return { order, cycles };
}
