// ComfyUI's API format: what is executed. Ids are any text; "5:2" is node 2 inside subgraph instance 5.

/** [source node id, output slot]. */
export type Link = readonly [id: string, slot: number];

export interface PromptNode {
  readonly class_type: string;
  /** A literal, a {@link Link}, or `{ __value__ }` around an array. */
  readonly inputs: Readonly<Record<string, unknown>>;
  readonly _meta?: {
    readonly title?: string /** What `%NAME.widget%` in file names calls it, where that is not its type. */;
    readonly name?: string;
  };
}

export type Prompt = Readonly<Record<string, PromptNode>>;

export function isLink(value: unknown): value is Link {
  return (
    Array.isArray(value) &&
    value.length === 2 &&
    typeof value[0] === "string" &&
    typeof value[1] === "number" &&
    Number.isInteger(value[1]) &&
    value[1] >= 0
  );
}

/** Removes ComfyUI's wrapper around array values. */
export function unwrapValue(value: unknown): unknown {
  return typeof value === "object" && value !== null && "__value__" in value ? value.__value__ : value;
}

/** Node ids in a stable order: whole numbers by size, then the rest by code unit; parts between colons compared one by one. */
export function compareIds(a: string, b: string): number {
  const as = a.split(":");
  const bs = b.split(":");
  for (let i = 0; i < Math.min(as.length, bs.length); i++) {
    const x = as[i] ?? "";
    const y = bs[i] ?? "";
    if (x === y) continue;
    const nx = /^\d{1,15}$/.test(x);
    const ny = /^\d{1,15}$/.test(y);
    if (nx && ny && Number(x) !== Number(y)) return Number(x) - Number(y);
    if (nx !== ny) return nx ? -1 : 1;
    return x < y ? -1 : 1;
  }
  return as.length - bs.length;
}
