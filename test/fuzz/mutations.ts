// Damage for fuzzers: small changes to valid inputs reach deeper than noise does.
import type { RandomSource } from "../../engine/base/random.ts";

/** How often each fuzzer runs: `RUNS=100000 npm run fuzz` is the full count. */
export function fuzzRuns(quick: number): number {
  const wanted = Number(process.env.RUNS);
  return Number.isInteger(wanted) && wanted > 0 ? wanted : quick;
}

/** Timeout of one fuzzer at the full count, on a busy machine. */
export const FUZZ_TIMEOUT_MS = 600_000;

/** Flips, overwrites, removes, repeats or inserts up to four runs of bytes. */
export function mutateBytes(random: RandomSource, bytes: Uint8Array): Uint8Array {
  let out = Uint8Array.from(bytes);
  for (let n = 1 + random.below(4); n > 0; n--) {
    const at = random.below(out.length + 1);
    const run = 1 + random.below(random.below(4) === 0 ? 64 : 4);
    const head = out.subarray(0, at);
    switch (random.below(6)) {
      case 0:
        if (at < out.length) out[at] = (out[at] ?? 0) ^ (1 << random.below(8));
        break;
      case 1:
        out.fill([0, 1, 0x7f, 0x80, 0xff, random.below(256)][random.below(6)] ?? 0, at, at + run);
        break;
      case 2:
        out = Uint8Array.from([...head, ...out.subarray(at + run)]);
        break;
      case 3:
        out = Uint8Array.from([...head, ...out.subarray(Math.max(0, at - run))]);
        break;
      case 4:
        out = Uint8Array.from([...head, ...Array.from({ length: run }, () => random.below(256)), ...out.subarray(at)]);
        break;
      default:
        out = Uint8Array.from(head.length > 0 ? head : out);
    }
  }
  return out;
}

/** Values that have surprised programs before. */
const ODD: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  1e308,
  2 ** 53,
  -10,
  -20,
  "",
  "__proto__",
  "constructor",
  "-10",
  "1",
  "*",
  [],
  {},
  [null],
  ["1", 0],
  ["1", -1],
  [[]],
  { __value__: [1] },
  2,
  4,
];

/** Replaces, removes, repeats or moves up to three places of a JSON document. The document is copied, not changed. */
export function mutateJson(random: RandomSource, document: unknown): unknown {
  const copy: unknown = structuredClone(document);
  for (let n = 1 + random.below(3); n > 0; n--) {
    const places: (unknown[] | Record<string, unknown>)[] = [];
    collect(copy, places);
    const place = places[random.below(places.length)];
    const donor = places[random.below(places.length)];
    const replacement: unknown = structuredClone(random.below(3) === 0 ? donor : ODD[random.below(ODD.length)]);
    if (Array.isArray(place)) {
      const at = random.below(place.length + 1);
      place.splice(at, random.below(2), ...(random.below(3) === 0 ? [] : [replacement]));
    } else if (place) {
      const keys = Object.keys(place);
      const key = keys[random.below(keys.length)];
      if (key === undefined || random.below(8) === 0)
        place[["nodes", "links", "inputs", "toString", "x"][random.below(5)] ?? "x"] = replacement;
      else if (random.below(3) === 0) delete place[key];
      else place[key] = replacement;
    }
  }
  return copy;
}

function collect(value: unknown, into: (unknown[] | Record<string, unknown>)[]): void {
  if (Array.isArray(value)) {
    into.push(value);
    for (const v of value) collect(v, into);
  } else if (isRecord(value)) {
    into.push(value);
    for (const v of Object.values(value)) collect(v, into);
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
