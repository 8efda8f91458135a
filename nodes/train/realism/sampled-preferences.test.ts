import { expect, test } from "vitest";
import { fakeContext } from "../../../test/fake-context.ts";
import { fakeClip, fakeDataset, fakeModel, fakeVae } from "../../../test/fake-diffusion.ts";
import { interpreterCompute } from "../../../test/interpreter-compute.ts";
import sampledPreferences from "./sampled-preferences.ts";

const compute = interpreterCompute();
const asked = {
  dataset: fakeDataset(3, 2),
  model: fakeModel(),
  vae: fakeVae,
  clip: fakeClip,
  train: 2,
  held_out: 1,
  denoise_steps: 2,
  seed: 0,
  vision_size: 32,
};

test("real against drawn: each target beside a picture of its own noise, the same for the same seed", async () => {
  const done: unknown[] = [];
  const ctx = { ...fakeContext(compute), progress: (...args: unknown[]) => void done.push(args) };
  const { preferences } = await sampledPreferences.run(asked, ctx, {});
  expect(preferences).toMatchObject({ train: 2, heldOut: 1 });
  expect(done).toEqual([1, 2, 3].map((n) => [n, 3, "pictures drawn"]));
  expect(ctx.logs).toEqual([]);
  const first = await preferences.pair("train", 0);
  const example = await asked.dataset.example("train", 0);
  expect(first).toMatchObject({ id: example.id, prompt: example.prompt, weight: 1, labelled: true });
  expect(first.win).toEqual({ image: example.target, faces: example.targetFaces });
  expect([first.lose?.faces, first.lose?.image.shape]).toEqual([example.targetFaces, example.target.shape]);
  const drawn = async (changes: Partial<typeof asked>, split: "train" | "heldOut", k: number) =>
    (await (await sampledPreferences.run({ ...asked, ...changes }, fakeContext(compute), {})).preferences.pair(split, k)).lose?.image.data;
  expect(await drawn({}, "train", 0)).toEqual(first.lose?.image.data);
  expect(await drawn({ seed: 1 }, "train", 0)).not.toEqual(first.lose?.image.data);
  // Held-out examples have noise of their own, though here of the same example.
  const same = { ...asked.dataset, example: () => asked.dataset.example("train", 0) };
  expect(await drawn({ dataset: same }, "heldOut", 0)).not.toEqual(await drawn({ dataset: same }, "train", 0));
  expect(await drawn({ dataset: same }, "train", 1)).not.toEqual(await drawn({ dataset: same }, "train", 0));
});

test("without a model the targets stand alone; fewer examples than asked for is said", async () => {
  const ctx = fakeContext();
  const alone = { ...asked, model: undefined, train: 4, held_out: 2 };
  const { preferences } = await sampledPreferences.run(alone, ctx, {});
  expect(preferences).toMatchObject({ train: 3, heldOut: 2 });
  expect((await preferences.pair("heldOut", 1)).lose).toBeNull();
  expect(ctx.logs).toEqual(["warn: the dataset has 3 training and 2 held-out examples: fewer than were asked for"]);
  const more = fakeContext();
  await sampledPreferences.run({ ...alone, train: 3, held_out: 3 }, more, {});
  expect(more.logs).toHaveLength(1);
  const enough = fakeContext();
  await sampledPreferences.run({ ...alone, train: 3, held_out: 2 }, enough, {});
  expect(enough.logs).toEqual([]);
});

test("a model without its VAE or text encoder is refused", async () => {
  for (const without of [{ vae: undefined }, { clip: undefined }])
    await expect(
      Promise.resolve().then(() => sampledPreferences.run({ ...asked, ...without }, fakeContext(compute), {})),
    ).rejects.toMatchObject({ code: "REALISM_MODEL" });
});
