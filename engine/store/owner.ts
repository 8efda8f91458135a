// Identifies this process among processes of other machines and containers that use the same files.
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import { sha256 } from "../base/hash.ts";
import { processIsAlive, processStart } from "./process-id.ts";

export interface Owner {
  readonly host: string;
  /** Where process ids mean the same: this boot of this kernel, this container. 16 hexadecimal digits. */
  readonly machine: string;
  readonly pid: number;
  /** When the process started, as the kernel counts it; "" where it does not tell. */
  readonly start: string;
}

const told = (read: () => string): string => {
  try {
    return read().trim();
  } catch {
    return "";
  }
};

const machine = sha256(
  JSON.stringify([
    hostname(),
    told(() => readFileSync("/proc/sys/kernel/random/boot_id", "latin1")),
    told(() => readlinkSync("/proc/self/ns/pid")),
  ]),
).slice(0, 16);

/** This process. */
export const self: Owner = { host: hostname(), machine, pid: process.pid, start: processStart(process.pid) };

/** Whether a process runs; undefined when it is of another machine, where nothing can be said. */
export function ownerIsAlive(owner: Pick<Owner, "machine" | "pid" | "start">): boolean | undefined {
  if (owner.machine !== self.machine) return undefined;
  return processIsAlive(owner.pid) && processStart(owner.pid) === owner.start;
}
