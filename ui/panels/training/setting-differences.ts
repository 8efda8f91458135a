import { stringifyJson } from "../../../engine/base/json.ts";

export interface Difference {
  readonly name: string;
  /** undefined = at its default. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

/** Settings that two runs do not share, by name. */
export function settingDifferences(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): readonly Difference[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].sort().flatMap((name) => {
    const [a, b] = [textOf(before[name]), textOf(after[name])];
    return a === b ? [] : [{ name, before: a, after: b }];
  });
}

/** As it stands in a widget; undefined stays so. */
export function textOf(value: unknown): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  return stringifyJson(value);
}
