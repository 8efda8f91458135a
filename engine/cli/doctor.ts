import { statfs } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { dataFolder, modelRoots } from "../app/places.ts";
import type { Program } from "../app/program.ts";
import { versionsOf } from "../app/versions.ts";
import { byteCount } from "../base/byte-count.ts";
import { toAppError } from "../base/errors.ts";
import { memoryLimit } from "../base/memory-limit.ts";
import { Journal } from "../store/journal.ts";
import { ModelFolders } from "../store/model-folders.ts";
import { OutputDirectory } from "../store/output-directory.ts";
import { type Command, EXIT } from "./command.ts";
import { readArgs } from "./read-args.ts";

interface Check {
  readonly what: string;
  readonly isOk: boolean;
  readonly text: string;
  readonly hint?: string;
}

/** Below this much, a run is likely to end in STORE_FULL. */
const DISK_BYTES = 10 ** 9;

const OPTIONS = { json: { type: "boolean", default: false }, models: { type: "string", multiple: true } } as const;

/** Checks everything a run needs, one line each. Exit code 3 when something is missing. */
export const doctor: Command = async (args, program) => {
  const { values } = readArgs(args, OPTIONS, [0, 0], "graph doctor [--models DIR] [--json]");
  const checks = [
    await nodeCheck(program),
    await runtimeCheck(program),
    memoryCheck(),
    await diskCheck(),
    await dataCheck(program),
    await modelCheck(program, values.models),
  ];
  if (values.json) console.log(JSON.stringify(checks, null, 2));
  else
    for (const { what, isOk, text, hint } of checks) {
      console.log(`${isOk ? "ok  " : "FAIL"} ${what.padEnd(8)} ${text}`);
      if (hint !== undefined) console.log(`              ${hint}`);
    }
  return checks.every((check) => check.isOk) ? EXIT.ok : EXIT.failed;
};

async function nodeCheck(program: Program): Promise<Check> {
  const versions = await versionsOf(program);
  return { what: "node", isOk: true, text: `${versions.node} on ${process.platform} ${process.arch}, whos-who ${versions.package}` };
}

async function runtimeCheck(program: Program): Promise<Check> {
  try {
    const { version, backends } = await program.runtimeInfo();
    const names = backends.map(({ name, bundled }) => (bundled ? name : `${name} (not bundled)`));
    return { what: "runtime", isOk: true, text: `ONNX Runtime ${version}: ${names.join(", ")}` };
  } catch (error) {
    return { what: "runtime", isOk: false, text: toAppError(error).message, hint: "run `npm ci` again on this machine" };
  }
}

function memoryCheck(): Check {
  return {
    what: "memory",
    isOk: true,
    text: `${byteCount(process.availableMemory())} free of ${byteCount(memoryLimit())}, ${availableParallelism()} cores`,
  };
}

async function diskCheck(): Promise<Check> {
  const { bavail, bsize } = await statfs(process.cwd());
  const free = bavail * bsize;
  const isOk = free >= DISK_BYTES;
  return {
    what: "disk",
    isOk,
    text: `${byteCount(free)} free here`,
    ...(!isOk && { hint: "free some space, or choose another disk with --out" }),
  };
}

async function dataCheck(program: Program): Promise<Check> {
  const folder = dataFolder(program);
  try {
    const data = await OutputDirectory.open(folder);
    await data.saveAs("doctor.txt", new Uint8Array(1));
    new Journal(join(folder, "journal.sqlite")).close();
    return { what: "data", isOk: true, text: `can write to ${folder}` };
  } catch (error) {
    return { what: "data", isOk: false, text: toAppError(error).message, hint: "set WHOSWHO_DATA to a folder that can be written" };
  }
}

async function modelCheck(program: Program, folders: readonly string[] | undefined): Promise<Check> {
  const roots = modelRoots(program, folders);
  const found = await new ModelFolders({ roots }).found();
  const isOk = found.length > 0;
  const bytes = found.reduce((sum, m) => sum + m.bytes, 0);
  return {
    what: "models",
    isOk,
    text: `${found.length} found (${byteCount(bytes)}) in ${roots.join(", ")}`,
    ...(!isOk && { hint: "see `graph models`" }),
  };
}
