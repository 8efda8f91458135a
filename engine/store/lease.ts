// One owner at a time for a folder: a file in it names the owner, and is touched while the owner lives.
import { randomBytes } from "node:crypto";
import { readFileSync, statSync, unlinkSync } from "node:fs";
import { readFile, stat, unlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { AppError } from "../base/errors.ts";
import { createAtomic } from "./atomic-write.ts";
import { ownerIsAlive, self } from "./owner.ts";

const NAME = ".lease";
const BEAT_MS = 5000;
/** Attempts to take over, while another process may be doing the same. */
const TRIES = 200;
const PAUSE_MS = 25;
/** An owner on another machine that has not touched its lease for this long is gone. */
export const STALE_MS = 60_000;

const leaseFile = z.object({
  host: z.string(),
  machine: z.string(),
  pid: z.number().int(),
  start: z.string(),
  /** Tells two leases of one process apart. */
  token: z.string(),
  /** What it is held for: a run's id. */
  what: z.string(),
  /** ISO 8601. */
  since: z.string(),
});
type LeaseFile = z.infer<typeof leaseFile>;

export interface Lease {
  release(): Promise<void>;
}

/**
 * Takes a folder, which must exist. The lease of an owner that is gone is taken over.
 * @param what it is taken for; whoever is refused reads it
 * @throws AppError STORE_LEASED with who holds it; STORE_*
 */
export async function takeLease(folder: string, what: string): Promise<Lease> {
  const path = join(folder, NAME);
  const mine: LeaseFile = { ...self, token: randomBytes(8).toString("hex"), what, since: new Date().toISOString() };
  const bytes = new TextEncoder().encode(`${JSON.stringify(mine)}\n`);
  for (let left = TRIES; !(await createAtomic(path, bytes)); left--) {
    const holder = await read(path);
    if (left === 0 || (holder && (await isHeld(path, holder)))) throw refusal(folder, holder);
    await removeDead(path);
  }
  // The file system's clock counts, which is the same for all who see the folder.
  const beat = setInterval(() => void utimes(path, new Date(), new Date()).catch(() => undefined), BEAT_MS);
  beat.unref();
  const leave = (): void => {
    if (readSync(path)?.token === mine.token) unlinkSync(path);
  };
  process.once("exit", leave);
  return {
    async release() {
      clearInterval(beat);
      process.off("exit", leave);
      if ((await read(path))?.token === mine.token) await unlink(path).catch(() => undefined);
    },
  };
}

/** For callers that can't wait: whether the lease was touched recently, by this machine's clock. */
export function isLeasedRecently(folder: string): boolean {
  try {
    return Date.now() - statSync(join(folder, NAME)).mtimeMs < 10 * STALE_MS;
  } catch {
    return false;
  }
}

async function isHeld(path: string, holder: LeaseFile): Promise<boolean> {
  const alive = ownerIsAlive(holder);
  if (alive !== undefined) return alive;
  const touched = await stat(path).catch(() => undefined);
  return touched !== undefined && (await now(path)) - touched.mtimeMs < STALE_MS;
}

/** The time by the clock that stamps the folder's files: another machine's may differ from ours. */
async function now(path: string): Promise<number> {
  const probe = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    await writeFile(probe, "");
    return (await stat(probe)).mtimeMs;
  } catch {
    return Date.now();
  } finally {
    await unlink(probe).catch(() => undefined);
  }
}

/** Removes a lease whose owner is gone. One process at a time, which looks again first: nobody else ever removes another's lease. */
async function removeDead(path: string): Promise<void> {
  const guard = `${path}.guard`;
  if (!(await createAtomic(guard, new Uint8Array()))) {
    // Held for some milliseconds, unless its process was killed in them.
    const made = await stat(guard).catch(() => undefined);
    if (made && (await now(path)) - made.mtimeMs > STALE_MS) await unlink(guard).catch(() => undefined);
    await pause(PAUSE_MS);
    return;
  }
  try {
    // A lease that is not there now may be somebody's by the time it would be removed.
    const text = await readFile(path, "utf8").catch(() => undefined);
    if (text === undefined) return;
    const holder = parsed(text);
    if (!holder || !(await isHeld(path, holder))) await unlink(path).catch(() => undefined);
  } finally {
    await unlink(guard).catch(() => undefined);
  }
}

/** undefined: there is none, or it is damaged, which counts as none. */
async function read(path: string): Promise<LeaseFile | undefined> {
  return parsed(await readFile(path, "utf8").catch(() => ""));
}

function readSync(path: string): LeaseFile | undefined {
  try {
    return parsed(readFileSync(path, "utf8"));
  } catch {
    return undefined;
  }
}

function parsed(text: string): LeaseFile | undefined {
  try {
    return leaseFile.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

function refusal(folder: string, holder: LeaseFile | undefined): AppError {
  const who = holder ? `process ${holder.pid} on ${holder.host} (${holder.what}), since ${holder.since}` : "another process";
  return new AppError("STORE_LEASED", `${folder} is in use by ${who}`, {
    hint: "wait for it, stop it, or choose another folder with --out",
    ...(holder && { details: { host: holder.host, pid: holder.pid, what: holder.what, since: holder.since } }),
  });
}
