import { readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { expect, it } from "vitest";
import { z } from "zod";
import { createRuntime } from "../../engine/ort/runtime.ts";
import { faceModels } from "../../test/face-models.ts";
import { openFaceWeights } from "./face-weights.ts";
import { buildFaceRes } from "./faceres-net.ts";
import { squareNet } from "./square-net.ts";

const folder = join(import.meta.dirname, "../../test/golden/faces");
const Vector = z.array(z.number()).length(1024);
const golden = z
  .object({ formula: Vector, hopper: Vector })
  .parse(JSON.parse(readFileSync(join(folder, "faceres-reference.json"), "utf8")));

it("says what the original says in tfjs, but for the rounding of its filters to 8 bits", async () => {
  const weights = await openFaceWeights(faceModels, "faceres1024.safetensors", "faceres-1024");
  const look = await squareNet(224, (b, x) => ({ out: buildFaceRes(b, weights, x) })).open(createRuntime({ device: "cpu" }));
  const formula = Float32Array.from({ length: 224 * 224 * 3 }, (_, i) => {
    const [c, x, y] = [i % 3, Math.floor(i / 3) % 224, Math.floor(i / 672)];
    return 0.5 + 0.5 * Math.sin(0.09 * x * (c + 1) + 0.07 * y + 1e-3 * x * y);
  });
  const hopper = await sharp(join(folder, "grace-hopper.jpg"))
    .extract({ left: 150, top: 110, width: 224, height: 224 })
    .removeAlpha()
    .raw()
    .toBuffer();
  const means = [123.68, 116.779, 103.939];
  for (const [pixels, expected] of [
    [formula, golden.formula],
    [Float32Array.from(hopper, (x) => x / 255), golden.hopper],
  ] as const) {
    // The reference was given the raw numbers as the three channels; our network turns RGB into blue, green, red less their means.
    const undone = pixels.map((_, i) => (pixels[i + 2 - 2 * (i % 3)] ?? 0) + (means[i % 3] ?? 0) / 255);
    const found = (await look(undone))("out");
    const dot = expected.reduce((sum, x, i) => sum + x * (found[i] ?? Number.NaN), 0);
    const cosine = dot / (Math.hypot(...expected) * Math.hypot(...found));
    expect(cosine).toBeGreaterThan(0.999);
    expect(Math.hypot(...found) / Math.hypot(...expected)).toBeCloseTo(1, 1);
  }
});
