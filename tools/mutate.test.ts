import { expect, test } from "vitest";
import { mutantsOf, mutated } from "./mutate.ts";

const SOURCE = `// a < b in a comment
import { x } from "./x < y.ts";
interface Pair {
  readonly a: 0 | 1;
}
export function least(a: number, b: Map<string, number>): string {
  const text = "1 < 2";
  if (a < b.size && !text.match(/ < /)) return \`1 < 2\`;
  const [m = 0, n = 0] = b.shape;
  const [, k = 1] = shape;
  record(a ?? list[0] ?? 0, list[a] ?? 1);
  return String(a + 1);
}
`;

test("changes code, and neither comments, strings, regular expressions, imports nor types", () => {
  const texts = mutantsOf(SOURCE).map((m) => mutated(SOURCE, m));
  const lines = texts.map((text) => {
    const own = SOURCE.split("\n");
    const changed = text.split("\n").findIndex((line, k) => line !== own[k]);
    return text.split("\n")[changed]?.trim();
  });
  expect(lines).toEqual([
    "if (a <= b.size && !text.match(/ < /)) return `1 < 2`;",
    "if (a < b.size || !text.match(/ < /)) return `1 < 2`;",
    "",
    "record(a ?? list[1] ?? 0, list[a] ?? 1);",
    "return String(a - 1);",
    "return String(a + 2);",
  ]);
});
