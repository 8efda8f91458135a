// The world of one run inside the compute process: its folders and its device.
import { join } from "node:path";
import type { OpenedFile } from "../graph/opened-file.ts";
import type { Compute } from "../ir/compute.ts";
import type { World } from "../run/world.ts";
import { freeSpace } from "../store/free-space.ts";
import { InputFiles } from "../store/input-files.ts";
import { ModelFolders } from "../store/model-folders.ts";
import { OutputDirectory, TEMPORARY } from "../store/output-directory.ts";
import { runRecords } from "../store/run-records.ts";
import { PREVIEW_LIMITS, sweepFolder } from "../store/sweep-folder.ts";
import { fingerprintOf } from "../store/weight-set.ts";
import { countFrames, readFrame } from "./ffmpeg.ts";
import type { RunRequest } from "./messages.ts";

/** A runtime that asks before it starts anything. Implemented by engine/ort. */
export interface ComputeRuntime extends Compute {
  /** @param check throws when nothing more may be started */
  checkedBy(check: () => void): Compute;
  /** @throws AppError ORT_DEVICE saying what the machine lacks */
  tryDevice(): Promise<void>;
}

export function runWorld(request: RunRequest, runtime: ComputeRuntime, isWatched: () => boolean): World {
  const inputs = new InputFiles({ ...request.inputs, output: request.output });
  const output = once(() => OutputDirectory.open(request.output));
  const temporary = once(async () => {
    const directory = await OutputDirectory.open(join(request.output, TEMPORARY), undefined, "temp");
    await sweepFolder(directory.root, PREVIEW_LIMITS, Date.now());
    return directory;
  });
  const models = new ModelFolders(request.models);
  return {
    compute: (check) => (check ? runtime.checkedBy(check) : runtime),
    models,
    readInput: (name) => inputs.read(name),
    listInputs: (folder) => inputs.list(folder),
    videos: {
      count: async (name) => countFrames(await inputs.find(name), name),
      frame: async (name, index) => readFrame(await inputs.find(name), index, name),
    },
    save: async (prefix, extension, bytes, type) => (await (type === "temp" ? temporary : output)()).save(prefix, extension, bytes),
    saveAs: async (name, bytes) => (await output()).saveAs(name, bytes),
    runDirectory: async (name) => (await output()).runDirectory(name),
    runRecords: (file) => runRecords(request.output, file),
    freeSpace: () => freeSpace(request.output),
    resume: request.resume,
    // The node that reads the file reports what is wrong with it.
    identify: (file) => identityOf(file, inputs, models).catch(() => null),
    workflow: request.workflow,
    isWatched,
    memory: () => process.memoryUsage.rss(),
    now: () => performance.now(),
    clock: () => Date.now(),
  };
}

async function identityOf(file: OpenedFile, inputs: InputFiles, models: ModelFolders): Promise<string | null> {
  switch (file.kind) {
    case "input":
      return inputs.fingerprint(file.name);
    case "model":
      return models.fingerprint(file.folder, file.name);
    case "text":
      return (await models.textFingerprint(file.folder, file.name, file.path)) ?? null;
    case "external":
      return fingerprintOf(file.path);
  }
}

/** Opens once, at the first call: folders are made when something is first saved. */
function once<T>(open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | undefined;
  return () => {
    opened ??= open();
    return opened;
  };
}
