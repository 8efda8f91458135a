// The faces of preference pairs as windows of native pixels.
import { AppError, toAppError } from "../../../engine/base/errors.ts";
import type { NodeContext } from "../../../engine/node/context.ts";
import type { FaceDetector } from "../../shared/contracts/modules.ts";
import type { Planes } from "../../shared/realism/degrade.ts";
import { facePixels, windowPixels } from "../../shared/realism/face-pixels.ts";
import type { JudgedPicture, Preferences } from "../../shared/realism/preferences.ts";
import type { FacePair } from "../../shared/realism/scorer-batch.ts";

/**
 * All faces of a split with room for `side` pixels; face k of the better picture is compared with face k of the worse (left to right,
 * or as the pair says). Pairs without such a face are counted in a warning.
 */
export async function facePairs(
  ctx: Pick<NodeContext, "compute" | "log" | "progress" | "signal">,
  sets: readonly Preferences[],
  split: "train" | "heldOut",
  detector: FaceDetector | undefined,
  side: number,
): Promise<FacePair[]> {
  const out: FacePair[] = [];
  const total = sets.reduce((n, set) => n + (split === "train" ? set.train : set.heldOut), 0);
  let [seen, without] = [0, 0];
  const planesOf = async ({ image, faces }: JudgedPicture, what: string): Promise<Planes[]> => {
    if (!faces && !detector)
      throw new AppError("REALISM_FACES", `${what} does not say where its faces are`, { hint: "connect a face_detector" });
    const found = faces ?? (await detector?.detect(ctx.compute, image, { minSize: side })) ?? [];
    return facePixels(image, found, side)
      .filter(({ window }) => window.side >= side)
      .map(({ window }) => ({ data: windowPixels(image, window).data, side: window.side }));
  };
  for (const set of sets)
    for (let k = 0; k < (split === "train" ? set.train : set.heldOut); k++) {
      ctx.signal.throwIfAborted();
      const pair = await set.pair(split, k).catch((error: unknown) => {
        ctx.log("warn", `a pair was left out: ${toAppError(error).message}`);
        return undefined;
      });
      seen++;
      ctx.progress(seen, total, `faces of ${split === "train" ? "training" : "held-out"} pairs`);
      if (!pair) continue;
      const [wins, loses] = [await planesOf(pair.win, pair.id), pair.lose ? await planesOf(pair.lose, pair.id) : null];
      const before = out.length;
      wins.forEach((win, i) => {
        const lose = loses?.[i] ?? null;
        if (loses === null || lose) out.push({ win, lose, weight: pair.weight, labelled: pair.labelled });
      });
      if (out.length === before) without++;
    }
  if (without > 0)
    ctx.log(
      "warn",
      `${without} of ${total} ${split === "train" ? "training" : "held-out"} pairs have no two faces of at least ${side} pixels`,
    );
  return out;
}
