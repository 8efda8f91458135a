import { z } from "zod";
import { AppError } from "../../engine/base/errors.ts";
import { stringifyJson } from "../../engine/base/json.ts";
import { writeLora } from "../../engine/formats/lora-file.ts";
import type { CheckpointLora } from "../../engine/formats/train-checkpoint.ts";
import type { NodeContext, RunDirectory } from "../../engine/node/context.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import type { Example, Image } from "../shared/contracts/data.ts";
import type { Adapter, DiffusionModel, DrawnPicture, Lora } from "../shared/contracts/modules.ts";
import { constrainedReward, nextDual } from "./constrained-reward.ts";
import { evaluationsOf, evaluationsOfSample } from "./cost/cost-model.ts";
import { dryRunTraining, nothingHeldOut, settingsIssues } from "./cost/dry-run-training.ts";
import { RunEstimate, stateBytes } from "./cost/run-estimate.ts";
import { drawSample, sampleFile } from "./draw-sample.ts";
import { aboutLora, settingsOf } from "./loop/about-lora.ts";
import { loraNorm } from "./loop/adapters.ts";
import { encodeCheckpoint, type TrainState } from "./loop/checkpoint.ts";
import { exampleAt, streamOf } from "./loop/data-order.ts";
import { fingerprintOf } from "./loop/fingerprint.ts";
import { type ForkRecord, forkInto, forkRecord } from "./loop/fork.ts";
import { KeptLoras } from "./loop/kept-loras.ts";
import { aboutOther, CONFIG, otherTrainings, type Settings } from "./loop/other-trainings.ts";
import { readRecord } from "./loop/run-log.ts";
import { settingsWarnings } from "./loop/settings-warnings.ts";
import { startAdapters, withInitLora } from "./loop/start-adapters.ts";
import { CHECKPOINT, freshState, type MicroResult, trainLoop } from "./loop/train-loop.ts";
import { TrainingWatch } from "./loop/training-watch.ts";
import { ExampleStore } from "./model/example-store.ts";
import { ModelRunner } from "./model/model-runner.ts";
import type { PreparedExample } from "./model/prepared-example.ts";
import { draft, draftLv, flowbpSparse } from "./modes/draft.ts";
import { idLoss } from "./modes/id-loss.ts";
import { rerefl } from "./modes/rerefl.ts";
import { sft } from "./modes/sft.ts";
import type { Mode, Situation } from "./objective.ts";
import { SampleSheet } from "./sample-sheet.ts";
import { ignoredSettings, objectiveOf, sampleInterval, type TrainInputs, withPreset } from "./train-options.ts";
import declaration, { VERSION } from "./train-rerefl.node.ts";

const RUN: Readonly<Record<Mode, (s: Situation) => Promise<MicroResult>>> = {
  rerefl,
  sft,
  draft,
  draft_lv: draftLv,
  flowbp_sparse: flowbpSparse,
  id_loss: idLoss,
};

export default implementNode(declaration, {
  dryRun: dryRunTraining,
  async run(typed: TrainInputs, ctx): Promise<{ model: DiffusionModel; lora: Lora }> {
    const { inputs: i, warnings } = withInitLora(withPreset(typed));
    if (i.mode !== "sft" && !i.reward)
      throw new AppError("TRAIN_REWARD", `mode ${i.mode} needs a reward`, { hint: "connect a reward node, or choose mode sft" });
    const issues = settingsIssues(i);
    if (issues.length > 0)
      throw new AppError("TRAIN_SETTINGS", issues.map((issue) => issue.message).join("; "), {
        hint: issues.flatMap((issue) => issue.hint ?? []).join("; "),
      });
    const watch = new TrainingWatch({ onTrouble: i.on_trouble, warn: (message, alarm) => ctx.log("warn", message, alarm) });
    for (const message of settingsWarnings(i)) watch.tell(message, { code: "TRAIN_SETTING", update: 0, message, hint: "" });
    for (const word of nothingHeldOut(i)) ctx.log("warn", word);
    for (const word of warnings) ctx.log("warn", word);
    for (const word of ignoredSettings(typed)) ctx.log("warn", word);
    const options = objectiveOf(i);
    const guidance = i.model.guidance(i.true_cfg_scale);
    const examples = new ExampleStore(
      ctx.compute,
      i,
      { guidanceScale: i.true_cfg_scale, negativePrompt: i.negative_prompt, visionSize: i.vision_size },
      { now: ctx.now },
    );
    const first = await examples.get("train", 0);
    const { model, adapters, leftOut } = startAdapters(i, first);
    if (leftOut.length > 0)
      ctx.log(
        "warn",
        `${leftOut.length} layers of init_lora change nothing in this model and are left out: ${leftOut.slice(0, 3).join(", ")}`,
      );
    if (i.init_lora && i.init_lora_as === "base") ctx.log("info", "the new LoRA works on top of init_lora: whoever uses it loads both");
    const params = new Map<string, Float32Array>();
    const shapes = new Map<string, readonly number[]>();
    for (const { nameA, nameB, a, b } of adapters) {
      params.set(nameA, a.data.slice()).set(nameB, b.data.slice());
      shapes.set(nameA, a.shape).set(nameB, b.shape);
    }
    const fingerprint = fingerprintOf(i, VERSION);
    const directory = `train-${fingerprint.slice(0, 12)}`;
    const dir = await ctx.runDirectory(directory);
    ctx.show({ training: [{ directory, updates: i.steps }] });
    const runner = new ModelRunner(ctx.compute, model.withAdapters(adapters), i.vae, params, shapes, ctx.now, startOf(adapters));
    const { learning } = i.reward ?? {};
    const learned = learning && (await learning.fresh(ctx.compute));
    const state = freshState(params, shapes, i.ema_decay > 0, learned);
    const settings = settingsOf(i, VERSION);
    const begun = await begin(ctx, dir, directory, i, settings, state);
    const objective = learning && learned ? learning.withState(learned) : i.reward;
    const reward =
      objective && i.constraint && i.guardrail === "dual"
        ? constrainedReward(objective, i.constraint, i.constraint_min, () => state.carried.dual ?? 0)
        : (objective ?? null);
    /** What the update under way has drawn: a reward that learns looks at it once, afterwards. */
    const drawn: DrawnPicture[] = [];
    const situation = (example: PreparedExample, ...path: number[]): Situation => ({
      compute: ctx.compute,
      runner,
      example,
      reward,
      guard: i.guardrail === "projection" && i.reward ? (i.constraint ?? null) : null,
      watched: i.watched ?? null,
      schedule: i.model.schedule,
      sigmas: i.model.schedule.sigmas(i.denoise_steps, example.target),
      guidance,
      options,
      rng: streamOf(i.seed, ...path),
    });
    /** What comes out in the end: samples and held-out numbers are of it. */
    const exported = () => state.ema ?? state.params;
    const rows = Math.min(i.samples, i.dataset.heldOut);
    const isDue = (step: number): boolean => step === i.steps || step % sampleInterval(i) === 0;
    const diagnose = async (): Promise<string | undefined> => {
      const weight = await i.model.findNotFinite?.();
      return weight && `so is ${weight}`;
    };
    const heldOutTargets: Example[] = [];
    let sheet: SampleSheet | undefined;
    /** Held-out examples at fixed seeds, with what would come out now. */
    const drawSamples = async (step: number): Promise<Record<string, number>[]> => {
      const held: Record<string, number>[] = [];
      for (let k = 0; k < rows; k++) {
        const s = situation(await examples.get("heldOut", k), 3, k);
        runner.notFinite = undefined;
        const numbers = await runner
          .withParams(exported(), () => drawSample(dir, step, k, s))
          .catch(async (error: unknown) => {
            const cause = error instanceof AppError && error.code === "TRAIN_NAN" ? await diagnose() : undefined;
            throw error instanceof AppError && cause !== undefined
              ? new AppError("TRAIN_NAN", `${error.message}; ${cause}`, { cause: error })
              : error;
          });
        await sheet?.add(k, step, s.example.example, numbers);
        held.push(numbers);
      }
      if (held.length > 0) await sheet?.write();
      return held;
    };
    const kept = new KeptLoras(dir, i.keep_last);
    const name = `lora.${fingerprint.slice(0, 16)}`;
    const about = (step: number) => ({
      ...aboutLora(i, VERSION, first.example.prompt, step),
      ...(begun.from && { "whos_who.forked_from": `${begun.from.directory}@${begun.from.update}` }),
    });
    const loraNow = (step: number) => writeLora(loraOf(adapters, exported(), name, i, about(step)), "comfyui", "float32");
    const loraIn = (step: number): CheckpointLora => ({
      layers: adapters.map(({ target, nameA, nameB, scale }) => ({ target, a: nameA, b: nameB, scale })),
      about: { ...about(step), prompt: stringifyJson(ctx.workflow.prompt) },
    });
    await writeConfig(dir, { fingerprint, ...settings, forked_from: begun.from ?? null, graph: ctx.workflow.prompt });
    if (begun.isFork) await dir.write(CHECKPOINT, encodeCheckpoint(state, fingerprint, loraIn(state.adam.step)));
    const estimate = new RunEstimate(ctx, dir, runner, examples.times, {
      steps: i.steps,
      accumulate: i.accumulate,
      perExample: evaluationsOf(options, i.model.schedule.sigmas(i.denoise_steps, first.target), guidance),
      perSample: evaluationsOfSample(i.denoise_steps, guidance),
      samples: rows,
      sampleEvery: sampleInterval(i),
      stateBytes: stateBytes(state),
      train: i.dataset.train,
    });
    const finished = await trainLoop(
      ctx,
      dir,
      state,
      {
        steps: i.steps,
        accumulate: i.accumulate,
        lr: i.learning_rate,
        schedule: i.lr_schedule,
        warmup: i.warmup,
        maxGradNorm: i.max_grad_norm,
        adam: { weightDecay: i.weight_decay },
        emaDecay: i.ema_decay,
        checkpointEvery: i.checkpoint_every,
        fingerprint,
        lora: loraIn,
        startedAfter: begun.from?.update ?? 0,
      },
      {
        async start(_, step) {
          for (let k = 0; k < rows; k++) heldOutTargets.push((await examples.get("heldOut", k)).example);
          sheet = await SampleSheet.open(dir, step, (message) => ctx.log("warn", message));
          if (step === 0 || (begun.from && sheet.isEmpty)) await drawSamples(step);
        },
        async micro(_, step, index) {
          const example = await examples.get("train", exampleAt(i.seed, i.dataset.train, index));
          if (example.example.prompt.trim() === "")
            watch.tell("prompt", {
              code: "TRAIN_PROMPT",
              update: step + 1,
              message: `the prompt of ${example.example.id} is empty: the LoRA learns to do without being asked`,
              hint: "give its picture a caption, or leave it out",
            });
          const twin = heldOutTargets.find((held) => isSamePicture(held.target, example.example.target));
          if (twin)
            watch.tell("twin", {
              code: "TRAIN_HELD_OUT",
              update: step + 1,
              message: `${example.example.id} is trained on, and its target is that of ${twin.id}, which is held out: its scores are no measure for new pictures`,
              hint: "hold out others (split_by), or take it out of one of them",
            });
          runner.notFinite = undefined;
          if (index % i.accumulate === 0) drawn.length = 0;
          const drew = learning && { drew: (picture: DrawnPicture) => void drawn.push(picture) };
          const result = await RUN[i.mode]({ ...situation(example, 2, step, index), ...drew });
          return runner.notFinite === undefined ? result : { ...result, notFinite: `${runner.notFinite} (example ${example.example.id})` };
        },
        diagnose,
        async afterStep({ carried }, step, logs) {
          const reading = i.guardrail === "dual" ? logs["reward.constraint"] : undefined;
          if (reading !== undefined && Number.isFinite(reading)) {
            const before = carried.dual === undefined ? undefined : { dual: carried.dual, mean: carried.mean ?? 0 };
            const constraint = { min: i.constraint_min, rate: i.constraint_rate, max: i.constraint_max };
            Object.assign(carried, nextDual(before, reading, constraint));
          }
          const dual = carried.dual === undefined ? {} : { constraint_dual: carried.dual, constraint_mean: carried.mean ?? 0 };
          const refreshed = learning && learned ? await learning.learn(ctx.compute, learned, drawn, streamOf(i.seed, 13, step)) : {};
          const means = isDue(step) ? meansOf("held_out", await drawSamples(step)) : {};
          const score = means["held_out.reward"];
          if (score !== undefined && !(score <= (carried.best ?? Number.NEGATIVE_INFINITY))) {
            carried.best = score;
            await kept.best(loraNow(step), encodeCheckpoint(state, fingerprint, loraIn(step)));
          }
          if (i.keep_every > 0 && step % i.keep_every === 0)
            await kept.add(step, loraNow(step), encodeCheckpoint(state, fingerprint, loraIn(step)));
          const more = { ...dual, ...refreshed };
          return isDue(step) ? { ...more, ...means, lora_norm: await loraNorm(ctx.compute, adapters, exported()) } : more;
        },
        pictures: (step) =>
          isDue(step) ? Object.fromEntries(Array.from({ length: rows }, (_, k) => [String(k), sampleFile(k, step)])) : {},
        watch,
        async afterUpdate(step, cost) {
          if (i.watched && isDue(step)) watch.samples(step, sheet?.history() ?? []);
          await estimate.update(step, cost);
        },
      },
    );
    if (!finished)
      throw new AppError("CANCELLED", `stopped after update ${state.adam.step} of ${i.steps}; the checkpoint is in ${dir.path}`, {
        hint: "run the same command again to continue",
      });
    // Names of their own: the result can be trained on, and is another model than any other result.
    const lora = loraOf(adapters, exported(), `${name}.${i.steps}`, i, about(i.steps));
    return { model: model.withAdapters(lora.adapters), lora };
  },
});

/** Where the run begins: in its own folder, or in another training's state. Says which trainings lie beside a new one. */
async function begin(
  ctx: NodeContext,
  dir: RunDirectory,
  own: string,
  i: TrainInputs,
  settings: Settings,
  state: TrainState,
): Promise<{ readonly from: ForkRecord | undefined; readonly isFork: boolean }> {
  if (await dir.read(CHECKPOINT)) return { from: await forkOf(ctx, dir), isFork: false };
  const others = await otherTrainings(ctx, own, settings);
  if (i.fork_from !== "") {
    const from = await forkInto(ctx, i.fork_from, others, state, i.steps);
    ctx.log(
      "info",
      `continues from ${from.directory} after update ${from.update}, with ${from.differences.join(", ") || "the same settings"}`,
    );
    return { from, isFork: true };
  }
  const word = await aboutOther(ctx, own, others);
  if (word !== undefined) ctx.log("warn", word);
  return { from: undefined, isFork: false };
}

async function forkOf(ctx: NodeContext, dir: RunDirectory): Promise<ForkRecord | undefined> {
  const schema = z.object({ forked_from: forkRecord.nullish() });
  const config = await readRecord(dir, CONFIG, schema, (why) =>
    ctx.log("warn", `${why}: it is written anew; whether the run began as a fork is no longer known`),
  );
  return config?.forked_from ?? undefined;
}

async function writeConfig(dir: RunDirectory, config: Settings): Promise<void> {
  await dir.write(CONFIG, new TextEncoder().encode(`${stringifyJson(config, 2)}\n`));
}

function isSamePicture(a: Image, b: Image): boolean {
  return a.data.length === b.data.length && a.data.every((x, k) => x === b.data[k]);
}

/** The adapters' first numbers by name. */
function startOf(adapters: readonly Adapter[]): ReadonlyMap<string, Float32Array> {
  return new Map(adapters.flatMap(({ nameA, nameB, a, b }) => [[nameA, a.data] as const, [nameB, b.data] as const]));
}

/** These weights as a LoRA whose adapters are called `name`. */
function loraOf(
  adapters: readonly Adapter[],
  weights: ReadonlyMap<string, Float32Array>,
  name: string,
  { rank, alpha }: Pick<TrainInputs, "rank" | "alpha">,
  about: NonNullable<Lora["about"]>,
): Lora {
  const result = adapters.map((x) => ({
    ...x,
    nameA: `${name}.${x.target}.lora_A`,
    nameB: `${name}.${x.target}.lora_B`,
    a: f32(x.a.shape, weights.get(x.nameA) ?? x.a.data),
    b: f32(x.b.shape, weights.get(x.nameB) ?? x.b.data),
  }));
  return { adapters: result, rank, alpha, about };
}

/** Mean of each number over the rows that have it, as `<prefix>.<name>`. */
function meansOf(prefix: string, rows: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const means: Record<string, number> = {};
  for (const name of new Set(rows.flatMap((row) => Object.keys(row)))) {
    const values = rows.flatMap((row) => row[name] ?? []);
    means[`${prefix}.${name}`] = values.reduce((a, b) => a + b, 0) / values.length;
  }
  return means;
}
