// kill -9 at random moments of a training, and Ctrl-C: resumed, it ends with the bytes of the run that nobody disturbed.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { randomSource } from "../../engine/base/random.ts";
import { readSafetensors } from "../../engine/formats/safetensors.ts";
import { prepare, results, runFolder, STEPS, startTraining, type TrainRun, updatesMade } from "./train-run.ts";

const KILLS = Number(process.env.KILLS ?? 4);
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "train-"));
  prepare(folder);
  const whole = startTraining(folder, "whole");
  expect(await whole.ended, whole.text()).toBe(0);
  expect(updatesMade(folder, "whole")).toBe(STEPS);
}, 600_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test(`${KILLS} kills, resumed: checkpoint, metrics and samples are those of the undisturbed run`, {
  timeout: 120_000 + KILLS * 60_000,
}, async () => {
  const random = randomSource(Number(process.env.KILL_SEED ?? 11));
  const whole = results(folder, "whole");
  expect([...whole.keys()]).toEqual([
    "checkpoint.safetensors",
    "checkpoints/checkpoint-best.safetensors",
    "checkpoints/lora-best.safetensors",
    "config.json",
    "metrics.jsonl",
    "samples/0-reference-0.png",
    "samples/0-reference-1.png",
    "samples/0-step-000000.png",
    "samples/0-step-000003.png",
    "samples/0-step-000006.png",
    "samples/0-step-000009.png",
    "samples/0-target.png",
    "samples/scores.json",
    "samples/sheet.html",
  ]);
  let kills = 0;
  let inTraining = 0;
  for (let run = 0; kills < KILLS; run++) {
    const name = `killed-${run}`;
    // One run is killed a few times, then left alone; runs follow until there were enough kills.
    for (let left = Math.min(KILLS - kills, 3 + random.below(4)); left > 0; left--) {
      const before = updatesMade(folder, name);
      const training = startTraining(folder, name);
      const killed = await killAtRandom(training, name, before, random);
      if (!killed) break;
      kills++;
      if (updatesMade(folder, name) > 0) inTraining++;
    }
    const last = startTraining(folder, name);
    expect(await last.ended, last.text()).toBe(0);
    expect(results(folder, name)).toEqual(whole);
  }
  expect(inTraining, "kills must hit trainings under way").toBeGreaterThan(KILLS / 2);
});

/** Kills soon after some more updates, or at its start. @returns false when it ended before */
async function killAtRandom(
  { child, ended }: TrainRun,
  name: string,
  before: number,
  random: ReturnType<typeof randomSource>,
): Promise<boolean> {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  const early = random.uniform() < 0.2;
  const updates = random.below(4);
  const delay = random.uniform() * (early ? 1200 : 250);
  // A resumed run first drops lines, so the count is looked at as a change.
  while (!early && !over && updatesMade(folder, name) - Math.min(before, updatesMade(folder, name)) < updates) await pause(4);
  await pause(delay);
  if (over || child.pid === undefined) return false;
  // Sometimes the whole group (a machine that goes down), sometimes the process the user sees alone.
  process.kill(random.uniform() < 0.5 ? -child.pid : child.pid, "SIGKILL");
  await ended;
  return true;
}

test("Ctrl-C finishes the update, checkpoints and exits with 4; --resume goes on to the same end", { timeout: 300_000 }, async () => {
  const name = "stopped";
  const training = startTraining(folder, name);
  while (updatesMade(folder, name) < 2) await pause(5);
  training.child.kill("SIGINT");
  expect(await training.ended, training.text()).toBe(4);
  const made = updatesMade(folder, name);
  expect(made).toBeLessThan(STEPS);
  const { metadata } = readSafetensors(readFileSync(join(runFolder(folder, name) ?? "", "checkpoint.safetensors")));
  expect(metadata.step).toBe(String(made));
  const rest = startTraining(folder, name, "--resume");
  expect(await rest.ended, rest.text()).toBe(0);
  expect(rest.text()).toContain(`continues after update ${made} of ${STEPS}`);
  expect(results(folder, name)).toEqual(results(folder, "whole"));
});

test("--resume refuses to start anew", async () => {
  const training = startTraining(folder, "nothing", "--resume");
  expect(await training.ended).toBe(3);
  expect(training.text()).toContain("TRAIN_RESUME");
});
