import { expect, test } from "vitest";
import { randomSource } from "../../engine/base/random.ts";
import { createRuntime } from "../../engine/ort/runtime.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { fakeFace } from "../../test/fake-faces.ts";
import type { Image } from "../shared/contracts/data.ts";
import type { FaceDetector } from "../shared/contracts/modules.ts";
import { facePixels, windowPixels } from "../shared/realism/face-pixels.ts";
import { readReward } from "../shared/rewards/read-reward.ts";
import { type PriorsOptions, priorsReward } from "./realism-priors.ts";
import { bandRow, bandRows, deviation, type MeasuredFace, parseBands, type RealismBands, realShareBeyond } from "./statistics/bands.ts";
import { measureWindow } from "./statistics/measure-window.ts";
import { parseStatistics, STATISTIC_NAMES, STATISTICS } from "./statistics/names.ts";

const runtime = createRuntime({ device: "cpu" });
const [H, W] = [80, 120];
const face = fakeFace(60, 40, 50);
const detector: FaceDetector = { id: "one", detect: async () => [face] };
const none: FaceDetector = { id: "none", detect: async () => [] };

/** Shaded noise of a texture that is the same for every seed. */
function textured(seed: number, strength = 0.03): Image {
  const rng = randomSource(seed);
  const data = new Float32Array(H * W * 3);
  for (let i = 0; i < H * W; i++) {
    const grey = 0.5 + 0.2 * Math.sin((i % W) / 9) + strength * rng.normal();
    for (let c = 0; c < 3; c++) data[3 * i + c] = grey + 0.02 * c + 0.3 * strength * rng.normal();
  }
  return f32([1, H, W, 3], data);
}

async function measured(image: Image): Promise<MeasuredFace> {
  const [pixels] = facePixels(image, [face], 24);
  if (!pixels) throw new Error("no face");
  return measureWindow(runtime, windowPixels(image, pixels.window), pixels.mask);
}

const faces: MeasuredFace[] = [];
for (let seed = 0; seed < 12; seed++) faces.push(await measured(textured(seed)));
const bands: RealismBands = { id: "test", format: "realism-bands-1", about: "", sources: [], sizes: bandRows(faces) };
const every: PriorsOptions = {
  statistics: new Map(STATISTIC_NAMES.map((name) => [name, 1])),
  sigmaMax: 0.25,
  minSize: 24,
  maxFaces: 2,
  facesFrom: "detected",
  band: 1,
};
const context = { compute: runtime, references: null, target: null };

test("the reward is minus the mean of the penalties, by hand", async () => {
  const image = textured(99, 0.005);
  const reading = await readReward(
    runtime,
    priorsReward(detector, bands, {
      ...every,
      statistics: new Map([
        ["local_sd", 3],
        ["nyquist", 1],
      ]),
    }),
    image,
    context,
  );
  const own = await measured(image);
  const penalty = (name: "local_sd" | "nyquist") => {
    const { mu, s } = bandRow(bands, own.side).statistics[name];
    return Math.max(0, deviation(STATISTICS[name].side, ((own.values.get(name) ?? 0) - mu) / s) - 1) ** 2;
  };
  const wanted = -(3 * penalty("local_sd") + penalty("nyquist")) / 4;
  expect(wanted).toBeLessThan(-1);
  expect(Math.abs((reading.reward ?? 0) / wanted - 1)).toBeLessThan(1e-3);
  expect(reading.parts["penalty.local_sd"]).toBeCloseTo(penalty("local_sd"), 1);
  expect(reading.parts["deviation.local_sd"]).toBeCloseTo(1 + Math.sqrt(penalty("local_sd")), 2);
  expect(reading.info).toMatchObject({ faces: 1, sides: [48], sigma: 0, sigma_max: 0.25, active: 1 });
  const strict = priorsReward(detector, bands, { ...every, band: 0, statistics: new Map([["local_sd", 1]]) });
  const { reward = 0 } = await readReward(runtime, strict, image, context);
  expect(reward / -((1 + Math.sqrt(penalty("local_sd"))) ** 2)).toBeCloseTo(1, 2);
});

test("a picture like the real ones costs next to nothing, a smooth one and a noisy one cost much", async () => {
  const at = async (strength: number) =>
    (await readReward(runtime, priorsReward(detector, bands, every), textured(50, strength), context)).reward ?? Number.NaN;
  const [smooth, alike, noisy] = [await at(0.003), await at(0.03), await at(0.1)];
  expect(alike).toBeGreaterThan(-5);
  expect(smooth).toBeLessThan(10 * alike - 20);
  expect(noisy).toBeLessThan(10 * alike - 20);
});

test("the gradient to the pixels is that of central differences, and none flows outside the window", async () => {
  const reward = priorsReward(detector, bands, {
    ...every,
    statistics: new Map([
      ["local_sd", 1],
      ["psd_slope", 1],
    ]),
  });
  const image = textured(7, 0.012);
  const { gradient = new Float32Array() } = await readReward(runtime, reward, image, context, { gradient: true });
  const rng = randomSource(2);
  const direction = image.data.map((_, i) => {
    const [x, y] = [Math.floor(i / 3) % W, Math.floor(i / 3 / W)];
    return x >= 36 && x < 84 && y >= 16 && y < 64 ? rng.normal() : 0;
  });
  const at = async (step: number) =>
    (
      await readReward(
        runtime,
        reward,
        f32(
          image.shape,
          image.data.map((p, i) => p + step * (direction[i] ?? 0)),
        ),
        context,
      )
    ).reward ?? 0;
  const slope = gradient.reduce((s, g, i) => s + g * (direction[i] ?? 0), 0);
  const difference = ((await at(2e-4)) - (await at(-2e-4))) / 4e-4;
  expect(Math.abs(slope)).toBeGreaterThan(1);
  expect(Math.abs(slope / difference - 1)).toBeLessThan(0.02);
  expect(Array.from(gradient).every((g, i) => g === 0 || direction[i] !== 0)).toBe(true);
});

test("above sigma_max it is 0 without a gradient, and says so", async () => {
  const reward = priorsReward(detector, bands, every);
  const reading = await readReward(runtime, reward, textured(1, 0.003), { ...context, sigma: 0.3 }, { gradient: true });
  expect(reading).toMatchObject({ reward: 0, info: { sigma: 0.3, active: 0 } });
  expect(reading.gradient).toBeUndefined();
  expect((await readReward(runtime, reward, textured(1, 0.003), { ...context, sigma: 0.2 })).reward).toBeLessThan(-1);
});

test("no face: skipped; with faces from the target no detector is asked", async () => {
  const image = textured(3);
  expect((await readReward(runtime, priorsReward(none, bands, every), image, context)).skip).toMatch(/no face of at least 24/);
  const target = { image: f32([1, H / 2, W / 2, 3], new Float32Array((H * W * 3) / 4)), faces: [fakeFace(30, 20, 25)] };
  const reading = await readReward(runtime, priorsReward(none, bands, { ...every, facesFrom: "target" }), image, { ...context, target });
  expect(reading.info).toMatchObject({ faces: 1, sides: [48] });
});

test("bands: sides with few faces are left out, quantiles give the share of real ones beyond, files are checked", () => {
  expect(bandRows(faces.slice(0, 7))).toEqual([]);
  const row = bandRow(bands, 300);
  expect(row.side).toBe(48);
  const name = "flat_gradient";
  const about = row.statistics[name];
  expect(realShareBeyond(name, about, about.mu)).toBeGreaterThan(0.9);
  expect(realShareBeyond(name, about, about.mu + 100)).toBe(0);
  expect(realShareBeyond("highlights", row.statistics.highlights, -1)).toBe(1);
  const { id: _, ...file } = bands;
  expect(parseBands(new TextEncoder().encode(JSON.stringify(file)), "x.json")).toEqual(file);
  expect(() => parseBands(new TextEncoder().encode("{"), "x.json")).toThrow(/x\.json is no file of realism bands/);
  expect(() => parseBands(new TextEncoder().encode(JSON.stringify({ ...file, sizes: [{ ...row, faces: 0 }] })), "x.json")).toThrow(
    /sizes\.0\.faces/,
  );
});

test("lists of statistics", () => {
  expect(parseStatistics("nyquist, local_sd:2")).toEqual(
    new Map([
      ["nyquist", 1],
      ["local_sd", 2],
    ]),
  );
  for (const wrong of ["", "sharpness", "nyquist, nyquist", "nyquist:-1", "nyquist:a", "nyquist:1:2"])
    expect(parseStatistics(wrong)).toBeUndefined();
});
