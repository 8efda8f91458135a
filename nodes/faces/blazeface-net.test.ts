import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { createRuntime } from "../../engine/ort/runtime.ts";
import { faceModels } from "../../test/face-models.ts";
import { decodeBlazeFace } from "./blazeface-decode.ts";
import { buildBlazeFace } from "./blazeface-net.ts";
import { openFaceWeights } from "./face-weights.ts";
import { squareNet } from "./square-net.ts";

const golden = z
  .object({ scores: z.array(z.number()).length(896), boxes: z.record(z.string(), z.array(z.number()).length(16)) })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, "../../test/golden/faces/blazeface-reference.json"), "utf8")));

it("says what the original says in tfjs", async () => {
  const weights = await openFaceWeights(faceModels, "blazeface.safetensors", "blazeface-back");
  const look = await squareNet(256, (b, x) => buildBlazeFace(b, weights, x)).open(createRuntime({ device: "cpu" }));
  const pixels = Float32Array.from({ length: 256 * 256 * 3 }, (_, i) => {
    const [c, x, y] = [i % 3, Math.floor(i / 3) % 256, Math.floor(i / 768)];
    return 0.5 + 0.5 * Math.sin(0.09 * x * (c + 1) + 0.07 * y + 1e-3 * x * y);
  });
  const outputs = await look(pixels);
  const scores = outputs("scores");
  const boxes = outputs("boxes");
  expect(Math.max(...golden.scores.map((s, i) => Math.abs(s - (scores[i] ?? Number.NaN))))).toBeLessThan(1e-3);
  for (const [row, values] of Object.entries(golden.boxes))
    values.forEach((v, k) => {
      expect(Math.abs(v - (boxes[Number(row) * 16 + k] ?? Number.NaN))).toBeLessThan(1e-3);
    });
});

describe("decodeBlazeFace", () => {
  it("puts anchors of both grids in their cells", () => {
    const scores = new Float32Array(896).fill(-20);
    const boxes = new Float32Array(896 * 16);
    const small = (5 * 16 + 3) * 2 + 1;
    const large = 512 + (2 * 8 + 7) * 6 + 4;
    scores[small] = 20;
    scores[large] = 0;
    boxes.set([12.8, -25.6, 51.2, 25.6, 256, 0], small * 16);
    boxes.set([0, 0, 128, 128], large * 16);
    const [first, second, ...rest] = decodeBlazeFace(scores, boxes, 0.4);
    expect(rest).toEqual([]);
    expect(first?.score).toBeCloseTo(1, 6);
    const [x, y] = [3.5 / 16, 5.5 / 16];
    [x + 0.05 - 0.1, y - 0.1 - 0.05, x + 0.05 + 0.1, y - 0.1 + 0.05].forEach((v, i) => {
      expect(first?.box[i]).toBeCloseTo(v, 6);
    });
    expect(first?.keypoints[0]).toEqual([expect.closeTo(x + 1, 6), expect.closeTo(y, 6)]);
    expect(second?.score).toBeCloseTo(0.5, 6);
    [7.5 / 8 - 0.25, 2.5 / 8 - 0.25, 7.5 / 8 + 0.25, 2.5 / 8 + 0.25].forEach((v, i) => {
      expect(second?.box[i]).toBeCloseTo(v, 6);
    });
  });

  it("passes over scores that are not numbers", () => {
    expect(decodeBlazeFace(new Float32Array(896).fill(Number.NaN), new Float32Array(896 * 16), 0.1)).toEqual([]);
  });
});
