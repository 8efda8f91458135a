import { accepts, similarityOf } from "../shared/matching/similarity.ts";
import type { ManifestEntry } from "./dataset-manifest.ts";
import type { FoundPeople } from "./folder-pictures.ts";

type Entry = Pick<ManifestEntry, "id" | "split"> & Pick<FoundPeople, "people" | "contents">;

export interface Split<T> {
  readonly train: readonly T[];
  readonly heldOut: readonly T[];
  readonly warnings: readonly string[];
}

/**
 * Held-out entries are those marked so, or the last `held_out` when none is marked. A training entry that uses a picture of a
 * held-out one is left out, so that nothing is measured on a picture used in training. People whom the encoder takes for the same person are
 * only reported, because encoders also confuse people.
 */
export function splitEntries<T extends Entry>(entries: readonly T[], last: number): Split<T> {
  const marked = entries.some((e) => e.split === "held_out");
  const first = entries.length - last;
  const isHeldOut = (e: T, i: number): boolean => (marked ? e.split === "held_out" : e.split === undefined && i >= first);
  const heldOut = entries.filter(isHeldOut);
  const unseen = new Set(heldOut.flatMap((e) => e.contents));
  const warnings: string[] = [];
  const train = entries.filter((entry, i) => {
    if (isHeldOut(entry, i)) return false;
    const shares = entry.contents.some((c) => unseen.has(c));
    if (shares) warnings.push(`${entry.id} is left out: it uses a picture of a held-out entry`);
    return !shares;
  });
  for (const entry of train)
    for (const other of heldOut) {
      const similarity = similarityOf(entry.people, other.people);
      const cells = similarity.values.data.length;
      const columns = similarity.values.shape[1] ?? 1;
      for (let at = 0; at < cells; at++) {
        if (!accepts(similarity, Math.floor(at / columns), at % columns, similarity.comparison.threshold)) continue;
        warnings.push(`${entry.id} (train) and ${other.id} (held out) may show the same person`);
        break;
      }
    }
  return { train, heldOut, warnings };
}
