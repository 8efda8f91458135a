// A small training as a user starts it: `graph run` on the seeded random checkpoint, in a folder of its own.
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { tinyCheckpoint } from "../../tools/tiny-checkpoint.ts";

const root = join(import.meta.dirname, "../..");
export const STEPS = 9;

/** Writes models and workflow below `folder`. @returns the workflow's path */
export function prepare(folder: string): string {
  for (const [path, bytes] of tinyCheckpoint(1)) {
    const file = join(folder, "models", path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, bytes);
  }
  const node = (class_type: string, inputs: Record<string, unknown>) => ({ class_type, inputs });
  const training = {
    ...{ model: ["1", 0], vae: ["2", 0], clip: ["3", 0], dataset: ["4", 0], reward: ["6", 0], mode: "rerefl" },
    ...{ steps: STEPS, accumulate: 2, learning_rate: 0.01, lr_schedule: "cosine", warmup: 2, ema_decay: 0.8, rank: 2, alpha: 2 },
    ...{ denoise_steps: 2, window_end: 2, checkpoint_every: 2, sample_every: 3, samples: 1, anchor_beta: 0.1, seed: 3 },
  };
  const workflow = {
    1: node("UNETLoader", { unet_name: "qwen_image_edit_tiny.safetensors" }),
    2: node("VAELoader", { vae_name: "qwen_image_vae_tiny.safetensors" }),
    3: node("CLIPLoader", { clip_name: "qwen_2.5_vl_tiny.safetensors" }),
    4: node("RenderedPeopleDataset", { train: 5, held_out: 1, people: 2, width: 64, height: 32, reference_size: 32 }),
    5: node("FaceEncoderLoader", { encoder_name: "dlib128.safetensors" }),
    6: node("IdentityLoss", { face_encoder: ["5", 0], against: "target", cap: 1 }),
    7: node("TrainReReFL", training),
    8: node("SaveLoRA", { lora: ["7", 1], prefix: "lora", format: "diffusers" }),
  };
  const file = join(folder, "train.json");
  writeFileSync(file, JSON.stringify(workflow));
  return file;
}

export interface TrainRun {
  readonly child: ChildProcess;
  /** Everything it printed. */
  readonly text: () => string;
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>;
}

/** Starts `graph run` into `<folder>/<name>`, in a process group of its own. */
export function startTraining(folder: string, name: string, ...options: readonly string[]): TrainRun {
  const args = ["run", join(folder, "train.json"), "--out", join(folder, name), "--models", join(folder, "models"), "--threads", "1"];
  const child = spawn(process.execPath, [join(root, "graph.mjs"), ...args, ...options], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
    // Kept results of one run must not answer for another.
    env: { ...process.env, WHOSWHO_DATA: join(folder, `${name}-data`) },
  });
  let text = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk) => {
      text += String(chunk);
    });
  const ended = once(child, "close").then(([code, signal]) => (typeof code === "number" ? code : String(signal)));
  return { child, text: () => text, ended };
}

/** The run's own folder, once it is there. */
export function runFolder(folder: string, name: string): string | undefined {
  try {
    const found = readdirSync(join(folder, name)).find((entry) => entry.startsWith("train-"));
    return found && join(folder, name, found);
  } catch {
    return undefined;
  }
}

/** Whole lines of metrics.jsonl now. */
export function updatesMade(folder: string, name: string): number {
  const run = runFolder(folder, name);
  try {
    return run ? readFileSync(join(run, "metrics.jsonl"), "latin1").split("\n").length - 1 : 0;
  } catch {
    return 0;
  }
}

/** What a run determines, file by file: everything but the clock's. */
export function results(folder: string, name: string): ReadonlyMap<string, string> {
  const run = runFolder(folder, name) ?? "";
  // The half-written file of a kill (a name with a dot before it) is swept when the folder is opened next: it is no result.
  const files = readdirSync(run, { recursive: true, withFileTypes: true }).filter((e) => e.isFile() && !e.name.startsWith("."));
  const paths = files.map((e) => join(e.parentPath, e.name)).filter((p) => !/timings\.jsonl$|estimate\.json$|tfevents/.test(p));
  return new Map(paths.sort().map((path) => [path.slice(run.length + 1), createHash("sha256").update(readFileSync(path)).digest("hex")]));
}
