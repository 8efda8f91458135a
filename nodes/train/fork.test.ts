import { expect, test } from "vitest";
import { fakeDataset } from "../../test/fake-diffusion.ts";
import type { MemoryDirectory } from "../../test/memory-directory.ts";
import { trainFake } from "../../test/train-fake.ts";
import type { TrainInputs } from "./train-options.ts";

const text = (dir: MemoryDirectory | undefined, file: string) => new TextDecoder().decode(dir?.files.get(file));
const steps = (dir: MemoryDirectory | undefined) =>
  text(dir, "metrics.jsonl")
    .split("\n")
    .flatMap((line) => (line === "" ? [] : [JSON.parse(line).step]));

/** A finished run of three updates, and a second one in the same output directory. */
async function after(changes: Partial<TrainInputs>, first: Partial<TrainInputs> = {}) {
  const { directories, lora } = await trainFake({ steps: 3, ...first });
  const [source = ""] = directories.keys();
  const second = (more: Partial<TrainInputs> = {}) => trainFake({ steps: 3, ...first, ...changes, ...more }, { directories });
  const own = () => [...directories].find(([name]) => name !== source) ?? ["", undefined];
  return { directories, source, lora, second, own };
}

test("another setting in the same output directory: which run lies there, what differs, and how to go on from it", async () => {
  const { source, second, own } = await after({ learning_rate: 0.1, lambda: 2, dataset: fakeDataset(6) });
  const { logs } = await second();
  expect(logs.filter((line) => line.includes("holds"))).toEqual([
    `warn: the output directory holds ${source} already: 3 of 3 updates, with other settings: another dataset, learning_rate 0.05 → 0.1, ` +
      `lambda 1 → 2. This run starts anew in ${own()[0]}; to continue from its state with the current settings instead, in a folder of its own: --set 1.fork_from=${source}`,
  ]);
  // Going on with the second is no news.
  expect((await second()).logs.filter((line) => line.includes("holds"))).toEqual([]);
});

test("more updates of a constant learning rate go on in the same folder; of a schedule they are another run", async () => {
  const { directories, second } = await after({ steps: 5 });
  expect((await second()).logs).toContain("info: continues after update 3 of 5");
  expect(directories.size).toBe(1);
  const scheduled = await after({ steps: 5 }, { lr_schedule: "cosine" });
  expect((await scheduled.second()).logs.join()).toMatch(/3 of 3 updates, with other settings: steps 3 → 5\. This run starts anew/);
  expect(scheduled.directories.size).toBe(2);
});

test("a fork continues from the other's state, in its own folder with its own record", async () => {
  const { directories, source, second, own } = await after({ steps: 5, learning_rate: 0.1, reward_weight: 3, ema_decay: 0.5 });
  const before = new Map(directories.get(source)?.files);
  const { lora } = await second({ fork_from: source });
  const [name, dir] = own();
  expect(steps(dir)).toEqual([4, 5]);
  expect(JSON.parse(text(dir, "config.json")).forked_from).toEqual({
    directory: source,
    update: 3,
    differences: ["steps 3 → 5", "learning_rate 0.05 → 0.1", "ema_decay 0 → 0.5", "reward_weight 1 → 3"].sort(
      (a, b) => order.indexOf(a.split(" ")[0] ?? "") - order.indexOf(b.split(" ")[0] ?? ""),
    ),
  });
  expect([...(dir?.files.keys() ?? [])]).toContain("samples/0-step-000003.png");
  expect(lora.about?.["whos_who.forked_from"]).toBe(`${source}@3`);
  expect(directories.get(source)?.files).toEqual(before);
  expect(name).not.toBe(source);
});
const order = ["steps", "learning_rate", "ema_decay", "reward_weight"];

test("a fork without a change is the longer run, and a killed fork goes on as it would have", async () => {
  const schedule = { lr_schedule: "cosine", steps: 6 } as const;
  const whole = await trainFake({ ...schedule, checkpoint_every: 1, keep_every: 3, keep_last: 9 });
  const [source = ""] = whole.directories.keys();
  const fork = { ...schedule, checkpoint_every: 1, fork_from: `${source}@3` };
  const { lora } = await trainFake(fork, { directories: whole.directories });
  expect(lora.adapters.map((x) => [...x.b.data])).toEqual(whole.lora.adapters.map((x) => [...x.b.data]));
  const again = new Map([[source, whole.directories.get(source) ?? fail()]]);
  await expect(trainFake(fork, { directories: again, stopAfter: 5 })).rejects.toMatchObject({ code: "CANCELLED" });
  again.get(source)?.files.clear();
  const rest = await trainFake(fork, { directories: again });
  expect(rest.lora.adapters.map((x) => [...x.b.data])).toEqual(lora.adapters.map((x) => [...x.b.data]));
  expect(rest.lora.about?.["whos_who.forked_from"]).toBe(`${source}@3`);
});

test("what cannot be forked says why, and what would work", async () => {
  const { source, second } = await after({ rank: 1, steps: 5 });
  await expect(second({ fork_from: source })).rejects.toThrow(/does not fit: rank 2 → 1/);
  await expect(second({ fork_from: "train-gone" })).rejects.toMatchObject({ code: "TRAIN_FORK", hint: `there are ${source}` });
  await expect(second({ rank: 2, steps: 3, fork_from: source })).rejects.toThrow(/has made 3 updates already/);
  await expect(second({ rank: 2, fork_from: `${source}@2` })).rejects.toThrow(/holds no checkpoints\/checkpoint-000002/);
  expect((await second()).logs.join()).toMatch(/its state does not fit, because of rank; to start from its LoRA, export it/);
});

function fail(): never {
  throw new Error("no source");
}
