// What a node may do to the world. There is no other door: nodes import neither node:fs nor the runtime.

import type { RandomSource } from "../base/random.ts";
import type { TrainingAlarm } from "../graph/events.ts";
import type { Compute } from "../ir/compute.ts";
import type { WeightSource } from "../ir/value.ts";
import type { DType } from "../tensor/dtype.ts";
import type { Shape } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";

/** One tensor of an opened weight file. */
export interface WeightEntry {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: Shape;
  readonly source: WeightSource;
}

/** An opened (header-checked, not loaded) set of weights: one file, or all shards of a folder. */
export interface WeightFile {
  /** The name the user gave. */
  readonly name: string;
  /** Content identity: path, size, mtime. Part of cache keys. */
  readonly fingerprint: string;
  readonly tensors: ReadonlyMap<string, WeightEntry>;
  /** safetensors `__metadata__`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Another small text file of the folder (config.json, vocab.json …); undefined when it is absent. */
  text(relativePath: string): Promise<string | undefined>;
  /** Copies one tensor into host memory, in its stored dtype. */
  read(name: string): Promise<Tensor>;
  /**
   * Copies some rows (indices on the first axis, in this order, repeats allowed) of one tensor: [rows.length, …rest] in its
   * stored dtype. An embedding table of a gigabyte is never read whole. @throws AppError MODEL_ROW when one is out of range.
   */
  readRows(name: string, rows: readonly number[]): Promise<Tensor>;
}

/** A file that a model keeps data in. */
export interface ExternalFile {
  /** Below the model's folder. */
  readonly location: string;
  /** Number of bytes that the model needs of it. */
  readonly bytes: number;
}

export interface FoundExternal {
  /** Identifies the content of all files. */
  readonly identity: string;
  /** Where each really lies, links resolved, by its location. */
  readonly paths: ReadonlyMap<string, string>;
}

/** Model folders: `diffusion_models`, `text_encoders`, `vae`, `loras`, `checkpoints`, `faces`, `onnx`, `realism`. Names are relative paths inside one. */
export interface Models {
  list(folder: string): Promise<readonly string[]>;
  /** Opens `.safetensors`, a sharded folder or its index. @throws AppError MODEL_NOT_FOUND with the names that exist. */
  open(folder: string, name: string): Promise<WeightFile>;
  /** Whole bytes of another model file (an `.onnx`), with the absolute path for external data. */
  bytes(folder: string, name: string): Promise<{ readonly bytes: Uint8Array; readonly path: string; readonly fingerprint: string }>;
  /**
   * Finds the external data of a model before it is mapped: ordinary files, at least as long as said, beside the model as the user sees it or
   * beside what a link to it leads to. Links that lie there are followed, as those of download caches are.
   * @param files by their plain relative paths
   * @throws AppError MODEL_EXTERNAL
   */
  findExternal(folder: string, name: string, files: readonly ExternalFile[]): Promise<FoundExternal>;
}

/** A file below the output directory of the run. */
export interface SavedFile {
  readonly filename: string;
  readonly subfolder: string;
  readonly type: "output" | "temp";
}

/**
 * A directory of the run that outlives it: metrics, checkpoints. All writes are atomic; `append` writes one whole line. `appendBytes` may
 * write only a part when the process is killed: use it for files that can be restored.
 */
export interface RunDirectory {
  readonly path: string;
  read(file: string): Promise<Uint8Array | undefined>;
  write(file: string, bytes: Uint8Array): Promise<void>;
  append(file: string, line: string): Promise<void>;
  appendBytes(file: string, bytes: Uint8Array): Promise<void>;
  list(): Promise<readonly string[]>;
  remove(file: string): Promise<void>;
}

export interface PreviewPicture {
  readonly mime: "image/jpeg" | "image/png" | "image/webp";
  readonly bytes: Uint8Array;
}

export interface Videos {
  count(name: string): Promise<number>;
  /** One frame as PNG. @param index from 0 */
  frame(name: string, index: number): Promise<Uint8Array>;
}

export interface NodeContext {
  readonly nodeId: string;
  readonly signal: AbortSignal;
  readonly compute: Compute;
  readonly models: Models;
  /** Bytes of a file the user put into the input directory. @throws AppError INPUT_NOT_FOUND */
  readInput(name: string): Promise<Uint8Array>;
  /**
   * Names of all files below a folder of the input directory, as `readInput` takes them, sorted; `.` is the directory itself.
   * What lies there is no part of a cache key: a node that lists is `cache: "never"`. @throws AppError INPUT_NOT_FOUND
   */
  listInputs(folder: string): Promise<readonly string[]>;
  /** Videos among the input files, where they can be read at all. @throws AppError INPUT_NOT_FOUND, VIDEO_FFMPEG (none is installed), VIDEO_READ */
  readonly videos?: Videos;
  /** Writes `<prefix>_00001_.<ext>` (next free number) below the output directory, or below the folder for previews. */
  save(prefix: string, extension: string, bytes: Uint8Array, type?: SavedFile["type"]): Promise<SavedFile>;
  /** A file of a fixed name below the output directory, replaced atomically. */
  saveAs(name: string, bytes: Uint8Array): Promise<SavedFile>;
  runDirectory(name: string): Promise<RunDirectory>;
  /** Files of this name in the folders directly below the output directory, by folder: records of other runs. Nothing is made. Those above 4 MiB are left out. */
  runRecords?(file: string): Promise<ReadonlyMap<string, Uint8Array>>;
  /** Bytes that the output directory's disk has left; undefined when that is unknown. */
  freeSpace?(): Promise<number | undefined>;
  /** True when the user asked to continue an earlier run: a node that keeps state refuses to start anew. */
  readonly resume?: boolean;
  /** The workflow that is running, for embedding into pictures: API and (when it came from one) UI form. */
  readonly workflow: { readonly prompt: unknown; readonly workflow?: unknown };
  /** A score for `run.json` and the final table: any JSON. */
  score(name: string, value: unknown): void;
  /** What an output node shows, ComfyUI's `ui` dictionary: `{ images: [SavedFile…] }`. */
  show(ui: Readonly<Record<string, readonly unknown[]>>): void;
  /** Whether someone watches, and has not just been shown a picture: making one for `progress` would otherwise be wasted. Absent: nobody ever does. */
  wantsPreview?(): boolean;
  /** @param preview what the result looks like by now; a picture of more than 190 kB is left out, with a warning */
  progress(value: number, max: number, note?: string, preview?: PreviewPicture): void;
  /**
   * A line for the person. Warnings are repeated when the result comes from the cache, and stand in run.json.
   * @param about the socket that the message is about: its source (a picture's file, a node) is added to the message; or what makes it an
   * alarm, which the training's panel shows at its update
   */
  log(level: "info" | "warn", message: string, about?: string | TrainingAlarm): void;
  /** A counter-based generator: same seed, same numbers, on every machine. */
  random(seed: bigint | number): RandomSource;
  /** Resident memory of the compute process now, in bytes. For reporting only. */
  memory(): number;
  /** Milliseconds, monotonic. For reporting only: results must not depend on it. */
  now(): number;
}
