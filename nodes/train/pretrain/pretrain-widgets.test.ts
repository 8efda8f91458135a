import { expect, test } from "vitest";
import trainRealismReward from "../realism/train-realism-reward.node.ts";
import pretrainTransformer from "./pretrain-transformer.node.ts";
import pretrainVae from "./pretrain-vae.node.ts";

/** Default, least and greatest of every number widget, and what it says of a text: what saved workflows rely on. */
function widgetsOf({ inputs }: typeof pretrainVae | typeof pretrainTransformer | typeof trainRealismReward) {
  return Object.fromEntries(
    Object.entries(inputs).flatMap(([name, spec]) => (spec.kind === "widget" ? [[name, spec.schema.parse(undefined)]] : [])),
  );
}

test("what the trainers begin with", () => {
  const shared = { lr_schedule: "cosine", max_grad_norm: 1, seed: 0 };
  expect(widgetsOf(pretrainVae)).toMatchObject({ ...shared, prefix: expect.any(String) });
  expect(widgetsOf(pretrainTransformer)).toMatchObject({ ...shared, prefix: expect.any(String) });
  expect(widgetsOf(trainRealismReward)).toMatchObject({
    ...shared,
    learning_rate: 0.004,
    warmup: 20,
    ema_decay: 0.99,
    checkpoint_every: 100,
    prefix: "realism/scorer",
    steps: 600,
    batch: 12,
    side: 48,
    width: 8,
    cross_entropy: 0.5,
    weight_decay: 0.01,
  });
});

test("and what they refuse", () => {
  const limits: Readonly<Record<string, readonly [taken: readonly unknown[], refused: readonly unknown[]]>> = {
    learning_rate: [
      [0, 1],
      [-1e-9, 1.01],
    ],
    warmup: [
      [0, 100_000],
      [-1, 100_001],
    ],
    max_grad_norm: [
      [0, 1e6],
      [-1, 1e6 + 1],
    ],
    ema_decay: [
      [0, 0.999999],
      [-0.1, 1],
    ],
    checkpoint_every: [
      [1, 100_000],
      [0, 100_001],
    ],
    prefix: [["a/b"], ["../a", ""]],
    seed: [
      [0, Number.MAX_SAFE_INTEGER],
      [-1, 0.5],
    ],
  };
  for (const node of [pretrainVae, pretrainTransformer, trainRealismReward])
    for (const [name, spec] of Object.entries(node.inputs)) {
      const [taken, refused] = limits[name] ?? [[], []];
      if (spec.kind !== "widget") continue;
      for (const value of taken) expect(spec.schema.safeParse(value), `${node.type}.${name} ${value}`).toMatchObject({ success: true });
      for (const value of refused) expect(spec.schema.safeParse(value), `${node.type}.${name} ${value}`).toMatchObject({ success: false });
    }
});
