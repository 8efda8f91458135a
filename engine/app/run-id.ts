import { randomBytes } from "node:crypto";

/** `20260131-174205-3fa9c1`: the time in UTC, then random digits that tell runs of the same second apart. Sorts by time. */
export function runId(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace(/[-:]/g, "").replace("T", "-")}-${randomBytes(3).toString("hex")}`;
}
