// What TrainReReFL says before it runs: every mistake that can be seen from headers and data, and what the run would cost. Of the
// networks only the reward's run, on one picture.
import { z } from "zod";
import { didYouMean } from "../../../engine/base/did-you-mean.ts";
import { toAppError } from "../../../engine/base/errors.ts";
import type { NodeContext } from "../../../engine/node/context.ts";
import type { DryRun, Estimate } from "../../../engine/node/define-node.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import type { Dataset, Example } from "../../shared/contracts/data.ts";
import type { DenoiseShape, GridSize, LatentSpace } from "../../shared/contracts/diffusion.ts";
import type { Adapter, DiffusionModel } from "../../shared/contracts/modules.ts";
import { gridOf, tokenSide } from "../../shared/diffusion/latent-space.ts";
import { allFinite } from "../../shared/finite.ts";
import { targetedLinears } from "../loop/adapters.ts";
import { continuedAdapters } from "../loop/init-lora.ts";
import { settingsWarnings } from "../loop/settings-warnings.ts";
import { withInitLora } from "../loop/start-adapters.ts";
import { windowSteps } from "../modes/rerefl.ts";
import { objectiveOf, sampleInterval, TRAIN_INPUTS, type TrainInputs, targetList, withPreset } from "../train-options.ts";
import { evaluationsOf, evaluationsOfSample, flopsPerExample, type GraphCost, modelCosts } from "./cost-model.ts";
import { machineSpeed } from "./machine-speed.ts";
import { rewardSeconds } from "./reward-seconds.ts";

type Issue = { readonly input?: string; readonly message: string; readonly hint?: string };

/** Examples whose pictures are looked at. */
const LOOKED_AT = 32;

/** Modules that only a real run can make are absent: what depends on them is then neither checked nor estimated. */
export async function dryRunTraining(typed: Readonly<Partial<TrainInputs>>, ctx: NodeContext): Promise<DryRun> {
  const i = withInitLora(withPreset(typed)).inputs;
  const issues: Issue[] = [...rewardIssues(i, ctx), ...settingsIssues(i)];
  const examples = i.dataset ? await examplesOf(i.dataset, issues) : [];
  const { model } = i;
  const grids = model ? examples.flatMap((example) => sizesOf(model.latentSpace, example, issues)) : [];
  const [first] = grids;
  const [example] = examples;
  if (first && isComplete(i)) windowIssues(i, grids, issues);
  if (issues.length === 0 && model && !i.dataset)
    return { issues, estimate: { notes: ["the dataset looks at pictures when it runs: what the training costs is known after that"] } };
  if (issues.length > 0 || !first || !example || !isComplete(i)) return { issues };
  const estimate = await estimateOf(i, example, first, ctx);
  const free = await ctx.freeSpace?.();
  if (free !== undefined && free < (estimate.diskBytes ?? 0))
    issues.push({
      input: "rank",
      message: `checkpoints and samples take ${gib(estimate.diskBytes ?? 0)}, the disk of the output directory has ${gib(free)} left`,
      hint: "choose another output directory (--out), free some space, or lower the rank",
    });
  return { issues, estimate };
}

/** A warning when samples are asked for that the dataset cannot give. */
export function nothingHeldOut({ dataset, samples }: Pick<TrainInputs, "dataset" | "samples">): readonly string[] {
  return dataset.heldOut === 0 && samples > 0
    ? ["the dataset holds out no example: there will be no sample pictures and no held-out reward (raise held_out, or set samples to 0)"]
    : [];
}

/** Whether every widget and the modules the estimate needs are there: a widget that a link sets may only be known in a run. */
function isComplete(i: Readonly<Partial<TrainInputs>>): i is TrainInputs {
  const widgets = Object.entries(TRAIN_INPUTS).flatMap(([name, { kind }]) => (kind === "widget" ? [name] : []));
  const given = new Map<string, unknown>(Object.entries(i));
  return i.model !== undefined && i.vae !== undefined && widgets.every((name) => given.get(name) !== undefined);
}

const promptNode = z.object({ inputs: z.record(z.string(), z.unknown()) });

function rewardIssues({ mode, reward }: Readonly<Partial<TrainInputs>>, ctx: NodeContext): readonly Issue[] {
  if (mode === undefined || mode === "sft" || reward) return [];
  // Absent may also mean: connected, but only a real run can make it.
  const prompt = z.record(z.string(), z.unknown()).safeParse(ctx.workflow.prompt);
  const node = promptNode.safeParse(prompt.success ? prompt.data[ctx.nodeId] : undefined);
  if (!node.success || node.data.inputs.reward !== undefined) return [];
  return [{ input: "reward", message: `mode ${mode} needs a reward`, hint: "connect a reward node, or choose mode sft" }];
}

/** What is wrong by the settings and the model's layers alone: a run looks at it first too. */
export function settingsIssues({ model, targets, rank, init_lora, init_lora_as }: Readonly<Partial<TrainInputs>>): readonly Issue[] {
  if (!model || targets === undefined) return [];
  if (init_lora) {
    // The LoRA was read for these layers, or comes from another training on this model.
    const foreign = init_lora.adapters.filter(({ target, a, b }) => {
      const [out, in_] = model.linears.get(target) ?? [];
      return out === undefined || (init_lora_as === "continue" && (a.shape[1] !== in_ || b.shape[0] !== out));
    });
    if (foreign.length > 0)
      return [
        { input: "init_lora", message: `${foreign[0]?.target} of init_lora fits no layer of the model`, hint: "take a LoRA of this model" },
      ];
    const sick = init_lora.adapters.find(({ a, b }) => !allFinite(a.data) || !allFinite(b.data));
    if (sick)
      return [
        { input: "init_lora", message: `${sick.target} of init_lora holds NaN or Inf`, hint: "take another file: this one is damaged" },
      ];
    if (init_lora_as === "continue") return [];
  }
  if (targetList(targets).length === 0)
    return [
      { input: "targets", message: "targets names no layer: nothing would be trained", hint: "name endings of module paths, such as to_q" },
    ];
  const endings = new Set([...model.linears.keys()].flatMap((path) => path.split(".").map((_, at, all) => all.slice(at).join("."))));
  const unknown = targetList(targets)
    .filter((target) => targetedLinears(model, [target]).length === 0)
    .map((target): Issue => {
      const near = didYouMean(target, endings);
      const some = [...model.linears.keys()].slice(0, 4).join(", ");
      const hint = near === undefined ? `the model has for example ${some}` : `did you mean ${near}?`;
      return { input: "targets", message: `no Linear of the model is or ends with ${target}`, hint };
    });
  const narrow = targetedLinears(model, targetList(targets)).filter(([, size]) => rank !== undefined && rank > Math.min(...size));
  return [...unknown, ...narrowIssues(rank, narrow)];
}

/** A rank that exceeds layers. @param narrow these layers */
function narrowIssues(rank: number | undefined, narrow: ReturnType<typeof targetedLinears>): readonly Issue[] {
  const [first] = narrow;
  if (!first) return [];
  const [path, size] = first;
  const where = narrow.length > 1 ? `${path} [${size}] and ${narrow.length - 1} more` : `${path} [${size}]`;
  const most = Math.min(...narrow.map(([, each]) => Math.min(...each)));
  return [{ input: "rank", message: `rank ${rank} exceeds ${where}`, hint: `choose a rank of at most ${most}` }];
}

async function examplesOf(dataset: Dataset, issues: Issue[]): Promise<readonly Example[]> {
  if (dataset.train < 1) issues.push({ input: "dataset", message: "the dataset has no example to train on" });
  const wanted = [
    ...Array.from({ length: Math.min(LOOKED_AT, dataset.train) }, (_, k) => ["train", k] as const),
    ...Array.from({ length: Math.min(LOOKED_AT, dataset.heldOut) }, (_, k) => ["heldOut", k] as const),
  ];
  const examples: Example[] = [];
  for (const [split, index] of wanted)
    try {
      examples.push(await dataset.example(split, index));
    } catch (error) {
      const { message, hint } = toAppError(error);
      issues.push({ input: "dataset", message: `example ${index} (${split}): ${message}`, ...(hint !== undefined && { hint }) });
    }
  return examples;
}

/** Sides of target and references in tokens; an issue for pictures that do not fit the patch size. */
function sizesOf(
  space: LatentSpace,
  example: Example,
  issues: Issue[],
): readonly { readonly target: GridSize; readonly references: readonly GridSize[] }[] {
  try {
    const target = gridOf(space, example.target, `the target of ${example.id}`);
    return [{ target, references: example.references.map((image, k) => gridOf(space, image, `reference ${k + 1} of ${example.id}`)) }];
  } catch (error) {
    const { message, hint } = toAppError(error);
    issues.push({ input: "dataset", message, ...(hint !== undefined && { hint }) });
    return [];
  }
}

/** σ depends on the size of the target: each size has its own table. */
function windowIssues(i: TrainInputs, grids: readonly { readonly target: GridSize }[], issues: Issue[]): void {
  if (i.mode !== "rerefl") return;
  const side = tokenSide(i.model.latentSpace);
  for (const [size, { target }] of new Map(grids.map((g) => [`${g.target.w * side}×${g.target.h * side}`, g])))
    try {
      windowSteps(i.model.schedule.sigmas(i.denoise_steps, target), objectiveOf(i));
    } catch (error) {
      const { message, hint } = toAppError(error);
      issues.push({ input: "window_start", message: `pictures of ${size}: ${message}`, ...(hint !== undefined && { hint }) });
    }
}

/** What a run of any size takes beside its graphs: compiled sessions of encoders, pictures, the heap. */
const RUNTIME_BYTES = 350 * 2 ** 20;

async function estimateOf(
  i: TrainInputs,
  example: Example,
  { target, references }: { readonly target: GridSize; readonly references: readonly GridSize[] },
  ctx: NodeContext,
): Promise<Estimate> {
  const textLength = i.model.prompt.usualLength(references.length, i.vision_size);
  const shape: DenoiseShape = { batch: 1, target, references, prompt: i.model.prompt.shapes(textLength), convention: "diffusers" };
  const guidance = i.model.guidance(i.true_cfg_scale);
  const { model, trainable, parameters } = adapted(i);
  const evaluations = evaluationsOf(objectiveOf(i), i.model.schedule.sigmas(i.denoise_steps, target), guidance);
  const costs = modelCosts({ model, vae: i.vae, shape, trainable, memory: ctx.compute.memory });
  const perUpdate = i.accumulate * flopsPerExample(evaluations, costs);
  const samplings = i.dataset.heldOut > 0 ? Math.floor((i.steps - 1) / sampleInterval(i)) + 2 : 0;
  const pictures = samplings * Math.min(i.samples, i.dataset.heldOut);
  const perPicture = evaluationsOfSample(i.denoise_steps, guidance).forward * costs.forward.flops + costs.decode.flops;
  const speed = await machineSpeed(ctx);
  const nodes = evaluations.forward * costs.forward.nodes + evaluations.backward * costs.backward.nodes;
  const rewarding = i.reward && evaluations.reward > 0 ? await rewardSeconds(ctx, i.reward, example) : 0;
  const rewards = i.steps * i.accumulate * evaluations.reward + pictures;
  const seconds =
    (i.steps * perUpdate + pictures * perPicture) / speed.flops +
    i.steps * i.accumulate * nodes * speed.secondsPerNode +
    rewards * rewarding;
  const state = parameters * 4 * (i.ema_decay > 0 ? 5 : 4);
  const checkpoint = parameters * 4 * (i.ema_decay > 0 ? 4 : 3);
  // A checkpoint is written beside the one it replaces.
  const numbered = i.keep_every > 0 ? Math.min(i.keep_last, Math.floor(i.steps / i.keep_every)) : 0;
  const kept = (numbered + (pictures > 0 ? 1 : 0)) * (checkpoint + parameters * 4);
  const diskBytes = 2 * checkpoint + kept + pictures * target.h * target.w * tokenSide(i.model.latentSpace) ** 2 * 3 + i.steps * 1024;
  const graphs = [costs.forward, costs.backward, ...(evaluations.reward > 0 ? [costs.decode, costs.decodeBackward] : [])];
  return {
    steps: i.steps,
    seconds,
    memoryBytes: ctx.memory() + RUNTIME_BYTES + state + graphBytes(graphs),
    diskBytes,
    notes: [
      `one update: ${i.accumulate} × (${evaluations.forward.toFixed(1)} forward, ${evaluations.backward} with gradient, ${evaluations.reward} reward), ` +
        `${(perUpdate / 1e12).toPrecision(3)} TFLOP at ${(speed.flops / 1e9).toFixed(0)} GFLOP/s, and ${rewarding.toPrecision(2)} s a picture for the reward, both measured now`,
      `${parameters} trainable numbers in ${trainable.size / 2} adapters; ${target.h * target.w} target tokens, ` +
        `${references.reduce((n, g) => n + g.h * g.w, 0)} reference tokens, about ${textLength} text tokens`,
      "seconds and memory are calibrated after the second update: see estimate.json in the run's folder",
      ...nothingHeldOut(i),
      ...settingsWarnings(i),
    ],
  };
}

function gib(bytes: number): string {
  return `${(bytes / 2 ** 30).toPrecision(3)} GiB`;
}

/** Whole sessions keep what they once took; segments run one at a time with the same weights kept. */
function graphBytes(graphs: readonly GraphCost[]): number {
  const whole = graphs.reduce((sum, { isSegmented, bytes }) => (isSegmented ? sum : sum + bytes), 0);
  return whole + Math.max(0, ...graphs.map(({ isSegmented, bytes }) => (isSegmented ? bytes : 0)));
}

/** The model with adapters of the wanted rank. All share one array of zeros: only their shapes matter here. */
function adapted(i: TrainInputs): { model: DiffusionModel; trainable: ReadonlySet<string>; parameters: number } {
  if (i.init_lora && i.init_lora_as === "continue") return trainedOn(i.model, continuedAdapters(i.model, i.init_lora));
  const chosen = targetedLinears(i.model, targetList(i.targets));
  const zeros = new Float32Array(i.rank * Math.max(...chosen.flatMap(([, size]) => size)));
  const adapters = chosen.map(([target, [out, in_]]) => ({
    target,
    nameA: `train.${target}.lora_A`,
    nameB: `train.${target}.lora_B`,
    a: f32([i.rank, in_], zeros.subarray(0, i.rank * in_)),
    b: f32([out, i.rank], zeros.subarray(0, out * i.rank)),
    scale: i.alpha / i.rank,
  }));
  return trainedOn(i.init_lora ? i.model.withAdapters(i.init_lora.adapters) : i.model, adapters);
}

function trainedOn(model: DiffusionModel, adapters: readonly Adapter[]): ReturnType<typeof adapted> {
  return {
    model: model.withAdapters(adapters),
    trainable: new Set(adapters.flatMap(({ nameA, nameB }) => [nameA, nameB])),
    parameters: adapters.reduce((n, { a, b }) => n + a.data.length + b.data.length, 0),
  };
}
