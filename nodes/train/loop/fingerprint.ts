import { sha256 } from "../../../engine/base/hash.ts";
import type { TrainInputs } from "../train-options.ts";
import { loraId } from "./init-lora.ts";

/**
 * Identity of everything that decides the weights after n updates. The number of updates belongs to it only when the learning
 * rate depends on it: a constant run can be made longer. How often it saves or samples decides nothing.
 */
export function fingerprintOf(i: TrainInputs, version: string): string {
  const {
    model,
    vae,
    clip,
    dataset,
    reward,
    constraint,
    init_lora,
    steps,
    checkpoint_every: _c,
    sample_every: _e,
    samples: _s,
    on_trouble: _t,
    watched: _w,
    keep_every: _k,
    keep_last: _l,
    ...settings
  } = i;
  const modules = [
    model.id,
    vae.id,
    clip.id,
    dataset.id,
    reward?.id ?? "",
    constraint?.id ?? "",
    ...(init_lora ? [loraId(init_lora)] : []),
  ];
  return sha256(JSON.stringify([version, ...modules, i.lr_schedule === "constant" ? 0 : steps, settings]));
}
