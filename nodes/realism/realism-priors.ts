import { z } from "zod";
import { AppError } from "../../engine/base/errors.ts";
import type { Builder } from "../../engine/ir/builder.ts";
import type { Value } from "../../engine/ir/value.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import type { FaceDetector, Reward } from "../shared/contracts/modules.ts";
import { facePixels } from "../shared/realism/face-pixels.ts";
import { buildWindow, windowIndices } from "../shared/realism/face-window.ts";
import { type FacesToJudge, facesToJudge } from "../shared/realism/faces-to-judge.ts";
import { constantOf } from "../shared/rewards/constant-of.ts";
import declaration, { NOT_STATISTICS } from "./realism-priors.node.ts";
import { bandRow, type RealismBands } from "./statistics/bands.ts";
import { buildStatistics } from "./statistics/build-statistics.ts";
import { parseStatistics, type Side, STATISTICS, type Statistic } from "./statistics/names.ts";

export interface PriorsOptions extends FacesToJudge {
  readonly statistics: ReadonlyMap<Statistic, number>;
  readonly sigmaMax: number;
  /** Spreads on either side of the middle that cost nothing. */
  readonly band: number;
}

/** Window sides of the faces. */
const STRUCTURE = z.array(z.number());

/**
 * −mean over faces of Σ w·P / Σ w with P = max(0, |q − µ|/s − band)² (guards: the deviation on their side alone); µ and s are constants. 0 is
 * as good as real. Parts: `statistic.<name>`, `deviation.<name>` (in spreads) and `penalty.<name>`, means over faces. Above `sigmaMax` it is 0 without a gradient.
 */
export function priorsReward(detector: FaceDetector, bands: RealismBands, options: PriorsOptions): Reward {
  const weights = [...options.statistics];
  const total = weights.reduce((s, [, w]) => s + w, 0);
  return {
    id: `priors:${JSON.stringify({ ...options, statistics: weights })}:${bands.id}:${detector.id}`,
    name: "priors",
    async observe(image, context) {
      const { sigma = 0 } = context;
      const shown = { sigma, sigma_max: options.sigmaMax };
      if (sigma > options.sigmaMax) return { structure: "[]", constants: {}, info: { ...shown, active: 0 } };
      const faces = await facesToJudge(image, context, detector, options);
      const pixels = facePixels(image, faces, options.minSize).slice(0, options.maxFaces);
      const info = { ...shown, active: 1, faces: pixels.length };
      if (pixels.length === 0)
        return { skip: `no face of at least ${options.minSize} pixels was found`, structure: "", constants: {}, info };
      const constants: Record<string, ReturnType<typeof f32> | ReturnType<typeof windowIndices>["rows"]> = {};
      for (const [i, { window, mask }] of pixels.entries()) {
        const row = bandRow(bands, window.side);
        const { rows, columns } = windowIndices(window);
        Object.assign(constants, { [`${i}.rows`]: rows, [`${i}.columns`]: columns, [`${i}.mask`]: mask });
        constants[`${i}.cdf`] = f32([row.gradient_cdf.length], row.gradient_cdf);
        const measured = weights.map(([name]) => row.statistics[name]);
        constants[`${i}.mu`] = f32(
          [weights.length],
          measured.map((m) => m.mu),
        );
        constants[`${i}.s`] = f32(
          [weights.length],
          measured.map((m) => m.s),
        );
      }
      return {
        structure: JSON.stringify(pixels.map((p) => p.window.side)),
        constants,
        info: { ...info, sides: pixels.map((p) => p.window.side) },
      };
    },
    build(b, image, constants, structure) {
      const count = STRUCTURE.parse(JSON.parse(structure)).length;
      if (count === 0) return { reward: b.scalar(0), parts: {} };
      const sums = new Map<string, Value>();
      const add = (name: string, value: Value) => sums.set(name, sumOf(b, sums.get(name), b.div(value, count)));
      for (let i = 0; i < count; i++) {
        const at = (name: string) => constantOf(constants, `${i}.${name}`);
        const crop = buildWindow(b, image, at("rows"), at("columns"));
        const { values } = buildStatistics(b, crop, at("mask"), at("cdf"));
        weights.forEach(([name, weight], k) => {
          const one = (of: string) => b.reshape(b.slice(at(of), 0, k, k + 1), []);
          const out = b.div(b.sub(values[name], one("mu")), one("s"));
          const far = buildDeviation(b, STATISTICS[name].side, out);
          const p = buildPenalty(b, far, options.band);
          add(`statistic.${name}`, values[name]);
          add(`deviation.${name}`, far);
          add(`penalty.${name}`, p);
          add("", b.mul(p, weight / total));
        });
      }
      const penalty = sums.get("") ?? b.scalar(0);
      sums.delete("");
      return { reward: b.neg(penalty), parts: Object.fromEntries(sums) };
    },
  };
}

function sumOf(b: Builder, a: Value | undefined, c: Value): Value {
  return a ? b.add(a, c) : c;
}

/** How many spreads z is out, on the side where the statistic costs something: `deviation` of `bands.ts`. */
function buildDeviation(b: Builder, side: Side, z: Value): Value {
  return side === "both" ? b.abs(z) : b.relu(side === "low" ? b.neg(z) : z);
}

/** max(0, deviation − band)². */
function buildPenalty(b: Builder, far: Value, band: number): Value {
  const out = b.relu(b.sub(far, band));
  return b.mul(out, out);
}

export default implementNode(declaration, {
  run({ face_detector, bands, statistics, sigma_max, min_size, max_faces, faces, band }) {
    const chosen = parseStatistics(statistics);
    if (!chosen) throw new AppError("REALISM_STATISTICS", NOT_STATISTICS);
    if (![...chosen.values()].some((w) => w > 0))
      throw new AppError("REALISM_STATISTICS", "every statistic has weight 0: this reward would do nothing");
    return {
      REWARD: priorsReward(face_detector, bands, {
        statistics: chosen,
        sigmaMax: sigma_max,
        minSize: min_size,
        maxFaces: max_faces,
        facesFrom: faces,
        band,
      }),
    };
  },
});
