import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { causalMask, mropePositions, mropeRotary, type Run } from "./mrope-positions.ts";

const Layout = z.array(z.union([z.tuple([z.literal("t"), z.number()]), z.tuple([z.literal("i"), z.number(), z.number()])]));
const Vectors = z.object({
  mrope_positions: z.array(z.object({ layout: Layout, positions: z.array(z.tuple([z.number(), z.number(), z.number()])) })),
});

test("3-D positions equal those of transformers", () => {
  const { mrope_positions: cases } = Vectors.parse(
    JSON.parse(readFileSync(join(import.meta.dirname, "../../../test/golden/vectors.json"), "utf8")),
  );
  expect(cases.length).toBeGreaterThan(1);
  for (const { layout, positions } of cases) {
    const runs: Run[] = layout.map((r) => (r[0] === "t" ? { kind: "text", length: r[1] } : { kind: "image", grid: { h: r[1], w: r[2] } }));
    const [t, h, w] = mropePositions(runs);
    expect(t.map((_, i) => [t[i], h[i], w[i]])).toEqual(positions);
  }
});

test("each pair turns with the axis of its section", () => {
  const { cos, sin } = mropeRotary([[3], [5], [7]], 8, [1, 1, 2], 100);
  const angles = [3, 5 * 100 ** (-1 / 4), 7 * 100 ** (-2 / 4), 7 * 100 ** (-3 / 4)];
  const expected = (f: (x: number) => number) => [...Float32Array.from([...angles, ...angles], f)];
  expect([...cos]).toEqual(expected(Math.cos));
  expect([...sin]).toEqual(expected(Math.sin));
});

test("a token sees itself and what came before", () => {
  expect([...causalMask(3)].map((x) => x === 0)).toEqual([true, false, false, true, true, false, true, true, true]);
});
