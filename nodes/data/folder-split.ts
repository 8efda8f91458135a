// Which entries are held out, so that nothing is measured on people who were trained on.
import { f32 } from "../../engine/tensor/tensor.ts";
import type { Embeddings } from "../shared/contracts/data.ts";
import { accepts, similarityOf } from "../shared/matching/similarity.ts";
import type { FoundPeople } from "./folder-pictures.ts";
import type { DatasetEntry } from "./layouts/dataset-entry.ts";

type Entry = Pick<DatasetEntry, "id" | "split" | "people"> & {
  readonly faces: FoundPeople["people"];
  readonly contents: readonly string[];
};

/** What training and held-out entries must not share. */
export const SPLIT_BY = ["people", "pictures", "nothing"] as const;
export type SplitBy = (typeof SPLIT_BY)[number];

export interface LeftOut {
  readonly id: string;
  readonly why: string;
}

export interface Split<T> {
  readonly train: readonly T[];
  readonly heldOut: readonly T[];
  readonly leftOut: readonly LeftOut[];
  readonly warnings: readonly string[];
}

/**
 * Held-out entries are those marked so. When none is, as many as asked for are chosen so that most is left to train on, the last ones where it makes
 * no difference. Training entries that share a person (or a picture) with a held-out one are left out.
 */
export function splitEntries<T extends Entry>(entries: readonly T[], count: number, by: SplitBy): Split<T> {
  const shared = by === "people" ? identitiesOf(entries) : entries.map((e) => (by === "pictures" ? e.contents : []));
  const marked = entries.some((e) => e.split === "held_out");
  const held = marked ? new Set(entries.flatMap((e, i) => (e.split === "held_out" ? [i] : []))) : chosen(entries, shared, count, by);
  const owner = new Map<string, string>();
  for (const i of held) for (const key of shared[i] ?? []) if (!owner.has(key)) owner.set(key, entries[i]?.id ?? "");
  // Whoever is on it: what is held out is not trained on under another name.
  const targets = new Map<string, string>();
  if (by !== "nothing")
    for (const i of held) {
      const { contents = [], id = "" } = entries[i] ?? {};
      if (contents[0] !== undefined) targets.set(contents[0], id);
    }
  const leftOut: LeftOut[] = [];
  const train = entries.filter((entry, i) => {
    if (held.has(i)) return false;
    const twin = targets.get(entry.contents[0] ?? "");
    if (twin !== undefined) {
      leftOut.push({ id: entry.id, why: `its target is that of ${twin}, which is held out` });
      return false;
    }
    const key = shared[i]?.find((each) => owner.has(each));
    if (key === undefined) return true;
    const what = by === "people" ? `shows ${key.startsWith("name:") ? key.slice(5) : "a person"} of` : "uses a picture of";
    leftOut.push({ id: entry.id, why: `it ${what} ${owner.get(key)}, which is held out` });
    return false;
  });
  const heldOut = entries.filter((_, i) => held.has(i));
  const warnings: string[] = [];
  if (!marked && count > 0 && heldOut.length < Math.min(count, entries.length))
    warnings.push(
      `${heldOut.length} of ${count} entries could be held out: with more, every entry would share a person with a held-out one`,
    );
  if (leftOut.length > 0)
    warnings.push(
      `${leftOut.length} of ${entries.length} entries are neither trained on nor held out: ${leftOut
        .slice(0, 5)
        .map(({ id, why }) => `${id} (${why})`)
        .join(", ")}${leftOut.length > 5 ? " …" : ""}; set split_by to pictures or nothing to keep them`,
    );
  const seen = by === "nothing" ? overlap(train, heldOut) : 0;
  if (seen > 0)
    warnings.push(
      `${seen} of ${heldOut.length} held-out entries show pictures or people that are trained on: their scores are no measure for new people`,
    );
  return { train, heldOut, leftOut, warnings };
}

/** How many held-out entries share a person or a picture with a training one. */
function overlap<T extends Entry>(train: readonly T[], heldOut: readonly T[]): number {
  const ids = identitiesOf([...train, ...heldOut]);
  const trained = new Set(train.flatMap((e, i) => [...(ids[i] ?? []), ...e.contents]));
  return heldOut.filter((e, i) => [...(ids[train.length + i] ?? []), ...e.contents].some((key) => trained.has(key))).length;
}

/** Entries to hold out: added one by one, with all that share their people alone, each time the one that leaves most to train on. */
function chosen<T extends Entry>(
  entries: readonly T[],
  shared: readonly (readonly string[])[],
  count: number,
  by: SplitBy,
): ReadonlySet<number> {
  const free = entries.flatMap((e, i) => (e.split === undefined ? [i] : []));
  if (count === 0) return new Set();
  if (by !== "people") return new Set(free.slice(-count));
  if (count >= free.length) return new Set(free);
  let people = new Set<string>();
  const heldBy = (who: ReadonlySet<string>) => free.filter((i) => shared[i]?.every((key) => who.has(key)));
  const trainBy = (who: ReadonlySet<string>) => entries.filter((_, i) => !shared[i]?.some((key) => who.has(key))).length;
  for (;;) {
    if (heldBy(people).length >= count) break;
    let best: { readonly who: Set<string>; readonly train: number } | undefined;
    for (const i of free) {
      const who = new Set([...people, ...(shared[i] ?? [])]);
      if (who.size === people.size) continue;
      if (entries.some((e, k) => e.split === "train" && shared[k]?.some((key) => who.has(key)))) continue;
      const train = trainBy(who);
      if (train > 0 && (!best || train >= best.train)) best = { who, train };
    }
    if (!best) break;
    people = best.who;
  }
  return new Set(heldBy(people));
}

/** Who is on each entry: names where they are given, else groups of faces the encoder takes for one person, else the pictures themselves. */
export function identitiesOf(entries: readonly Entry[]): readonly (readonly string[])[] {
  const groups: Embeddings[] = [];
  const byContent = new Map<string, string>();
  return entries.map(({ people, faces, contents }) =>
    contents.length === 1
      ? [`picture:${contents[0]}`]
      : contents.slice(1).map((content, k) => {
          const name = people?.[k];
          if (name !== undefined) return `name:${name}`;
          const known = byContent.get(content);
          if (known !== undefined) return known;
          const id = faces ? `group:${groupOf(row(faces, k), groups)}` : `picture:${content}`;
          byContent.set(content, id);
          return id;
        }),
  );
}

/** The first group whose first face the encoder accepts; a new one where there is none. */
function groupOf(face: Embeddings, groups: Embeddings[]): number {
  const found = groups.findIndex((group) => {
    const similarity = similarityOf(face, group);
    return accepts(similarity, 0, 0, similarity.comparison.threshold);
  });
  return found >= 0 ? found : groups.push(face) - 1;
}

/** One row of embeddings. */
function row(of: Embeddings, k: number): Embeddings {
  const [, dim = 0] = of.vectors.shape;
  const source = of.source[k];
  return { ...of, vectors: f32([1, dim], of.vectors.data.slice(k * dim, (k + 1) * dim)), source: source ? [source] : [] };
}
