/**
 * What an observation says in numbers, for the log: of the reward and of each of its parts `faces_found`, `faces_asked`, and of the
 * parts `skipped` (0 or 1), each behind `<prefix><part>.`. @param info of a RewardObservation
 */
export function observationNumbers(info: Readonly<Record<string, unknown>>, prefix: string): Record<string, number> {
  const out: Record<string, number> = {};
  const { faces, people } = info;
  if (typeof faces === "number") out[`${prefix}faces_found`] = faces;
  if (typeof people === "number") out[`${prefix}faces_asked`] = people;
  for (const [name, part] of Object.entries(info)) {
    if (!isRecord(part)) continue;
    out[`${prefix}${name}.skipped`] = "skip" in part ? 1 : 0;
    Object.assign(out, observationNumbers(part, `${prefix}${name}.`));
  }
  return out;
}

function isRecord(x: unknown): x is Readonly<Record<string, unknown>> {
  return typeof x === "object" && x !== null && !Array.isArray(x) && Object.getPrototypeOf(x) === Object.prototype;
}
