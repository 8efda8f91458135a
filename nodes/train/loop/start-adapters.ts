// What a run trains: new adapters, or a LoRA's own, on the layers that the velocity depends on.
import type { Adapter, DiffusionModel } from "../../shared/contracts/modules.ts";
import type { PreparedExample } from "../model/prepared-example.ts";
import { velocityGraph, weightNames } from "../model/training-graphs.ts";
import { type TrainInputs, targetList } from "../train-options.ts";
import { newAdapters, targetedLinears } from "./adapters.ts";
import { continuedAdapters, rankAndAlpha } from "./init-lora.ts";

/** What stands for the widget's targets where a LoRA decides them. */
const AS_INIT_LORA = "as init_lora";

type Maybe = Readonly<Partial<TrainInputs>>;

/** The inputs with the LoRA's targets, rank and alpha where it is trained on; and a word where the widgets say otherwise. */
export function withInitLora<T extends Maybe>(typed: T): { readonly inputs: T; readonly warnings: readonly string[] } {
  const { init_lora, init_lora_as, model } = typed;
  if (!init_lora || init_lora_as !== "continue") return { inputs: typed, warnings: [] };
  const own = rankAndAlpha(init_lora);
  const wanted = model && typed.targets !== undefined ? targetedLinears(model, targetList(typed.targets)).map(([path]) => path) : undefined;
  const layers = init_lora.adapters.map(({ target }) => target);
  const ignored = [
    ...(wanted && [...wanted].sort().join() !== [...layers].sort().join() ? ["targets"] : []),
    ...(typed.rank !== undefined && typed.rank !== own.rank ? [`rank ${typed.rank}`] : []),
    ...(typed.alpha !== undefined && typed.alpha !== own.alpha ? [`alpha ${typed.alpha}`] : []),
  ];
  const warnings =
    ignored.length > 0
      ? [
          `init_lora decides what is trained (${layers.length} layers, rank ${own.rank}, alpha ${own.alpha}): ${ignored.join(", ")} is not read`,
        ]
      : [];
  return { inputs: { ...typed, ...own, targets: AS_INIT_LORA }, warnings };
}

export interface Start {
  /** What the adapters sit on. */
  readonly model: DiffusionModel;
  readonly adapters: readonly Adapter[];
  /** Layers of the LoRA that change nothing in this model, and are left out. */
  readonly leftOut: readonly string[];
}

/** @throws AppError LORA_TARGETS, LORA_RANK, TRAIN_INIT_LORA */
export function startAdapters(i: TrainInputs, example: PreparedExample): Start {
  const { init_lora } = i;
  const isContinued = init_lora !== undefined && i.init_lora_as === "continue";
  const model = init_lora && !isContinued ? i.model.withAdapters(init_lora.adapters) : i.model;
  const all = isContinued ? continuedAdapters(model, init_lora) : newAdapters(model, targetList(i.targets), i.rank, i.alpha, i.seed);
  const adapters = reachable(model, all, example);
  const kept = new Set(adapters);
  return { model, adapters, leftOut: isContinued ? all.filter((x) => !kept.has(x)).map((x) => x.target) : [] };
}

/** Adapters the velocity depends on: the last block's text output reaches nothing. */
function reachable(model: DiffusionModel, adapters: readonly Adapter[], example: PreparedExample): readonly Adapter[] {
  const used = new Set(weightNames(velocityGraph(model.withAdapters(adapters), example.conditional.shape)));
  return adapters.filter((a) => used.has(a.nameA) && used.has(a.nameB));
}
