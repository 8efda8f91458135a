import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { f32 } from "../../../../engine/tensor/tensor.ts";
import { areaResize } from "./area.ts";
import { bicubicResize } from "./bicubic.ts";
import { bilinearResize } from "./bilinear.ts";
import { cubicResize } from "./cubic.ts";
import { lanczosResize } from "./lanczos.ts";
import { nearestExactResize } from "./nearest-exact.ts";

const numbers = z.array(z.number());
const golden = z
  .object({
    cases: z.array(z.object({ h: z.number(), w: z.number(), height: z.number(), width: z.number(), out: z.record(z.string(), numbers) })),
  })
  .parse(JSON.parse(readFileSync(new URL("../../../../test/golden/resize.json", import.meta.url), "utf8")));

/** The picture the golden file was made from. */
function picture(h: number, w: number) {
  const data = new Float32Array(h * w * 3);
  let at = 0;
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) for (let c = 0; c < 3; c++) data[at++] = ((37 * x * x + 101 * y + 59 * c + 13 * x * y) % 256) / 255;
  return f32([1, h, w, 3], data);
}

const METHODS = {
  area: { resize: areaResize, error: 2e-6 },
  bilinear: { resize: bilinearResize, error: 2e-6 },
  cubic: { resize: cubicResize, error: 4e-6 },
  "nearest-exact": { resize: nearestExactResize, error: 1e-6 },
};

describe.each(golden.cases)("$h × $w to $height × $width", ({ h, w, height, width, out }) => {
  test.each(Object.entries({ lanczos: lanczosResize, bicubic: bicubicResize }))("%s is Pillow's, bit for bit", (name, resize) => {
    const got = resize(picture(h, w), { width, height });
    expect(got.shape).toEqual([1, height, width, 3]);
    expect([...got.data].map((v) => Math.round(v * 255))).toEqual(out[name]);
  });
  test.each(Object.entries(METHODS))("%s is torch's", (name, { resize, error }) => {
    const got = resize(picture(h, w), { width, height });
    expect(got.shape).toEqual([1, height, width, 3]);
    const worst = Math.max(...(out[name] ?? []).map((v, i) => Math.abs(v - (got.data[i] ?? Number.NaN))));
    expect(worst).toBeLessThan(error);
  });
});

const ALL = [areaResize, bilinearResize, cubicResize, nearestExactResize, lanczosResize, bicubicResize];

test("the same size gives the same picture, and pictures of a batch do not mix", () => {
  const [a, b] = [picture(6, 5), f32([1, 6, 5, 3], new Float32Array(90).fill(0.2))];
  const both = f32([2, 6, 5, 3], [...a.data, ...b.data]);
  for (const resize of ALL) {
    expect(resize(a, { width: 5, height: 6 }).data).toEqual(a.data);
    const pair = resize(both, { width: 4, height: 9 }).data;
    expect([...pair.subarray(0, 108)]).toEqual([...resize(a, { width: 4, height: 9 }).data]);
    expect([...pair.subarray(108)]).toEqual([...resize(b, { width: 4, height: 9 }).data]);
  }
});

test("sizes that are none are refused", () => {
  for (const resize of ALL) {
    for (const size of [0, -1, 1.5, Number.NaN, 2 ** 40])
      expect(() => resize(picture(2, 2), { width: size, height: 1 })).toThrow(expect.objectContaining({ code: "IMAGE_SIZE" }));
    expect(() => resize(f32([2, 2, 3], new Float32Array(12)), { width: 1, height: 1 })).toThrow(
      expect.objectContaining({ code: "IMAGE_SHAPE" }),
    );
  }
});
