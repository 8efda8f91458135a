import { AppError } from "../../engine/base/errors.ts";
import type { Compute } from "../../engine/ir/compute.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import type { Example, Face, Image } from "../shared/contracts/data.ts";
import type { FaceDetector, FaceEncoder, Reward } from "../shared/contracts/modules.ts";
import { embedFaces } from "../shared/faces/embed-faces.ts";
import { joinEmbeddings } from "../shared/faces/join-embeddings.ts";
import { matchFaces } from "../shared/matching/match-faces.ts";
import { similarityOf } from "../shared/matching/similarity.ts";
import { blendValue } from "../shared/metrics/blend-value.ts";
import { copyPasteValues } from "../shared/metrics/copy-paste-values.ts";
import { idConfValue } from "../shared/metrics/id-conf-value.ts";
import { idSimValue } from "../shared/metrics/id-sim-value.ts";
import { psnr, ssim } from "../shared/metrics/picture-likeness.ts";
import { swapRateValue } from "../shared/metrics/swap-rate-value.ts";
import { readReward } from "../shared/rewards/read-reward.ts";
import declaration from "./evaluate-edits.node.ts";
import { streamOf } from "./loop/data-order.ts";
import { ModelRunner } from "./model/model-runner.ts";
import { prepareExample } from "./model/prepared-example.ts";
import { contextOf } from "./modes/reward-gradient.ts";
import { rollout } from "./modes/rollout.ts";

export default implementNode(declaration, {
  async run(i, ctx) {
    const runner = new ModelRunner(ctx.compute, i.model, i.vae, new Map(), new Map());
    const guidance = i.model.guidance(i.true_cfg_scale);
    const count = Math.min(i.examples, i.dataset.heldOut);
    if (count === 0)
      throw new AppError("EVALUATE_EMPTY", "the dataset holds out no example: there is nothing to measure", {
        hint: "raise held_out in the dataset node",
      });
    if (count < i.examples) ctx.log("warn", `${i.examples} examples were asked for, the dataset holds out ${count}`);
    const examples: string[] = [];
    const rows: Record<string, number>[] = [];
    const pictures: Image[] = [];
    for (let k = 0; k < count; k++) {
      const example = await i.dataset.example("heldOut", k);
      const prepared = await prepareExample(ctx.compute, i, example, {
        guidanceScale: i.true_cfg_scale,
        negativePrompt: i.negative_prompt,
        visionSize: i.vision_size,
      });
      const sigmas = i.model.schedule.sigmas(i.denoise_steps, prepared.target);
      const states = await rollout({ runner, example: prepared, guidance, sigmas, rng: streamOf(i.seed, 4, k) }, sigmas.length - 1);
      const picture = await runner.decode(prepared.target, states.at(-1) ?? new Float32Array());
      pictures.push(picture);
      examples.push(example.id);
      rows.push(await measure(ctx.compute, picture, example, i));
      ctx.progress(k + 1, count, `${i.label}: picture ${k + 1}`);
    }
    const values = means(rows);
    ctx.score(i.label, { examples: count, ...values });
    return {
      METRICS: { values, details: { label: i.label, encoder: i.encoder.id, encoder_2: i.encoder_2?.id, examples, rows } },
      pictures: batch(pictures),
    };
  },
});

interface Judges {
  readonly detector: FaceDetector;
  readonly encoder: FaceEncoder;
  readonly encoder_2?: FaceEncoder | undefined;
  readonly reward?: Reward | undefined;
}

/** Every number of one picture. Those that a picture without faces cannot have are left out. */
async function measure(compute: Compute, picture: Image, example: Example, judges: Judges): Promise<Record<string, number>> {
  const row: Record<string, number> = { psnr: psnr(picture, example.target) };
  const alike = ssim(picture, example.target);
  if (alike !== undefined) row.ssim = alike;
  if (judges.reward) {
    const reading = await readReward(compute, judges.reward, picture, contextOf(compute, example));
    row.reward_skipped = reading.reward === undefined ? 1 : 0;
    if (reading.reward !== undefined) row.reward = reading.reward;
    for (const [part, value] of Object.entries(reading.parts)) row[`reward.${part}`] = value;
  }
  if (example.referenceFaces.length !== example.references.length)
    throw new AppError(
      "EVALUATE_FACES",
      `${example.id} has ${example.references.length} references and ${example.referenceFaces.length} faces for them`,
    );
  const found = await judges.detector.detect(compute, picture, {});
  row.faces_wanted = example.references.length;
  row.faces_found = found.length;
  row.count_accuracy = found.length === example.references.length ? 1 : 0;
  Object.assign(row, await identity(compute, picture, example, found, judges.encoder));
  if (judges.encoder_2)
    for (const [name, value] of Object.entries(await identity(compute, picture, example, found, judges.encoder_2)))
      row[`${name}_2`] = value;
  return row;
}

/** What one encoder says of the people in a picture. */
async function identity(
  compute: Compute,
  picture: Image,
  example: Example,
  found: readonly Face[],
  encoder: FaceEncoder,
): Promise<Record<string, number>> {
  const row: Record<string, number> = {};
  const people = joinEmbeddings(
    await Promise.all(
      example.references.map((images, k) => {
        const face = example.referenceFaces[k];
        return embedFaces(compute, encoder, { images, faces: [face ? [face] : []] });
      }),
    ),
  );
  // Faces where the true picture has them: measurable even while nothing is recognised as a face.
  const inPlace = similarityOf(people, await embedFaces(compute, encoder, { images: picture, faces: [example.targetFaces] }));
  const n = example.targetFaces.length;
  const likeness = (isOwn: boolean) =>
    mean(
      Array.from({ length: n * n }, (_, j) => j).flatMap((j) => ((j % (n + 1) === 0) === isOwn ? 100 * (inPlace.values.data[j] ?? 0) : [])),
    );
  row.id_sim_in_place = likeness(true);
  if (n > 1) row.id_gap_in_place = likeness(true) - likeness(false);
  const similarity = similarityOf(people, await embedFaces(compute, encoder, { images: picture, faces: [found] }));
  const sim = idSimValue(similarity);
  row.id_sim = sim.max;
  row.id_sim_matched = sim.matched;
  row.id_conf = idConfValue(similarity).paper;
  if (found.length === 0) return row;
  const { matches } = matchFaces(similarity, { threshold: encoder.comparison.threshold, gate: false });
  const target = { images: example.target, faces: [example.targetFaces] };
  const swapped = swapRateValue(matches, target).rate;
  if (swapped !== undefined) row.swap_rate = swapped;
  const copies = copyPasteValues(matches, await embedFaces(compute, encoder, target));
  if (copies.length > 0) row.m_cp = mean(copies.map((c) => c.value));
  const blended = blendValue(matches);
  if (blended !== undefined) row.m_bld = blended;
  return row;
}

function mean(xs: readonly number[]): number {
  return xs.length > 0 ? xs.reduce((a, c) => a + c, 0) / xs.length : 0;
}

/** Mean of each number over the pictures that have it. */
function means(rows: readonly Record<string, number>[]): Record<string, number> {
  const names = [...new Set(rows.flatMap((r) => Object.keys(r)))];
  return Object.fromEntries(names.map((name) => [name, mean(rows.flatMap((r) => (r[name] === undefined ? [] : [r[name]])))]));
}

/** As large as the widest and the tallest; smaller pictures stand in the middle of black. */
function batch(pictures: readonly Image[]): Image {
  const height = Math.max(...pictures.map((p) => p.shape[1] ?? 0));
  const width = Math.max(...pictures.map((p) => p.shape[2] ?? 0));
  const data = new Float32Array(pictures.length * height * width * 3);
  pictures.forEach((p, k) => {
    const [, h = 0, w = 0] = p.shape;
    const [top, left] = [(height - h) >> 1, (width - w) >> 1];
    for (let y = 0; y < h; y++) data.set(p.data.subarray(y * w * 3, (y + 1) * w * 3), ((k * height + top + y) * width + left) * 3);
  });
  return f32([pictures.length, height, width, 3], data);
}
