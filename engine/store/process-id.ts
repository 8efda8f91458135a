import { readFileSync } from "node:fs";

/** Whether a process of this number exists, ours or not. */
export function processIsAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** When a process started, as the kernel counts it: process ids are reused, pairs of id and start time are not. "" where that is unknown. */
export function processStart(pid: number): string {
  try {
    // The second field is the program's name in brackets and may hold anything; the start time is the 20th after it (proc(5)).
    return (
      readFileSync(`/proc/${pid}/stat`, "latin1")
        .replace(/^.*\) /s, "")
        .split(" ")[19] ?? ""
    );
  } catch {
    return "";
  }
}
