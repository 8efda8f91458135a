// What a scorer is shown in one update.
import type { RandomSource } from "../../../engine/base/random.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";
import type { Degradation } from "./degradations.ts";
import { degrade, type Planes } from "./degrade.ts";
import { ROLES, WORSENED } from "./scorer-loss.ts";

/** One comparison of two faces. */
export interface FacePair {
  readonly win: Planes;
  readonly lose: Planes | null;
  readonly weight: number;
  readonly labelled: boolean;
}

/** Random windows of these pairs, and what each counts. Half of them are rounded to 8 bits, whichever class they are of, so that rounding tells nothing. */
export async function batchOfPairs(pairs: readonly FacePair[], kinds: readonly Degradation[], side: number, rng: RandomSource) {
  const batch = pairs.length;
  const area = 3 * side * side;
  const windows = new Float32Array(ROLES * batch * area);
  const [preference, real, fake] = [new Float32Array((ROLES - 1) * batch), new Float32Array(batch), new Float32Array((ROLES - 1) * batch)];
  const put = (role: number, k: number, planes: Planes): void => {
    const crop = cropped(planes, side, rng);
    windows.set(rng.uniform() < 0.5 ? crop.map((x) => Math.round(255 * x) / 255) : crop, (role * batch + k) * area);
  };
  for (const [k, { win, lose, weight, labelled }] of pairs.entries()) {
    const isReal = labelled || lose === null;
    put(0, k, win);
    real[k] = isReal ? weight : 0;
    put(1, k, lose ?? win);
    preference[k] = lose ? weight : 0;
    fake[k] = lose && labelled ? weight : 0;
    for (let role = 2; role < ROLES; role++) {
      const kind = kinds[rng.below(Math.max(1, kinds.length))];
      put(role, k, kind ? await degrade(kind, win, 0.5 + rng.uniform(), rng) : win);
      preference[(role - 1) * batch + k] = kind ? weight / WORSENED : 0;
      fake[(role - 1) * batch + k] = kind && isReal ? weight / WORSENED : 0;
    }
  }
  const rows = [ROLES - 1, batch];
  return {
    windows: f32([ROLES * batch, 3, side, side], windows),
    preference: f32(rows, preference),
    real: f32([1, batch], real),
    fake: f32(rows, fake),
  };
}

/** A random window of side² pixels, turned left to right half the time. */
function cropped({ data, side: from }: Planes, side: number, rng: RandomSource): Float32Array {
  const [x0, y0] = [rng.below(from - side + 1), rng.below(from - side + 1)];
  const turned = rng.uniform() < 0.5;
  const out = new Float32Array(3 * side * side);
  for (let i = 0; i < out.length; i++) {
    const [x, y, c] = [i % side, Math.floor(i / side) % side, Math.floor(i / (side * side))];
    out[i] = data[(c * from + y0 + y) * from + x0 + (turned ? side - 1 - x : x)] ?? 0;
  }
  return out;
}
