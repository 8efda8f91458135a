import { stringifyJson } from "../base/json.ts";

const WIDTH = 100;

/** Scores in two aligned columns; a table of numbers under one name gets a line each, and so does each entry of a list. */
export function scoreTable(scores: Readonly<Record<string, unknown>>): string[] {
  const rows: [string, string][] = [];
  for (const [name, value] of Object.entries(scores)) {
    if (Array.isArray(value) && value.length > 0 && value.every(isFlat)) {
      for (const [i, entry] of value.entries()) rows.push([`${name}[${i}]`, fields(entry)]);
      continue;
    }
    const parts = isNumbers(value) ? Object.entries(value) : [];
    if (parts.length > 0) for (const [part, number] of parts) rows.push([`${name}.${part}`, shown(number)]);
    else rows.push([name, shown(value)]);
  }
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
}

function isNumbers(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.values(value).every((v) => typeof v === "number");
}

/** An entry of a list: an object whose numbers, texts and truths fit on a line. */
function isFlat(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fields(entry: Readonly<Record<string, unknown>>): string {
  return Object.entries(entry)
    .filter(([, value]) => typeof value !== "object")
    .map(([key, value]) => `${key} ${shown(value)}`)
    .join("  ");
}

function shown(value: unknown): string {
  if (typeof value === "number") return Number.isInteger(value) ? String(value) : value.toPrecision(5);
  const text = typeof value === "string" ? value : stringifyJson(value);
  return text.length > WIDTH ? `${text.slice(0, WIDTH - 1)}…` : text;
}
