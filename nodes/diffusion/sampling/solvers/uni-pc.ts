// UniPC (arXiv 2302.04867): a predictor and a corrector of up to third order that share their evaluations.
import { AppError } from "../../../../engine/base/errors.ts";
import { mix, type Solver } from "../solver.ts";
import { solveVandermonde } from "./vandermonde.ts";

const ORDER = 3;
/** Where a run to 0 ends: log σ must exist. */
const LAST = 0.001;

/** What the model said at a noise level. */
interface Seen {
  readonly x0: Float32Array;
  readonly sigma: number;
}

/**
 * In −log σ, which is what ComfyUI's change to variance-preserving coordinates and back comes to.
 * @param b B(h) of the paper: `h`, or e^h − 1 (the variant named bh2)
 */
export function uniPc(b: "h" | "expm1"): Solver {
  return async ({ start, sigmas, denoise, done }) => {
    const steps = sigmas.length - 1;
    const levels = sigmas.map((sigma, i) => (i === steps && sigma === 0 ? LAST : sigma));
    const most = Math.min(ORDER, steps - 1);
    if (most < 1)
      throw new AppError("SAMPLER_STEPS", "uni_pc needs two steps at least", { hint: "raise steps or denoise, or choose euler" });
    let x = start;
    let seen: Seen[] = [{ x0: await denoise(start, levels[0] ?? 1), sigma: levels[0] ?? 1 }];
    x = done(0, x);
    for (let i = 1; i <= steps; i++) {
      const sigma = levels[i] ?? 0;
      const order = Math.min(most, i, steps + 1 - i);
      const step = stepTo(x, seen.slice(0, order), sigma, b);
      const predicted = step.predict();
      if (i === steps) return done(steps - 1, predicted);
      const x0 = await denoise(predicted, sigma);
      x = step.correct(x0);
      seen = [{ x0, sigma }, ...seen].slice(0, most);
      if (i + 1 < steps || steps === 1) x = done(i, x);
    }
    return x;
  };
}

/** @param seen newest first: as many as the order */
function stepTo(x: Float32Array, seen: readonly Seen[], sigma: number, b: "h" | "expm1") {
  const [newest, ...older] = seen;
  const x0 = newest?.x0 ?? x;
  const from = newest?.sigma ?? sigma;
  const hh = Math.log(sigma / from);
  const phi1 = Math.expm1(hh);
  const scale = b === "h" ? hh : phi1;
  // Where the others lie, in steps from the newest, and the moments that their weights must have.
  const ratios = older.map((o) => Math.log(o.sigma / from) / hh);
  const moments: number[] = [];
  let phi = phi1 / hh - 1;
  let factorial = 1;
  for (let k = 1; k <= seen.length; k++) {
    moments.push((phi * factorial) / scale);
    factorial *= k + 1;
    phi = phi / hh - 1 / factorial;
  }
  const base = [
    [sigma / from, x],
    [-phi1, x0],
  ] as const;
  /** −B(h)·w·(x0ₖ − x0)/rₖ. */
  const differences = (weights: readonly number[]) =>
    older.flatMap((o, k) => {
      const weight = (-scale * (weights[k] ?? 0)) / (ratios[k] ?? 1);
      return [[weight, o.x0] as const, [-weight, x0] as const];
    });
  return {
    predict: (): Float32Array => {
      const weights = older.length === 1 ? [0.5] : solveVandermonde(ratios, moments.slice(0, -1));
      return mix(...base, ...differences(weights));
    },
    /** @param ahead x0 at what was predicted */
    correct: (ahead: Float32Array): Float32Array => {
      const weights = older.length === 0 ? [0.5] : solveVandermonde([...ratios, 1], moments);
      const last = -scale * (weights.at(-1) ?? 0);
      return mix(...base, ...differences(weights), [last, ahead], [-last, x0]);
    },
  };
}
