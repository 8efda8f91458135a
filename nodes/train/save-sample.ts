import type { RunDirectory } from "../../engine/node/context.ts";
import { encodePng } from "../shared/codec.ts";
import { pictureBytes } from "../shared/picture-bytes.ts";
import { rollout } from "./modes/rollout.ts";
import type { Situation } from "./objective.ts";

/** Draws one held-out example from its fixed noise with the weights of the moment: `samples/<k>-step-<n>.png`. */
export async function saveSample(dir: RunDirectory, step: number, k: number, s: Situation): Promise<void> {
  const x0 = (await rollout(s, s.sigmas.length - 1)).at(-1) ?? new Float32Array();
  const { rgb, width, height } = pictureBytes(await s.runner.decode(s.example, x0), 0);
  await dir.write(`samples/${k}-step-${String(step).padStart(6, "0")}.png`, await encodePng(rgb, width, height));
}
