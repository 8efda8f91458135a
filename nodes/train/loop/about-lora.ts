import { sha256 } from "../../../engine/base/hash.ts";
import type { TrainInputs } from "../train-options.ts";
import { loraId } from "./init-lora.ts";

/** A training's settings: every widget's effective value and the identity of what came over links. */
export function settingsOf(i: TrainInputs, version: string): Readonly<Record<string, unknown>> {
  const { model, vae, clip, dataset, reward, constraint, init_lora, watched, ...widgets } = i;
  return {
    node: "TrainReReFL",
    version,
    model: model.id,
    vae: vae.id,
    clip: clip.id,
    dataset: dataset.id,
    reward: reward?.id ?? null,
    constraint: constraint?.id ?? null,
    watched: watched?.id ?? null,
    init_lora: init_lora ? loraId(init_lora) : null,
    ...widgets,
  };
}

/**
 * Metadata of the LoRA after an update: modelspec's names (Stability AI's ModelSpec 1.0.0), kohya's where tools look for them, and the settings.
 * @param prompt of an example: how the LoRA was called while it was trained
 */
export function aboutLora(i: TrainInputs, version: string, prompt: string, step: number): Readonly<Record<string, string>> {
  const settings = JSON.stringify(settingsOf(i, version));
  return {
    "modelspec.sai_model_spec": "1.0.0",
    "modelspec.architecture": `${i.model.family}/lora`,
    "modelspec.implementation": "diffusers",
    "modelspec.title": `${i.mode} LoRA of rank ${i.rank}`,
    "modelspec.trigger_phrase": prompt,
    "modelspec.prediction_type": "v",
    ss_network_module: "networks.lora",
    ss_network_dim: String(i.rank),
    ss_network_alpha: String(i.alpha),
    ss_steps: String(step),
    ss_learning_rate: String(i.learning_rate),
    ss_seed: String(i.seed),
    "whos_who.base_model": i.model.id,
    ...(i.init_lora && { [i.init_lora_as === "base" ? "whos_who.on_top_of" : "whos_who.started_from"]: loraId(i.init_lora) }),
    "whos_who.weights": i.ema_decay > 0 ? "ema" : "raw",
    "whos_who.dataset": i.dataset.id,
    "whos_who.settings": settings,
    "whos_who.settings_sha256": sha256(settings),
  };
}
