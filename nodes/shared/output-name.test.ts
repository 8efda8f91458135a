import { expect, test } from "vitest";
import { outputName } from "./output-name.ts";

const said = (name: string): string[] => {
  const result = outputName("edit").safeParse(name);
  return result.success ? [] : result.error.issues.map((i) => i.message);
};

test("names below the output directory, in folders too; none is the node's own", () => {
  for (const name of ["a", "people/two/edit", "people\\edit", "a..b", "C", "é 日本", `${"x".repeat(200)}/${"y".repeat(200)}`])
    expect(said(name), name).toEqual([]);
  expect(outputName("edit").parse(undefined)).toBe("edit");
});

test("each that leads out or cannot be written is refused, and why", () => {
  for (const [name, why] of [
    ["/etc/passwd", /absolute/],
    ["\\share", /absolute/],
    ["C:/windows", /absolute/],
    ["z:x", /absolute/],
    ["../x", /leads out/],
    ["a/../../x", /leads out/],
    ["a\\..\\x", /leads out/],
    ["x".repeat(201), /200 characters/],
    [`a/${"x".repeat(201)}/b`, /200 characters/],
    ["a\nb", /control/],
    ["a\u007fb", /control/],
  ] as const)
    expect(said(name), JSON.stringify(name)).toEqual([expect.stringMatching(why)]);
  // An empty name is not called absolute.
  expect(said("")).toHaveLength(1);
  expect(said(`${"x".repeat(199)}/`.repeat(3))).toHaveLength(1);
});
