import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { createRuntime } from "../../engine/ort/runtime.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { fakeContext } from "../../test/fake-context.ts";
import { fakeFace } from "../../test/fake-faces.ts";
import { decodePicture } from "../shared/pictures/codec.ts";
import { imageOfBytes } from "../shared/pictures/picture-bytes.ts";
import realismReport from "./realism-report.ts";
import { parseBands } from "./statistics/bands.ts";
import { STATISTIC_NAMES } from "./statistics/names.ts";

const root = join(import.meta.dirname, "../..");
const bytes = readFileSync(join(root, "models/realism/photographs.json"));
const bands = { id: "photographs", ...parseBands(bytes, "photographs.json") };
const { rgb, width, height } = await decodePicture(readFileSync(join(root, "graphs/input/astronaut.jpg")), "astronaut.jpg");
const photograph = imageOfBytes(rgb, width, height);
const face_detector = { id: "one", detect: async () => [fakeFace(222, 115, 110), fakeFace(20, 20, 20)] };
const asked = { face_detector, bands, scorer: undefined, min_size: 64, prefix: "report" };
const Report = z.object({
  faces: z.array(
    z.object({
      side: z.number(),
      outside: z.array(z.string()),
      statistics: z.record(z.string(), z.object({ z: z.number(), real_share_beyond: z.number() })),
    }),
  ),
  priors: z.number(),
});

test("a photograph's face lies in most bands; smoothed, it does not; picture and JSON are saved", async () => {
  const ctx = fakeContext(createRuntime({ device: "cpu" }));
  const { report, METRICS } = await realismReport.run({ ...asked, image: photograph }, ctx, {});
  expect(report.shape).toEqual([1, 512, 1024, 3]);
  expect([...ctx.saved.keys()].sort()).toEqual(["realism-report_00001_.png", "report.json", "report.png"]);
  const { faces, priors } = Report.parse(JSON.parse(new TextDecoder().decode(ctx.saved.get("report.json"))));
  expect(faces).toHaveLength(1);
  expect(faces[0]?.side).toBe(96);
  expect(Object.keys(faces[0]?.statistics ?? {})).toEqual(STATISTIC_NAMES);
  expect(METRICS.values.priors).toBe(priors);
  expect(ctx.logs.join()).toMatch(/1 of 2 faces are too small/);
  expect(JSON.stringify(ctx.shown)).toMatch(/of real faces beyond/);

  const smooth = photograph.data.map((_, i) => {
    let [sum, n] = [0, 0];
    for (const dy of [-2, -1, 0, 1, 2])
      for (const dx of [-2, -1, 0, 1, 2]) {
        sum += photograph.data[i + 3 * (dy * width + dx)] ?? 0;
        n++;
      }
    return sum / n;
  });
  const other = fakeContext(createRuntime({ device: "cpu" }));
  await realismReport.run({ ...asked, image: f32(photograph.shape, smooth) }, other, {});
  const after = Report.parse(JSON.parse(new TextDecoder().decode(other.saved.get("report.json"))));
  expect(after.faces[0]?.outside.length).toBeGreaterThan(faces[0]?.outside.length ?? 99);
  expect(after.faces[0]?.statistics.nyquist?.real_share_beyond).toBeLessThan(0.1);
  expect(after.priors).toBeLessThan(priors - 1);
});

test("no face: a warning, and a report without faces", async () => {
  const ctx = fakeContext(createRuntime({ device: "cpu" }));
  const { METRICS } = await realismReport.run(
    { ...asked, face_detector: { id: "none", detect: async () => [] }, image: photograph },
    ctx,
    {},
  );
  expect(METRICS.values).toEqual({ faces: 0, outside: 0 });
  expect(ctx.logs.join()).toMatch(/nothing to report on/);
});
