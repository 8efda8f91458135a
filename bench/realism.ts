// How far each degradation moves each prior, and how often the worse picture is ranked below its original: by priors, by a scorer, by both.
//   npm run bench -- realism                     the drawn people, with the shipped scorer; the photographs of graphs/input
//   PHOTOGRAPHS=DIR npm run bench -- realism     your photographs instead of those; SCORER=NAME a scorer of models/realism for them, else
//                                                scorers are trained on two thirds of them and judge the last, three times
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { randomSource } from "../engine/base/random.ts";
import { createRuntime } from "../engine/ort/runtime.ts";
import { ModelFolders } from "../engine/store/model-folders.ts";
import { f32, type Tensor } from "../engine/tensor/tensor.ts";
import renderedPeopleDataset from "../nodes/data/rendered-people-dataset.ts";
import { loadBlazeFaceDetector } from "../nodes/faces/blazeface-detector.ts";
import { type BandFile, bandRow, deviation, parseBands } from "../nodes/realism/statistics/bands.ts";
import { measureWindow } from "../nodes/realism/statistics/measure-window.ts";
import { isStatistic, STATISTIC_NAMES, STATISTICS, type Statistic } from "../nodes/realism/statistics/names.ts";
import type { Face, Image } from "../nodes/shared/contracts/data.ts";
import { DEGRADATIONS } from "../nodes/shared/realism/degradations.ts";
import { degrade, type Planes } from "../nodes/shared/realism/degrade.ts";
import { facePixels, windowPixels } from "../nodes/shared/realism/face-pixels.ts";
import { pairAccuracy, wilson } from "../nodes/shared/realism/pair-statistics.ts";
import { type RealismScorer, scorerOfFile } from "../nodes/shared/realism/scorer-net.ts";
import { scoreOf } from "../nodes/train/realism/evaluate-scorer.ts";
import { fakeContext } from "../test/fake-context.ts";
import { crossValidated, photographedFaces } from "./photographed-faces.ts";

/** Pairs per degradation whose worse one must be ranked below its original. */
const GOAL = 0.95;
/** Of all priors beside the scorer. */
const PRIORS = 0.1;
/** What graphs/train-realism.json adds to the scorer: some of the statistics, the width of their bands, and their weight. */
const Stage = z.object({
  "14": z.object({ inputs: z.object({ statistics: z.string(), band: z.number() }) }),
  "15": z.object({ inputs: z.object({ weights: z.string().regex(/^1, [\d.]+$/) }) }),
});
/** Faces of a set at most. */
const FACES = 64;
const PHOTOGRAPHED_FACES = 96;

export interface JudgedFace {
  readonly planes: Planes;
  readonly mask: Tensor<"float32">;
  /** The picture it is of: faces of one are not independent. */
  readonly source: string;
}
type ScorerOf = (face: JudgedFace) => RealismScorer | undefined;
interface Judged {
  readonly values: ReadonlyMap<Statistic, number>;
  readonly priors: number;
  /** Those of the saved workflow, times their weight. */
  readonly stage: number;
  readonly scorer: number | undefined;
}

const root = join(import.meta.dirname, "..");
const stage = readStage();
const models = new ModelFolders({ roots: [join(root, "models")] });
const compute = createRuntime({ device: "cpu" });

/** Prints both tables. */
export async function realism(): Promise<void> {
  const scorer = await scorerOfFile(await models.open("realism", "drawn-people.safetensors"));
  await table("drawn people (held out)", await drawnFaces(), await bandsOf("drawn-people.json"), () => scorer);
  const { PHOTOGRAPHS: folder = join(root, "graphs/input"), SCORER: name } = process.env;
  const faces = await photographedFaces(compute, await loadBlazeFaceDetector(models), folder, PHOTOGRAPHED_FACES);
  const given = name === undefined ? undefined : await scorerOfFile(await models.open("realism", name));
  const validated = given || folder.startsWith(root) ? undefined : await crossValidated(compute, faces);
  await table(
    `photographs in ${folder.startsWith(root) ? "graphs/input" : folder}`,
    faces,
    await bandsOf("photographs.json"),
    (face) => given ?? validated?.get(face),
  );
}

function readStage(): { readonly statistics: readonly Statistic[]; readonly band: number; readonly weight: number } {
  const { "14": priors, "15": sum } = Stage.parse(JSON.parse(readFileSync(join(root, "graphs/train-realism.json"), "utf8")));
  const { statistics, band } = priors.inputs;
  return {
    statistics: statistics.split(", ").map((name) => {
      if (!isStatistic(name)) throw new Error(`graphs/train-realism.json names ${name}, which is no statistic`);
      return name;
    }),
    band,
    weight: Number(sum.inputs.weights.split(", ")[1]),
  };
}

async function bandsOf(name: string): Promise<BandFile> {
  return parseBands((await models.bytes("realism", name)).bytes, name);
}

async function drawnFaces(): Promise<JudgedFace[]> {
  const settings = { train: 96, held_out: 32, people: 2, identities: 64, width: 192, height: 96, reference_size: 96, seed: 0 };
  const { dataset } = await renderedPeopleDataset.run(settings, fakeContext(), {});
  const out: JudgedFace[] = [];
  for (let k = 0; k < dataset.heldOut; k++) {
    const { target, targetFaces } = await dataset.example("heldOut", k);
    out.push(...judgedFaces(target, targetFaces, 24, `${k}`));
  }
  return out.slice(0, FACES);
}

function judgedFaces(image: Image, faces: readonly Face[], minSize: number, source: string): JudgedFace[] {
  return facePixels(image, faces, minSize).map(({ window, mask }) => ({
    planes: { data: windowPixels(image, window).data, side: window.side },
    mask,
    source,
  }));
}

async function judge({ data, side }: Planes, mask: Tensor<"float32">, bands: BandFile, scorer: RealismScorer | undefined): Promise<Judged> {
  const row = bandRow(bands, side);
  const { values } = await measureWindow(compute, f32([1, 3, side, side], data), mask, row.gradient_cdf);
  const priors = (names: readonly Statistic[], band: number) => {
    const penalties = names.map((name) => {
      const { mu, s } = row.statistics[name];
      return Math.max(0, deviation(STATISTICS[name].side, ((values.get(name) ?? Number.NaN) - mu) / s) - band) ** 2;
    });
    return -penalties.reduce((a, p) => a + p, 0) / penalties.length;
  };
  return {
    values,
    priors: priors(STATISTIC_NAMES, 1),
    stage: stage.weight * priors(stage.statistics, stage.band),
    scorer: scorer && (await scoreOf(compute, scorer, { data, side })),
  };
}

async function table(title: string, faces: readonly JudgedFace[], bands: BandFile, scorerOf: ScorerOf): Promise<void> {
  const scorers = new Set(faces.flatMap((face) => scorerOf(face)?.name ?? []));
  const pictures = new Set(faces.map((face) => face.source)).size;
  console.log(`\n${title}: ${faces.length} faces of ${pictures} pictures, ${[...scorers].join(", ") || "no scorer"}`);
  console.log("median shift of each statistic in spreads s of real faces; share of faces whose worse version is ranked below it");
  const originals: Judged[] = [];
  for (const face of faces) originals.push(await judge(face.planes, face.mask, bands, scorerOf(face)));
  const short = STATISTIC_NAMES.map((name) => name.slice(0, 9).padStart(10));
  console.log(`${"".padEnd(14)}${short.join("")}${["priors", "scorer", "both", "stage"].map((h) => h.padStart(8)).join("")}`);
  for (const [k, kind] of DEGRADATIONS.entries()) {
    const worse: Judged[] = [];
    for (const [i, face] of faces.entries())
      worse.push(await judge(await degrade(kind, face.planes, 1, randomSource(1000 * i + k)), face.mask, bands, scorerOf(face)));
    const shifts = STATISTIC_NAMES.map((name) => {
      const all = worse.map(
        (w, i) =>
          ((w.values.get(name) ?? 0) - (originals[i]?.values.get(name) ?? 0)) /
          bandRow(bands, faces[i]?.planes.side ?? 1).statistics[name].s,
      );
      return median(all).toFixed(1).padStart(10);
    });
    const accuracy = (of: (j: Judged) => number | undefined) =>
      pairAccuracy(
        worse.flatMap((w, i) => {
          const [win, lose] = [originals[i] && of(originals[i]), of(w)];
          return win === undefined || lose === undefined ? [] : [{ win, lose }];
        }),
      ).value;
    const shares = [
      accuracy((j) => j.priors),
      accuracy((j) => j.scorer),
      accuracy((j) => (j.scorer === undefined ? undefined : j.scorer + PRIORS * j.priors)),
      accuracy((j) => (j.scorer === undefined ? undefined : j.scorer + j.stage)),
    ];
    const cells = shares.map((s) => (Number.isNaN(s) ? "-" : `${(100 * s).toFixed(0)} %`).padStart(8));
    // As many independent trials as pictures.
    const { low, high } = wilson((shares[2] ?? 0) * pictures, pictures);
    const interval = Number.isNaN(shares[2] ?? Number.NaN) ? "" : `  ${(100 * low).toFixed(0)}–${(100 * high).toFixed(0)} %`;
    console.log(`${kind.padEnd(14)}${shifts.join("")}${cells.join("")}${interval}${(shares[2] ?? 0) < GOAL ? "  below the goal" : ""}`);
  }
}

function median(xs: readonly number[]): number {
  const sorted = [...xs].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
