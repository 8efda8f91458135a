import type { MatchShown } from "../../../engine/api/shown.ts";
import { twoDigits } from "../numbers.ts";
import type { MatchAt, Pair } from "./match-at.ts";

export interface Sentence {
  readonly level: "good" | "warn" | "info";
  readonly text: string;
}

/** What the assignment means, worst first. References and faces are counted from 1. */
export function matchWords(shown: MatchShown, at: MatchAt): readonly Sentence[] {
  const people = shown.cosine.length;
  const faces = shown.generated.faces.length;
  if (people === 0) return [{ level: "warn", text: "The references show no face. Lower min_score, or choose other pictures." }];
  if (faces === 0) return [{ level: "warn", text: "There is no face in the picture. Lower min_score, or look at the picture." }];
  const out: Sentence[] = [];
  for (const cycle of exchanged(shown, at.pairs)) out.push({ level: "warn", text: cycle });
  for (const reference of at.missing) {
    const pair = at.pairs.find((p) => p.reference === reference);
    const closest = pair && `the closest face, ${pair.generated + 1}, has ${reading(shown, pair)}`;
    out.push({
      level: "warn",
      text: `Reference ${reference + 1} is not in the picture${closest ? `: ${closest}, beyond the threshold of ${twoDigits(at.threshold ?? 0)}` : ""}.`,
    });
  }
  for (const face of at.strangers) {
    // Said already, seen from the reference.
    if (at.pairs.some((p) => p.generated === face)) continue;
    out.push({ level: "info", text: `Face ${face + 1} is none of the references.` });
  }
  const found = people - at.missing.length;
  if (found > 0 && out.length === 0) {
    const where = shown.byPlace ? ", each in their own place" : "";
    out.push({
      level: "good",
      text: people === 1 ? "The reference is in the picture." : `All ${people} references are in the picture${where}.`,
    });
  }
  return out;
}

/** `0.41` or, compared by distance, `distance 0.58`. */
export function reading(shown: MatchShown, pair: Pair): string {
  return shown.distances ? `distance ${twoDigits(pair.value)}` : `cosine ${twoDigits(pair.cosine)}`;
}

/** Who stands where: rings of people who changed places, and people who stand in a place that another left. */
function exchanged({ byPlace }: MatchShown, pairs: readonly Pair[]): string[] {
  if (!byPlace) return [];
  /** Reference → the reference whose place it stands in. */
  const stands = new Map<number, number>();
  for (const { reference, generated, accepted } of pairs) {
    const place = byPlace.indexOf(generated);
    if (accepted && place >= 0 && place !== reference) stands.set(reference, place);
  }
  const told = new Set<number>();
  const out: string[] = [];
  for (const start of stands.keys()) {
    if (told.has(start)) continue;
    const ring: number[] = [start];
    for (let next = stands.get(start); next !== undefined && !ring.includes(next); next = stands.get(next)) ring.push(next);
    if (stands.get(ring.at(-1) ?? -1) !== start) continue;
    for (const r of ring) told.add(r);
    const names = ring.map((r) => r + 1).sort((a, b) => a - b);
    out.push(
      ring.length === 2
        ? `References ${names.join(" and ")} stand in each other's place.`
        : `References ${names.slice(0, -1).join(", ")} and ${names.at(-1)} have changed places among one another.`,
    );
  }
  for (const [reference, place] of stands)
    if (!told.has(reference)) out.push(`Reference ${reference + 1} stands where reference ${place + 1} should.`);
  return out;
}
