// LoRA gradients of a reward through transformer and VAE, of the flow-matching loss, and five AdamW steps on their sum.
import { z } from "zod";
import { adamWState, adamWStep, clipGradNorm } from "../../engine/nn/adamw.ts";
import { expectDType, f32, type Tensor } from "../../engine/tensor/tensor.ts";
import { loadTransformer } from "../../nodes/qwen/transformer/load-transformer.ts";
import { loadVae } from "../../nodes/qwen/vae/load-vae.ts";
import type { Adapter, Reward } from "../../nodes/shared/contracts/modules.ts";
import type { PreparedPrompt } from "../../nodes/shared/diffusion/prepared-prompt.ts";
import { ModelRunner } from "../../nodes/train/model/model-runner.ts";
import { relativeError } from "../relative-error.ts";
import { EXACT, type Family, withConfig } from "./golden.ts";

const Info = z.object({
  rank: z.number(),
  alpha: z.number(),
  sigma: z.number(),
  img_shapes: z.array(z.tuple([z.number(), z.number(), z.number()])),
  transformer: z.string(),
  vae: z.string(),
  zero_cond_t: z.union([z.literal(0), z.literal(1)]),
  adamw: z.object({
    lr: z.number(),
    betas: z.tuple([z.number(), z.number()]),
    eps: z.number(),
    weight_decay: z.number(),
    clip_grad_norm: z.number(),
    steps: z.number(),
  }),
  losses: z.array(z.number()),
  loss_reward: z.number(),
  loss_pretrain: z.number(),
  targets: z.array(z.string()),
  config: z.record(z.string(), z.unknown()),
});

const FILE = "rerefl_grads.safetensors";

/** Σ image·cotangent of the decoder's own output, as a reward. */
function cotangentReward(cotangent: Tensor<"float32">): Reward {
  return {
    id: "cotangent",
    name: "cotangent",
    observe: () => Promise.resolve({ structure: "", constants: { cotangent }, info: {} }),
    build(b, image, constants) {
      const { cotangent: c } = constants;
      if (!c) throw new Error("no cotangent");
      return { reward: b.sum(b.mul(b.sub(b.mul(image, 2), 1), c), [], false), parts: {} };
    },
  };
}

/** Cases of `rerefl_grads.safetensors`; nothing when it is absent. */
export const rerefl: Family = async function* (golden) {
  const { compute } = golden;
  const file = await golden.open(FILE);
  if (!file) return;
  const info = Info.parse(JSON.parse(file.metadata.info ?? "null"));
  const read = async (name: string) => {
    const t = await file.read(name);
    return f32(t.shape, expectDType(t, "float32", name));
  };
  const adapters: Adapter[] = [];
  for (const target of info.targets)
    adapters.push({
      target,
      nameA: `lora.${target}.A`,
      nameB: `lora.${target}.B`,
      a: await read(`lora.${target}.A`),
      b: await read(`lora.${target}.B`),
      scale: info.alpha / info.rank,
    });
  const [transformerFile, vaeFile] = [await golden.open(info.transformer), await golden.open(info.vae)];
  if (!transformerFile || !vaeFile) throw new Error(`${FILE} needs ${info.transformer} and ${info.vae} beside it`);
  const loaded = await loadTransformer(withConfig(transformerFile, { ...info.config, zero_cond_t: info.zero_cond_t === 1 }));
  const model = loaded.model.withAdapters(adapters);
  const vae = await loadVae(vaeFile);
  const params = new Map(adapters.flatMap((a) => [[a.nameA, a.a.data.slice()] as const, [a.nameB, a.b.data.slice()] as const]));
  const shapes = new Map(adapters.flatMap((a) => [[a.nameA, a.a.shape] as const, [a.nameB, a.b.shape] as const]));
  const runner = new ModelRunner(compute, model, vae, params, shapes);

  const [target, ...references] = info.img_shapes.map(([, h, w]) => ({ h, w }));
  if (!target) throw new Error(`${FILE}: img_shapes is empty`);
  const text = await read("txt");
  const x = (await read("x_t")).data;
  const x0Target = (await read("x0_target")).data;
  const none = f32([1, 1, 1, 3], new Float32Array(3));
  const prompt: PreparedPrompt = {
    shape: { batch: 1, target, references, prompt: { text: text.shape }, convention: "diffusers" },
    feeds: { "prompt.text": text, ...(references.length > 0 ? { references: await read("ref_tokens") } : {}) },
  };
  const { sigma } = info;
  const reward = cotangentReward(await read("image_cotangent"));
  const flowTarget = x.map((z, i) => (z - (x0Target[i] ?? 0)) / sigma);

  const judge = async (v: Float32Array) => {
    const x0 = x.map((z, i) => z - sigma * (v[i] ?? 0));
    const observation = await reward.observe(none, { compute, references: null, target: null });
    const judged = await runner.reward(target, x0, reward, observation);
    return { reward: judged.reward, cotangent: judged.dx0.map((g) => -sigma * g) };
  };
  const evaluate = async () => {
    const v = await runner.velocity(prompt, x, sigma);
    const { cotangent } = await judge(v);
    const fromReward = await runner.vjp(prompt, { x, sigma, cotangent, target: null });
    const fromPretrain = await runner.vjp(prompt, { x, sigma, cotangent: null, target: { v: flowTarget, weight: 1 } });
    return { v, fromReward: fromReward.grads, fromPretrain: fromPretrain.grads, mse: fromPretrain.mse };
  };
  /** Both losses in one backward, as training on a shared state does. */
  const evaluateSum = async () => {
    const { reward: value, cotangent } = await judge(await runner.velocity(prompt, x, sigma));
    const { grads, mse } = await runner.vjp(prompt, { x, sigma, cotangent, target: { v: flowTarget, weight: 1 } });
    return { grads, loss: mse - value };
  };

  const first = await evaluate();
  const limit = EXACT;
  yield { name: "rerefl velocity", error: relativeError(f32([1, x.length / 64, 64], first.v), await read("v")), limit };
  const number = (value: number, expected: number) => Math.abs(value - expected) / Math.abs(expected);
  yield { name: "rerefl loss_pretrain", error: number(first.mse, info.loss_pretrain), limit };
  for (const [kind, grads] of [
    ["reward", first.fromReward],
    ["pretrain", first.fromPretrain],
  ] as const) {
    let worst = 0;
    for (const [name, g] of grads)
      worst = Math.max(worst, relativeError(f32(shapes.get(name) ?? [], g), await read(name.replace("lora.", `grad_${kind}.`))));
    yield { name: `rerefl grad_${kind} (${grads.size} tensors)`, error: worst, limit };
  }

  const state = adamWState(params);
  let lossError = 0;
  for (let step = 0; step < info.adamw.steps; step++) {
    const { grads, loss } = await evaluateSum();
    lossError = Math.max(lossError, number(loss, info.losses[step] ?? Number.NaN));
    clipGradNorm(grads, info.adamw.clip_grad_norm);
    adamWStep(params, grads, state, info.adamw.lr, { betas: info.adamw.betas, eps: info.adamw.eps, weightDecay: info.adamw.weight_decay });
  }
  yield { name: `rerefl losses of ${info.adamw.steps} steps`, error: lossError, limit: 1e-5 };
  // One vector: clipping couples all parameters, and Adam makes steps of one size out of gradients of any size, so an element
  // whose gradient is rounding noise moves by noise.
  const expected: Float32Array[] = [];
  for (const name of params.keys()) expected.push((await read(name.replace("lora.", "after5."))).data);
  const error = relativeError(joined([...params.values()]), joined(expected));
  yield { name: `rerefl weights after ${info.adamw.steps} AdamW steps`, error, limit: 1e-5 };
};

function joined(parts: readonly Float32Array[]): Tensor<"float32"> {
  return f32(
    [parts.reduce((n, p) => n + p.length, 0)],
    parts.flatMap((p) => [...p]),
  );
}
