// Why a compute process died, in words a person can act on.
import { readFileSync } from "node:fs";
import type { RunError } from "../graph/events.ts";

export interface Death {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines it wrote to stderr. */
  readonly stderr: string;
  /** The reason it gave itself before it ended. */
  readonly said?: RunError;
  /** The watchdog killed it after this many milliseconds of silence. */
  readonly silentMs?: number;
  /** How many processes the kernel had killed for memory when the child started. */
  readonly oomKillsBefore: number;
  readonly wasReady: boolean;
}

const RESUME = "run it again: finished nodes are kept and are not computed a second time";
const LESS = "use smaller pictures, fewer references or a smaller model, or a machine with more memory; finished nodes are kept";

/** COMPUTE_OUT_OF_MEMORY, COMPUTE_SILENT, COMPUTE_START or COMPUTE_DIED. */
export function explainDeath(death: Death): RunError {
  const { code, signal, stderr, said, silentMs, wasReady } = death;
  const how = signal ? `was ended by ${signal}` : `ended with code ${code}`;
  const lines = stderr.trim().split("\n");
  const last = (lines.findLast((line) => /^\S*(error|fatal)/i.test(line)) ?? lines.at(-1) ?? "").slice(0, 500);
  if (silentMs !== undefined)
    return {
      code: "COMPUTE_SILENT",
      message: `the compute process said nothing for ${Math.round(silentMs / 1000)} s and was killed`,
      hint: RESUME,
    };
  if (
    said?.code === "COMPUTE_OUT_OF_MEMORY" ||
    /heap limit|heap out of memory|Array buffer allocation failed|bad_alloc|Cannot allocate memory/i.test(stderr)
  )
    return { code: "COMPUTE_OUT_OF_MEMORY", message: `the compute process ran out of memory (${how})`, hint: LESS };
  if (signal === "SIGKILL" && !said && oomKills() > death.oomKillsBefore)
    return { code: "COMPUTE_OUT_OF_MEMORY", message: "the system ended the compute process because memory ran out", hint: LESS };
  if (said) return { ...said, hint: said.hint ?? (wasReady ? RESUME : "run `graph doctor`") };
  if (!wasReady)
    return {
      code: "COMPUTE_START",
      message: `the compute process did not start: it ${how}${last && `: ${last}`}`,
      hint: "run `graph doctor`",
    };
  return { code: "COMPUTE_DIED", message: `the compute process ${how}${last && `: ${last}`}`, hint: RESUME };
}

/** How many processes the kernel has killed for memory, here or in this container; 0 where it does not tell. */
export function oomKills(): number {
  let kills = 0;
  for (const file of ["/proc/vmstat", "/sys/fs/cgroup/memory.events"]) {
    try {
      kills += Number(/^oom_kill (\d+)$/m.exec(readFileSync(file, "latin1"))?.[1] ?? 0);
    } catch {
      // Not Linux, or no such controller.
    }
  }
  return kills;
}
