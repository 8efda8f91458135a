import { expect, test } from "vitest";
import { fakeDataset } from "../../test/fake-diffusion.ts";
import { trainFake } from "../../test/train-fake.ts";
import type { Reward } from "../shared/contracts/modules.ts";

const mean = (id: string, sign: 1 | -1): Reward => ({
  id,
  name: id,
  observe: () => Promise.resolve({ structure: "", constants: {}, info: {} }),
  build: (b, image) => {
    const brightness = b.mean(image, [], false);
    return { reward: sign === 1 ? brightness : b.neg(brightness), parts: { brightness } };
  },
});
const asked = {
  reward: mean("bright", 1),
  watched: mean("dark", -1),
  dataset: fakeDataset(5, 4),
  samples: 1,
  lambda: 0,
  learning_rate: 0.1,
  steps: 12,
  sample_every: 2,
};

test("a run whose reward is paid for with the watched one is warned, or ended", async () => {
  const { logs, directories } = await trainFake(asked);
  expect(logs.join("\n")).toMatch(/warn: the reward is being fooled/);
  const metrics = [...directories.values()].flatMap((dir) => new TextDecoder().decode(dir.files.get("metrics.jsonl")).trim().split("\n"));
  const last: Record<string, number> = JSON.parse(metrics.at(-1) ?? "{}");
  expect(last["held_out.watched"]).toBeCloseTo(-(last["held_out.reward"] ?? 0), 5);
  expect(last["held_out.watched.brightness"]).toBeCloseTo(last["held_out.reward"] ?? 0, 5);
  await expect(trainFake({ ...asked, on_trouble: "stop" })).rejects.toMatchObject({
    code: "TRAIN_WATCH",
    message: expect.stringMatching(/being fooled/),
  });
});

test("what is watched changes nothing that is trained", async () => {
  const [with_, without] = [await trainFake(asked), await trainFake({ ...asked, watched: undefined })];
  expect(with_.lora.adapters).toEqual(without.lora.adapters);
  expect([...with_.directories.keys()]).toEqual([...without.directories.keys()]);
  expect(without.logs.join()).not.toMatch(/fooled/);
  const alike = await trainFake({ ...asked, watched: mean("bright", 1) });
  expect(alike.logs.join()).not.toMatch(/fooled/);
});

test("projection: an objective that only opposes its guard changes nothing, one that does not is followed", async () => {
  const weak: Reward = { ...mean("weak", 1), build: (b, image) => ({ reward: b.mul(b.mean(image, [], false), 1e-3), parts: {} }) };
  const base = { ...asked, watched: undefined, steps: 12, guardrail: "projection" } as const;
  const opposed = await trainFake({ ...base, reward: mean("dark", -1), constraint: weak });
  const rows = [...opposed.directories.values()]
    .flatMap((dir) => new TextDecoder().decode(dir.files.get("metrics.jsonl")).trim().split("\n"))
    .map((l): Record<string, number> => JSON.parse(l));
  for (const row of rows) {
    expect(row.gradient_cosine).toBeCloseTo(-1, 4);
    expect(row["reward.objective"]).toBeLessThan(0);
    expect(row["reward.constraint"]).toBeGreaterThan(0);
  }
  const last = (run: typeof opposed) => {
    const lines = [...run.directories.values()].flatMap((dir) =>
      new TextDecoder().decode(dir.files.get("metrics.jsonl")).trim().split("\n"),
    );
    const numbers: Record<string, number> = JSON.parse(lines.at(-1) ?? "{}");
    return numbers;
  };
  // What is left is the guard's own pull: pictures get brighter, where the objective alone makes them darker.
  const free = await trainFake({ ...base, reward: mean("dark", -1), constraint: undefined });
  expect(-(last(opposed)["held_out.reward.objective"] ?? 0)).toBeGreaterThan(1e-3 - (last(free)["held_out.reward"] ?? 0));
});
