import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { calculateDimensions } from "../../shared/pictures/resize/size.ts";
import { scaleToArea } from "./scale-to-area.ts";

const Pair = z.tuple([z.number(), z.number()]);
const Vectors = z.object({
  calculate_dimensions: z.array(z.object({ area: z.number(), w: z.number(), h: z.number(), out: Pair })),
  comfy_plus: z.array(z.object({ w: z.number(), h: z.number(), vl: Pair, vae: Pair })),
});
const vectors = Vectors.parse(JSON.parse(readFileSync(join(import.meta.dirname, "../../../test/golden/vectors.json"), "utf8")));

test("diffusers' dimensions", () => {
  for (const { area, w, h, out } of vectors.calculate_dimensions)
    expect(calculateDimensions(area, { width: w, height: h }), `${w}x${h}`).toEqual({ width: out[0], height: out[1] });
});

test("sizes of ComfyUI's Plus node", () => {
  for (const { w, h, vl, vae } of vectors.comfy_plus) {
    expect(scaleToArea(384 * 384, { width: w, height: h }), `${w}x${h}`).toEqual({ width: vl[0], height: vl[1] });
    expect(scaleToArea(1024 * 1024, { width: w, height: h }, 8), `${w}x${h}`).toEqual({ width: vae[0], height: vae[1] });
  }
});

test("tiny areas keep at least one step", () => {
  expect(calculateDimensions(64, { width: 10, height: 10 })).toEqual({ width: 32, height: 32 });
  expect(scaleToArea(16, { width: 1000, height: 1 }, 8)).toEqual({ width: 128, height: 8 });
});
