import { join } from "node:path";
import { askedMemory } from "../base/memory-limit.ts";
import type { ComputeSettings } from "../host/messages.ts";
import { dataFolder } from "./places.ts";
import type { Program } from "./program.ts";
import { codeIdentity, type Versions } from "./versions.ts";

/** Results kept in memory, and on disk. */
const MEMORY_BYTES = 2 ** 31;
const STORED_BYTES = 8 * 2 ** 30;

/** How a compute process is set up. Results of other code, devices, thread counts and memory limits are not used: they may differ in the last bit. */
export function computeSettings(
  program: Program,
  versions: Versions,
  { device, threads }: { readonly device: ComputeSettings["device"]; readonly threads?: number | undefined },
): ComputeSettings {
  return {
    device,
    ...(threads !== undefined && { threads }),
    memoryBytes: MEMORY_BYTES,
    stored: {
      folder: join(dataFolder(program), "results"),
      budgetBytes: STORED_BYTES,
      salt: JSON.stringify([codeIdentity(program, versions), device, threads ?? 0, askedMemory()]),
    },
  };
}
