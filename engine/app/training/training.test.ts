import { appendFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { curves as curvesSchema, samples as samplesSchema } from "../../api/training.ts";
import { readCurves, readSamples } from "./read-training.ts";
import { groupOf, TrainingLog } from "./training-log.ts";

let dir = "";
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "training-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const lines = (from: number, to: number, more: (step: number) => object = () => ({})): string =>
  Array.from({ length: to - from + 1 }, (_, i) => `${JSON.stringify({ step: from + i, loss: 1 / (from + i), ...more(from + i) })}\n`).join(
    "",
  );
const metrics = () => join(dir, "metrics.jsonl");
const asked = { after: 0, total: 10, isRunning: true, alarms: [], settings: { rank: 8 } };

test("curves are read on from where the last reading ended; a torn line waits for its end", async () => {
  const log = new TrainingLog(dir);
  expect(await readCurves(log, asked)).toMatchObject({ curves: [], updates: { done: 0, total: 10 }, best: null });
  writeFileSync(metrics(), `${lines(1, 3, (s) => ({ lr: 1e-5, grad_norm: null, "held_out.reward": s === 2 ? 0.7 : 0.6 }))}{"step":4,"lo`);
  const first = curvesSchema.parse(await readCurves(log, asked));
  expect(first.curves.find((c) => c.name === "loss")).toEqual({
    name: "loss",
    group: "loss",
    isHeldOut: false,
    x: [1, 2, 3],
    y: [1, 0.5, 1 / 3],
  });
  expect(first.curves.find((c) => c.name === "grad_norm")).toMatchObject({ group: "gradient", y: [null, null, null] });
  expect(first).toMatchObject({ updates: { done: 3 }, best: { update: 2, value: 0.7 }, settings: { rank: 8 } });
  appendFileSync(metrics(), 'ss":9}\n');
  const more = await readCurves(log, { ...asked, after: 3 });
  expect(more.curves.find((c) => c.name === "loss")).toMatchObject({ x: [4], y: [9] });
});

test("a resumed run drops lines: they are forgotten, and repeated", async () => {
  const log = new TrainingLog(dir);
  writeFileSync(metrics(), lines(1, 6));
  await readCurves(log, asked);
  rmSync(metrics());
  writeFileSync(
    metrics(),
    lines(1, 4, () => ({ loss: 7 })),
  );
  const { curves, updates } = await readCurves(log, asked);
  expect(curves.find((c) => c.name === "loss")).toMatchObject({ x: [1, 2, 3, 4], y: [7, 7, 7, 7] });
  expect(updates.done).toBe(4);
});

test("what is left follows from the last updates and the samplings; nothing is told when it does not run", async () => {
  writeFileSync(metrics(), lines(1, 4));
  writeFileSync(
    join(dir, "timings.jsonl"),
    [40, 2, 2, 2].map((seconds, i) => `${JSON.stringify({ step: i + 1, seconds, sampling: i === 3 ? 3 : 0, rss: 1 })}\n`).join(""),
  );
  expect((await readCurves(new TrainingLog(dir), asked)).secondsLeft).toBe(6 * 3);
  expect((await readCurves(new TrainingLog(dir), { ...asked, isRunning: false, alarms: [] })).secondsLeft).toBeNull();
});

test("samples have a row for each seed; other files are no samples", async () => {
  mkdirSync(join(dir, "train-1", "samples"), { recursive: true });
  for (const name of [
    "0-step-000010.png",
    "0-step-000000.png",
    "0-reference-1.png",
    "0-reference-0.png",
    "0-target.png",
    "1-step-000010.png",
    "x.txt",
  ])
    writeFileSync(join(dir, "train-1", "samples", name), "");
  const { samples } = samplesSchema.parse(await readSamples(dir, "train-1"));
  expect(samples.map((s) => [s.row, s.kind, s.update, s.file.filename])).toEqual([
    [0, "reference", null, "0-reference-0.png"],
    [0, "reference", null, "0-reference-1.png"],
    [0, "target", null, "0-target.png"],
    [0, "sample", 0, "0-step-000000.png"],
    [0, "sample", 10, "0-step-000010.png"],
    [1, "sample", 10, "1-step-000010.png"],
  ]);
  expect(samples[0]?.file.subfolder).toBe("train-1/samples");
  expect(await readSamples(dir, "nowhere")).toEqual({ samples: [] });
});

test("every number a training writes has its chart", () => {
  expect(
    Object.fromEntries(
      [
        "reward",
        "held_out.reward.mimr",
        "loss_pretrain",
        "grad_norm",
        "lr",
        "seconds",
        "reward_skipped",
        "reward.mimr.faces_found",
        "reward_slope",
        "psnr",
        "new",
      ].map((n) => [n, groupOf(n)]),
    ),
  ).toEqual({
    reward: "reward",
    "held_out.reward.mimr": "reward",
    loss_pretrain: "loss",
    grad_norm: "gradient",
    lr: "schedule",
    seconds: "cost",
    reward_skipped: "other",
    "reward.mimr.faces_found": "other",
    reward_slope: "gradient",
    psnr: "reward",
    new: "other",
  });
});
