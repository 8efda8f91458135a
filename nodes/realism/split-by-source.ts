import { sha256 } from "../../engine/base/hash.ts";

export interface Sourced {
  /** Names of whatever two entries must not share across the split: a source, pictures' contents. */
  readonly marks: readonly string[];
  readonly split?: "train" | "held_out" | undefined;
}

/**
 * Divides entries so that no mark is on both sides: entries that share one, directly or through others, stay together. Marked
 * entries decide for their group (held_out where they disagree); of the other groups, about `share` are held out, chosen by
 * their content, so that adding entries moves no old one.
 */
export function splitBySource<T extends Sourced>(
  entries: readonly T[],
  share: number,
): { readonly train: readonly T[]; readonly heldOut: readonly T[] } {
  const parent = new Map<string, string>();
  const find = (mark: string): string => {
    const up = parent.get(mark) ?? mark;
    if (up === mark) return mark;
    const top = find(up);
    parent.set(mark, top);
    return top;
  };
  for (const { marks } of entries) for (const mark of marks) parent.set(find(mark), find(marks[0] ?? mark));
  const groups = new Map<string, T[]>();
  for (const entry of entries) {
    const top = find(entry.marks[0] ?? "");
    groups.set(top, [...(groups.get(top) ?? []), entry]);
  }
  const heldOut = new Set<T>();
  for (const group of groups.values()) {
    const marked = group.flatMap((e) => e.split ?? []);
    const first = group.flatMap((e) => e.marks).sort()[0] ?? "";
    const chance = Number.parseInt(sha256(first).slice(0, 8), 16) / 2 ** 32;
    if (marked.length > 0 ? marked.includes("held_out") : chance < share) for (const entry of group) heldOut.add(entry);
  }
  return { train: entries.filter((e) => !heldOut.has(e)), heldOut: entries.filter((e) => heldOut.has(e)) };
}
