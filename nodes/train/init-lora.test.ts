import { expect, test } from "vitest";
import { writeLora } from "../../engine/formats/lora-file.ts";
import { readSafetensors } from "../../engine/formats/safetensors.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { fakeContext } from "../../test/fake-context.ts";
import { fakeModel, noise } from "../../test/fake-diffusion.ts";
import { fakeTrainInputs, trainFake } from "../../test/train-fake.ts";
import loraFromFile from "../lora/lora-from-file.ts";
import { weightsOfBytes } from "../lora/weights-of-bytes.ts";
import type { Lora } from "../shared/contracts/modules.ts";
import { dryRunTraining } from "./cost/dry-run-training.ts";
import { fingerprintOf } from "./loop/fingerprint.ts";

/** Another's LoRA: ranks 1 and 2, alphas 3 and 1. */
const layers = [
  { target: "block.attn.to_k", a: noise(3, [2, 2]), b: noise(4, [3, 2]), scale: 0.5 },
  { target: "block.attn.to_q", a: noise(1, [1, 3]), b: noise(2, [3, 1]), scale: 3 },
];
const bytes = writeLora({ adapters: layers }, "kohya", "float32");

async function strangers(file = bytes): Promise<Lora> {
  const ctx = fakeContext();
  const models = { ...ctx.models, open: async (folder: string, name: string) => weightsOfBytes(`${folder}/${name}`, file) };
  return (await loraFromFile.run({ model: fakeModel(), lora_name: "theirs.safetensors" }, { ...ctx, models }, {})).lora;
}

const numbers = (lora: Lora) => lora.adapters.map(({ target, a, b, scale }) => ({ target, a: [...a.data], b: [...b.data], scale }));

test("a stranger's LoRA is trained on: its layers, ranks and scales, from its numbers", async () => {
  const lora = await strangers();
  const still = await trainFake({ init_lora: lora, learning_rate: 0, samples: 0, steps: 1 });
  expect(numbers(still.lora)).toEqual(numbers(lora));
  expect(still.lora.rank).toBe(2);
  expect(still.logs.join()).toMatch(/init_lora decides what is trained \(2 layers, rank 2, alpha 1\): alpha 2 is not read/);
  const { lora: trained, ctx, directories } = await trainFake({ init_lora: lora, targets: "to_q", steps: 2 });
  expect(trained.adapters.map((x) => [x.target, x.a.shape[0], x.scale])).toEqual([
    ["block.attn.to_k", 2, 0.5],
    ["block.attn.to_q", 1, 3],
  ]);
  expect(numbers(trained)).not.toEqual(numbers(lora));
  expect(ctx.logs.join()).toMatch(/targets, alpha 2 is not read/);
  const config = JSON.parse(new TextDecoder().decode([...directories.values()][0]?.files.get("config.json")));
  expect(config).toMatchObject({ rank: 2, alpha: 1, targets: "as init_lora", init_lora: expect.stringMatching(/^lora:/) });
});

test("the samples of update 0 are the LoRA's, and the anchor is the model with it", async () => {
  const lora = await strangers();
  const sample = async (changes: object) =>
    [...(await trainFake({ ...changes, steps: 1, learning_rate: 0 })).directories.values()][0]?.files.get("samples/0-step-000000.png");
  expect(await sample({ init_lora: lora })).toEqual(await sample({ model: fakeModel().withAdapters(lora.adapters) }));
  expect(await sample({ init_lora: lora })).not.toEqual(await sample({}));
  const { directories } = await trainFake({ init_lora: lora, anchor_beta: 1, steps: 1 });
  const metrics = new TextDecoder().decode([...directories.values()][0]?.files.get("metrics.jsonl"));
  expect(JSON.parse(metrics).anchor).toBeLessThan(1e-12);
});

test("a new LoRA on top of it: what is saved is the new one, what goes on is both", async () => {
  const lora = await strangers();
  const { lora: added, model, logs } = await trainFake({ init_lora: lora, init_lora_as: "base", targets: "to_q", steps: 2 });
  expect(added.adapters.map((x) => x.target)).toEqual(["block.attn.to_q"]);
  expect(model.adapters.map((x) => x.target)).toEqual(["block.attn.to_k", "block.attn.to_q", "block.attn.to_q"]);
  expect(numbers({ ...lora, adapters: model.adapters.slice(0, 2) })).toEqual(numbers(lora));
  expect(logs.join()).toMatch(/whoever uses it loads both/);
  expect(added.about?.["whos_who.on_top_of"]).toMatch(/^lora:/);
});

test("what cannot be trained on is refused, with the way that works", async () => {
  const lora = await strangers();
  const loKr = { ...lora, adapters: lora.adapters.map((x) => ({ ...x, outer: { name: "o", values: f32([1, 1], [1]) } })) };
  await expect(trainFake({ init_lora: loKr })).rejects.toThrow(/block.attn.to_k of init_lora is a LoKr/);
  await expect(trainFake({ init_lora: lora, model: fakeModel().withAdapters(lora.adapters) })).rejects.toThrow(/would count twice/);
  const zeros = {
    ...lora,
    adapters: lora.adapters.map((x) => ({
      ...x,
      a: f32(
        x.a.shape,
        x.a.data.map(() => 0),
      ),
      b: f32(
        x.b.shape,
        x.b.data.map(() => 0),
      ),
    })),
  };
  await expect(trainFake({ init_lora: zeros })).rejects.toThrow(/both factors of block.attn.to_k are 0 \(and of 1 more\)/);
  const foreign = { ...lora, adapters: lora.adapters.map((x) => ({ ...x, target: `other.${x.target}` })) };
  await expect(trainFake({ init_lora: foreign })).rejects.toThrow(/fits no layer of the model/);
  expect((await dryRunTraining(fakeTrainInputs({ init_lora: foreign }), fakeContext())).issues).toMatchObject([{ input: "init_lora" }]);
});

test("the folder follows from the LoRA's numbers, not from its name", async () => {
  const of = (init_lora?: Lora) => fingerprintOf(fakeTrainInputs({ init_lora }), "1");
  const lora = await strangers();
  expect(of(lora)).toBe(of({ ...lora, adapters: lora.adapters.map((x) => ({ ...x, nameA: `${x.nameA}2` })) }));
  expect(of(lora)).not.toBe(of());
  expect(of(lora)).not.toBe(of({ ...lora, adapters: lora.adapters.map((x) => ({ ...x, scale: 1 })) }));
});

test("layers of several ranks stand in PEFT's patterns", async () => {
  const peft = JSON.parse(readSafetensors(writeLora({ adapters: layers }, "diffusers", "float32")).metadata.lora_adapter_metadata ?? "");
  expect(peft).toMatchObject({
    "transformer.r": 2,
    "transformer.rank_pattern": { "block.attn.to_q": 1 },
    "transformer.alpha_pattern": { "block.attn.to_q": 1 },
  });
});
