// How good a scorer is on faces that it was not trained on.
import { randomSource } from "../../../engine/base/random.ts";
import type { Compute } from "../../../engine/ir/compute.ts";
import { newBuilder } from "../../../engine/ops/table.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import { DEGRADATIONS } from "../../shared/realism/degradations.ts";
import { degrade, type Planes } from "../../shared/realism/degrade.ts";
import { auc, pairAccuracy, type Share, temperatureOf } from "../../shared/realism/pair-statistics.ts";
import type { FacePair } from "../../shared/realism/scorer-batch.ts";
import { type RealismScorer, scoreWindows } from "../../shared/realism/scorer-net.ts";

export interface ScorerEvaluation {
  /** Better against worse pictures, of other people's making or of a model's; absent without such pairs. */
  readonly pairs?: Share;
  /** Real against generated; absent without labelled pairs. */
  readonly auc?: Share;
  /** Real faces against their worsened versions, at strength 1. */
  readonly degradations: Readonly<Record<string, Share>>;
  readonly temperature: number;
}

/** @param scorer with temperature 1 */
export async function evaluateScorer(
  compute: Compute,
  scorer: RealismScorer,
  pairs: readonly FacePair[],
  seed: number,
): Promise<ScorerEvaluation> {
  const compared: { win: number; lose: number }[] = [];
  const [real, generated, margins]: number[][] = [[], [], []];
  const worse = new Map<string, { win: number; lose: number }[]>(DEGRADATIONS.map((kind) => [kind, []]));
  for (const [i, { win, lose, labelled }] of pairs.entries()) {
    const own = await scoreOf(compute, scorer, win);
    if (lose) {
      const other = await scoreOf(compute, scorer, lose);
      compared.push({ win: own, lose: other });
      if (labelled) {
        real?.push(own);
        generated?.push(other);
        margins?.push(own, -other);
      } else margins?.push(own - other);
    }
    for (const [k, kind] of DEGRADATIONS.entries()) {
      const worsened = await degrade(kind, win, 1, randomSource((seed * 1009 + i) * 16 + k));
      const score = await scoreOf(compute, scorer, worsened);
      worse.get(kind)?.push({ win: own, lose: score });
      if (compared.length === 0) margins?.push(own, -score);
    }
  }
  return {
    ...(compared.length > 0 && { pairs: pairAccuracy(compared) }),
    ...(real && generated && real.length > 0 && { auc: auc(real, generated) }),
    degradations: Object.fromEntries([...worse].map(([kind, scores]) => [kind, pairAccuracy(scores)])),
    temperature: temperatureOf(margins ?? []),
  };
}

/** The score of one window. */
export async function scoreOf(compute: Compute, scorer: RealismScorer, { data, side }: Planes): Promise<number> {
  const b = newBuilder();
  const score = scoreWindows(b, scorer, b.input("windows", "float32", [1, 3, side, side]));
  const found = await compute.run(b.graph({ score }), { windows: f32([1, 3, side, side], data) });
  return Number(found.score?.data[0] ?? Number.NaN);
}
