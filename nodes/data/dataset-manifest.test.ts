import { expect, it } from "vitest";
import { parseManifest } from "./dataset-manifest.ts";

const entry = (id: string) => ({ id, prompt: "two people", target: "t.jpg", references: ["a.jpg", "b.jpg"] });

it("reads JSON Lines and a JSON array alike, and knows the lines", () => {
  const lines = parseManifest(`\uFEFF${JSON.stringify(entry("x"))}\r\n\n${JSON.stringify({ ...entry("y"), split: "held_out" })}\n`);
  expect(lines.issues).toEqual([]);
  expect(lines.entries).toEqual([
    { ...entry("x"), line: 1 },
    { ...entry("y"), split: "held_out", line: 3 },
  ]);
  const tricky = { ...entry("z"), prompt: 'brackets ] } , [ { and a quote " and a backslash \\' };
  const array = parseManifest(`\n[\n${JSON.stringify(entry("x"))},\n\n${JSON.stringify(tricky, null, 2)}\n]\n`);
  expect(array.issues).toEqual([]);
  expect(array.entries).toEqual([
    { ...entry("x"), line: 3 },
    { ...tricky, line: 5 },
  ]);
});

it("lists everything that is wrong at once", () => {
  const text = [
    "{",
    JSON.stringify(entry("x")),
    JSON.stringify({ ...entry("y"), references: [], target: 3, extra: 1 }),
    JSON.stringify(entry("x")),
  ];
  const { issues } = parseManifest(text.join("\n"));
  expect(issues.map((i) => i.line)).toEqual([1, 3, 3, 4]);
  expect(issues.map((i) => i.message).join("\n")).toMatch(/not JSON[\s\S]*target[\s\S]*extra[\s\S]*id "x" is the id of line 2 too/);
});

it.each([
  ["nothing", "", /no entries/],
  ["an empty array", "[]", /no entries/],
  ["an array that does not end", `[${JSON.stringify(entry("x"))}`, /not JSON/],
  ["something after the array", `[${JSON.stringify(entry("x"))}] 7`, /entry/],
  ["elements that are no entries", "[1, [2], null]", /entry/],
  ["only closing brackets", "[]]]}", /not JSON/],
])("refuses %s", (_, text, message) => {
  const { issues } = parseManifest(text);
  expect(issues.length).toBeGreaterThan(0);
  expect(issues.map((i) => i.message).join()).toMatch(message);
});

it("takes time in proportion to the text", () => {
  const long = `[${" ".repeat(1_000_000)}"${"x".repeat(1_000_000)}"${",".repeat(10_000)}`;
  const { issues } = parseManifest(long);
  expect(issues.length).toBeGreaterThan(0);
});
