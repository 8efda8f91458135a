import { expect, test } from "vitest";
import { randomSource } from "../engine/base/random.ts";
import { type Rows, stageReport } from "./realism-stage.ts";

const ids = Array.from({ length: 24 }, (_, k) => `scene ${k}`);
const WATCHED = "reward.sum.realism";
const UNUSED = "reward.sum.priors.deviation";

/** A run whose pictures change by these means, with noise of 0.1; those of the second stage stand in another order. */
function run(seed: number, changes: Readonly<Record<string, number>>): Rows {
  const rng = randomSource(seed);
  const names = Object.keys(changes);
  const before = ids.map((_, k) => Object.fromEntries(names.map((name) => [name, 40 + 5 * (k % 4)])));
  const after = before.map((row) =>
    Object.fromEntries(names.map((name) => [name, (row[name] ?? 0) + (changes[name] ?? 0) + 0.1 * rng.normal()])),
  );
  return [
    { examples: ids, rows: before },
    { examples: ids.toReversed(), rows: after.toReversed() },
  ];
}
const report = (changes: Readonly<Record<string, number>>) =>
  stageReport(
    "with the guardrail",
    [0, 1, 2].map((seed) => run(seed, changes)),
  );

test("pictures are compared with themselves; nearer to real is said, and so is away from it, and nothing of what is only noise", () => {
  const text = report({
    [WATCHED]: 0.5,
    [`${UNUSED}.nyquist`]: -0.4,
    [`${UNUSED}.local_sd`]: 0.4,
    [`${UNUSED}.laplacian_0`]: 0,
    id_sim: 0,
  });
  const row = (label: string) => text.split("\n").find((line) => line.startsWith(`| ${label}`)) ?? "";
  expect(row("scorer that is only watched")).toMatch(/\+0\.(4|5).*towards real/);
  expect(row("nyquist")).toMatch(/towards real/);
  expect(row("local_sd")).toMatch(/away from real/);
  expect(row("laplacian_0")).toMatch(/\| {2}\|$/);
  expect(text).toContain("The watched scorer moves towards real; 1 of 3 unused statistics do (nyquist).");
  expect(text).toMatch(/ID-Sim by another encoder, within 0\.95: kept/);
});

test("identity that is lost, and one that cannot be told", () => {
  expect(report({ id_sim: -3 })).toMatch(/ID-Sim by another encoder, within 0\.95: lost/);
  expect(report({ id_sim: -0.95 })).toMatch(/ID-Sim by another encoder, within 0\.95: not decided/);
  expect(report({ "reward.sum.mimr_balanced": -0.5, id_sim: 0 })).toMatch(/MIMR by another encoder, within 0\.020: lost/);
  expect(report({ id_sim: 0 })).toContain("does not move towards real beyond its interval");
});
