// Two runs, row by row.

import type { RunDetail, RunSummary } from "../../../engine/api/runs.ts";
import { stringifyJson } from "../../../engine/base/json.ts";

export interface NumberRow {
  readonly name: string;
  readonly before: number | undefined;
  readonly after: number | undefined;
  /** After minus before; undefined where one of them lacks it. */
  readonly change: number | undefined;
}

type Scored = Pick<RunSummary, "scores">;

/** Every score that is a number, in the order of the newer run; a name that several nodes use is told apart by the node's title. */
export function scoreRows(before: Scored, after: Scored): readonly NumberRow[] {
  const [old, now] = [numbersOf(before), numbersOf(after)];
  return [...new Set([...now.keys(), ...old.keys()])].map((name) => {
    const [a, b] = [old.get(name), now.get(name)];
    return { name, before: a, after: b, change: a === undefined || b === undefined ? undefined : b - a };
  });
}

function numbersOf({ scores }: Scored): Map<string, number> {
  const shared = new Set(scores.filter((s) => scores.some((o) => o.name === s.name && o.node !== s.node)).map((s) => s.name));
  return new Map(
    scores.flatMap((s) => (typeof s.value === "number" ? [[shared.has(s.name) ? `${s.name}, ${s.title}` : s.name, s.value] as const] : [])),
  );
}

export interface SettingRow {
  readonly title: string;
  readonly input: string;
  /** undefined = at its default. */
  readonly before: string | undefined;
  readonly after: string | undefined;
}

type Set_ = Pick<RunDetail, "parameters">;

/** Values that the two were not run with alike. */
export function settingRows(before: Set_, after: Set_): readonly SettingRow[] {
  const key = (p: Set_["parameters"][number]): string => `${p.node} ${p.input}`;
  const old = new Map(before.parameters.map((p) => [key(p), p]));
  const now = new Map(after.parameters.map((p) => [key(p), p]));
  return [...new Set([...now.keys(), ...old.keys()])].flatMap((k) => {
    const of = now.get(k) ?? old.get(k);
    const [a, b] = [textOf(old.get(k)), textOf(now.get(k))];
    return of && a !== b ? [{ title: of.title, input: of.input, before: a, after: b }] : [];
  });
}

function textOf(parameter: Set_["parameters"][number] | undefined): string | undefined {
  if (!parameter) return undefined;
  return typeof parameter.value === "string" ? parameter.value : stringifyJson(parameter.value);
}
