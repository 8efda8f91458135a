// A LoRA from any checkpoint of a training: of the newest, of one that was kept, or the best.
import { open, readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { AppError } from "../../base/errors.ts";
import { type LoraLayer, writeLora } from "../../formats/lora-file.ts";
import type { LoraDType, LoraFormat } from "../../formats/lora-formats.ts";
import { readSafetensorsHeader, tensorOfBytes } from "../../formats/safetensors.ts";
import { type CheckpointLora, CheckpointSum, checkpointHeader, checkpointLora } from "../../formats/train-checkpoint.ts";
import { unlessAbsent } from "../../store/file-system.ts";
import { expectDType, f32 } from "../../tensor/tensor.ts";

/** `ema`: the running average, which samples and held-out numbers are of; `raw`: the weights of the last update themselves. */
export type TrainedWeights = "ema" | "raw";

export interface ExportAsked {
  /** After which update; `best` by the held-out reward. Default: the newest. */
  readonly update?: number | "best";
  /** Default: the average where the training keeps one. */
  readonly weights?: TrainedWeights;
  readonly format: LoraFormat;
  readonly dtype: LoraDType;
}

export interface ExportedLora {
  /** `lora-000120-comfyui.safetensors`. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly update: number;
  readonly weights: TrainedWeights;
}

/** A file of a training from which a LoRA can be made. */
export interface TrainingCheckpoint {
  /** Below the training's folder. */
  readonly file: string;
  readonly update: number;
  /** `state`: raw weights, and the average where there is one; `lora`: what was exported then. */
  readonly kind: "state" | "lora";
  readonly isBest: boolean;
}

const NEWEST = "checkpoint.safetensors";
const KEPT = "checkpoints";
const BEST = "lora-best.safetensors";

/**
 * The folder of a training: `path` itself, or the only one below it.
 * @throws AppError EXPORT_FOLDER when there is none, or more than one
 */
export async function trainingFolder(path: string): Promise<string> {
  if (await isTraining(path)) return path;
  const names = await readdir(path).catch(() => {
    throw new AppError("EXPORT_FOLDER", `there is no folder ${path}`, { hint: "name the output folder of a training" });
  });
  const found: string[] = [];
  for (const name of names.sort()) if (await isTraining(join(path, name))) found.push(name);
  const [only, ...others] = found;
  if (only === undefined)
    throw new AppError("EXPORT_FOLDER", `${path} holds no training: no ${NEWEST} there, nor in a folder below it`, {
      hint: "name the output folder of a training, or its train-… folder",
    });
  if (others.length > 0)
    throw new AppError("EXPORT_FOLDER", `${path} holds ${found.length} trainings: ${found.join(", ")}`, {
      hint: `name one of them: ${join(path, only)}`,
    });
  return join(path, only);
}

async function isTraining(path: string): Promise<boolean> {
  for (const name of [NEWEST, KEPT]) if (await unlessAbsent(stat(join(path, name)))) return true;
  return false;
}

/** Every checkpoint of a training, by update; of one update the state comes before the LoRA. @param directory of the training */
export async function listCheckpoints(directory: string): Promise<readonly TrainingCheckpoint[]> {
  const kept = (await unlessAbsent(readdir(join(directory, KEPT)))) ?? [];
  const files = [NEWEST, ...kept.filter((name) => /^(lora|checkpoint)-.*\.safetensors$/.test(name)).map((name) => `${KEPT}/${name}`)];
  const found: TrainingCheckpoint[] = [];
  for (const file of files) {
    const about = await withFile(join(directory, file), async ({ metadata }) => metadata).catch((error: unknown) => {
      if (file === NEWEST && error instanceof AppError && error.code === "EXPORT_FILE") return undefined;
      throw error;
    });
    if (!about) continue;
    const isState = about.format === "whos-who.train";
    const update = Number(isState ? about.step : about.ss_steps);
    if (Number.isSafeInteger(update)) found.push({ file, update, kind: isState ? "state" : "lora", isBest: basename(file) === BEST });
  }
  return found.sort((a, b) => a.update - b.update || (a.kind === b.kind ? 0 : a.kind === "state" ? -1 : 1));
}

/**
 * @param directory of the training
 * @throws AppError EXPORT_UPDATE (no such checkpoint: says which there are), EXPORT_WEIGHTS, EXPORT_FILE, TRAIN_CHECKPOINT (damaged)
 */
export async function exportTraining(directory: string, asked: ExportAsked): Promise<ExportedLora> {
  const all = await listCheckpoints(directory);
  const chosen = choose(all, asked, directory);
  const { layers, about, weights } = await withFile(join(directory, chosen.file), (file) =>
    chosen.kind === "state" ? layersOfState(file, asked.weights) : layersOfLora(file, asked.weights),
  );
  const name = `lora-${String(chosen.update).padStart(6, "0")}${weights === "raw" && asked.weights ? "-raw" : ""}-${asked.format}.safetensors`;
  const more = { ...about, ss_steps: String(chosen.update), "whos_who.weights": weights };
  return { name, bytes: writeLora({ adapters: layers, about: more }, asked.format, asked.dtype), update: chosen.update, weights };
}

function choose(all: readonly TrainingCheckpoint[], { update }: ExportAsked, directory: string): TrainingCheckpoint {
  const there = [...new Set(all.map((c) => (c.isBest ? `${c.update} (best)` : String(c.update))))].join(", ") || "none";
  const best = all.find((c) => c.isBest);
  if (update === "best" && !best)
    throw new AppError("EXPORT_UPDATE", `${directory} has kept no best LoRA: nothing was held out, or the reward never spoke`, {
      hint: `checkpoints are there after updates ${there}`,
    });
  const wanted = update === "best" ? best?.update : (update ?? all.at(-1)?.update);
  const fitting = all.filter((c) => c.update === wanted);
  const chosen = fitting.find((c) => c.kind === "state") ?? fitting[0];
  if (!chosen)
    throw new AppError("EXPORT_UPDATE", `${directory} has no checkpoint after update ${update ?? "any"}`, {
      hint: `checkpoints are there after updates ${there}; keep_every keeps more of them`,
    });
  return chosen;
}

interface OpenFile {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly names: readonly string[];
  read(name: string): Promise<Float32Array>;
  bytes(name: string): Promise<Uint8Array>;
  shape(name: string): readonly number[];
}

async function withFile<T>(path: string, use: (file: OpenFile) => Promise<T>): Promise<T> {
  const handle = await open(path, "r").catch((cause: unknown) => {
    throw new AppError("EXPORT_FILE", `cannot read ${path}`, { cause });
  });
  try {
    const { size } = await handle.stat();
    const read = async (offset: number, length: number): Promise<Uint8Array> => {
      const buffer = new Uint8Array(length);
      for (let at = 0; at < length; ) {
        const { bytesRead } = await handle.read(buffer, at, Math.min(length - at, 2 ** 30), offset + at);
        if (bytesRead === 0) return buffer.subarray(0, at);
        at += bytesRead;
      }
      return buffer;
    };
    const { metadata, tensors } = await readSafetensorsHeader(read, size);
    const entry = (name: string) => {
      const found = tensors.get(name);
      if (!found) throw new AppError("TRAIN_CHECKPOINT", `${path} lacks ${name}`, { hint: "the file is damaged: export another update" });
      return found;
    };
    const bytes = (name: string) => read(entry(name).offset, entry(name).length);
    return await use({
      path,
      metadata,
      names: [...tensors.keys()],
      bytes,
      read: async (name) => expectDType(tensorOfBytes(entry(name), await bytes(name)), "float32", name),
      shape: (name) => entry(name).shape,
    });
  } finally {
    await handle.close();
  }
}

interface Layers {
  readonly layers: readonly LoraLayer[];
  readonly about: CheckpointLora["about"];
  readonly weights: TrainedWeights;
}

async function layersOfState(file: OpenFile, asked: TrainedWeights | undefined): Promise<Layers> {
  const meta = checkpointHeader.safeParse(file.metadata);
  const lora = meta.success && meta.data.lora !== undefined ? checkpointLora.safeParse(JSON.parse(meta.data.lora)) : undefined;
  if (!meta.success || !lora?.success)
    throw new AppError("EXPORT_FILE", `${file.path} is not the checkpoint of a LoRA`, {
      hint: "only what TrainReReFL trains can be exported; a pretraining saves its weights itself",
    });
  const hasAverage = file.names.some((name) => name.startsWith("ema."));
  if (asked === "ema" && !hasAverage)
    throw new AppError("EXPORT_WEIGHTS", "this training keeps no average (ema_decay is 0)", { hint: "export the raw weights" });
  const weights = asked ?? (hasAverage ? "ema" : "raw");
  const prefix = weights === "ema" ? "ema" : "param";
  // Every tensor is read for the checksum, one at a time.
  const sum = new CheckpointSum(meta.data);
  for (const name of [...file.names].sort()) sum.add(name, await file.bytes(name));
  if (meta.data.sha256 !== undefined && meta.data.sha256 !== sum.digest())
    throw new AppError("TRAIN_CHECKPOINT", `${file.path} is damaged: its numbers are not those that were written`, {
      hint: "export another update",
    });
  const layers: LoraLayer[] = [];
  for (const { target, a, b, scale } of lora.data.layers) {
    const part = async (name: string) => f32(file.shape(`${prefix}.${name}`), await file.read(`${prefix}.${name}`));
    layers.push({ target, a: await part(a), b: await part(b), scale });
  }
  return { layers, about: lora.data.about, weights };
}

/** Layers of a LoRA that a training kept: ComfyUI's names, float32. */
async function layersOfLora(file: OpenFile, asked: TrainedWeights | undefined): Promise<Layers> {
  const { format: _, "whos_who.weights": weights, ...about } = file.metadata;
  const own: TrainedWeights = weights === "ema" ? "ema" : "raw";
  if (asked !== undefined && asked !== own)
    throw new AppError("EXPORT_WEIGHTS", `${file.path} holds the ${own === "ema" ? "average" : "raw weights"} only`, {
      hint:
        own === "ema"
          ? "raw weights are in the newest checkpoint, in the best one and in those of keep_every"
          : "this training keeps no average",
    });
  const layers: LoraLayer[] = [];
  for (const name of file.names) {
    const target = /^diffusion_model\.(.*)\.lora_A\.weight$/.exec(name)?.[1];
    if (target === undefined) continue;
    const [nameB, nameAlpha] = [`diffusion_model.${target}.lora_B.weight`, `diffusion_model.${target}.alpha`];
    const shape = file.shape(name);
    const [alpha = 1] = await file.read(nameAlpha);
    const [a, b] = [f32(shape, await file.read(name)), f32(file.shape(nameB), await file.read(nameB))];
    layers.push({ target, a, b, scale: alpha / (shape[0] ?? 1) });
  }
  return { layers, about, weights: own };
}
