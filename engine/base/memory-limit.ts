import { byteCount, parseByteCount } from "./byte-count.ts";
import { AppError } from "./errors.ts";

/** Inherited by the compute process. */
const VARIABLE = "WHOSWHO_MEMORY";
/** Below this no model runs: a limit that was meant in other units. */
const LEAST = 256e6;

/**
 * Bytes of memory that this process may use: the machine's, or less where a container or control group (v1 or v2) or
 * {@link limitMemory} says so. Only in Node.
 * @throws AppError USAGE_MEMORY when the environment's WHOSWHO_MEMORY is no number of bytes
 */
export function memoryLimit(): number {
  const machine = process.getBuiltinModule("node:os").totalmem();
  // 0 or a number beyond any machine where there is no limit.
  const allowed = process.constrainedMemory();
  const available = allowed > 0 ? Math.min(allowed, machine) : machine;
  return Math.min(askedMemory() ?? available, available);
}

/** The limit that was asked for; null = none. A graph that does not fit runs block by block, which may change the last bits of a result. */
export function askedMemory(): number | null {
  const said = process.env[VARIABLE];
  return said === undefined || said === "" ? null : bytesOf(said);
}

/**
 * Sets the limit for this process and those it starts.
 * @param text such as `12GB`
 * @returns a warning when there is less than that
 * @throws AppError USAGE_MEMORY
 */
export function limitMemory(text: string): string | undefined {
  const asked = bytesOf(text);
  process.env[VARIABLE] = text;
  const limit = memoryLimit();
  return limit < asked ? `--memory ${text} is more than there is: ${byteCount(limit)} is the limit` : undefined;
}

function bytesOf(text: string): number {
  const bytes = parseByteCount(text);
  if (bytes === undefined || bytes < LEAST)
    throw new AppError("USAGE_MEMORY", `${text} is no amount of memory to work with`, { hint: "say it like 12GB; at least 256MB" });
  return bytes;
}
