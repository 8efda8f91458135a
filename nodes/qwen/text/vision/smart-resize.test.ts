import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { smartResize } from "./smart-resize.ts";

const Vectors = z.object({ smart_resize: z.array(z.object({ h: z.number(), w: z.number(), out: z.tuple([z.number(), z.number()]) })) });
const file = join(import.meta.dirname, "../../../../test/golden/vectors.json");

test("sizes equal those of transformers", () => {
  const { smart_resize: cases } = Vectors.parse(JSON.parse(readFileSync(file, "utf8")));
  expect(cases.length).toBeGreaterThan(5);
  for (const { h, w, out } of cases) expect(smartResize(h, w), `${w}x${h}`).toEqual({ height: out[0], width: out[1] });
});

test("a strip is refused, the limit itself is not", () => {
  expect(() => smartResize(10, 2001)).toThrow(expect.objectContaining({ code: "VISION_ASPECT" }));
  expect(() => smartResize(0, 10)).toThrow(expect.objectContaining({ code: "VISION_ASPECT" }));
  expect(smartResize(20, 4000)).toEqual({ height: 28, width: 4004 });
});
