// The real server as a process of its own, whose event loop is watched.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

const ROOT = join(import.meta.dirname, "../..");

export interface ServerProcess {
  readonly url: string;
  readonly port: number;
  /** Longest hold of its event loop since it was last asked, ms. */
  held(): Promise<number>;
  stop(): Promise<void>;
}

/** @param folder of everything it writes */
export async function startServer(folder: string): Promise<ServerProcess> {
  const places = [`--out=${join(folder, "out")}`, `--graphs=${join(folder, "graphs")}`, `--input=${join(folder, "input")}`];
  const child = spawn(
    process.execPath,
    [`--import=${join(import.meta.dirname, "watch-loop.ts")}`, join(ROOT, "server.ts"), "--port=0", ...places],
    { cwd: ROOT, stdio: ["ignore", "pipe", "inherit", "ipc"], env: { ...process.env, WHOSWHO_DATA: join(folder, "data") } },
  );
  const url = await addressIn(child.stdout);
  return {
    url,
    port: Number(new URL(url).port),
    async held() {
      child.send("held");
      const [ms] = await once(child, "message");
      return Number(ms);
    },
    async stop() {
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      await gone;
    },
  };
}

/** As a person starts it, npm included. @returns milliseconds until its address is printed */
export async function timeStart(folder: string): Promise<number> {
  const started = performance.now();
  const child = spawn(
    "npm",
    ["start", "--", "--port=0", `--out=${join(folder, "out")}`, `--graphs=${join(folder, "graphs")}`, `--input=${join(folder, "input")}`],
    { cwd: ROOT, stdio: ["ignore", "pipe", "inherit"], env: { ...process.env, WHOSWHO_DATA: join(folder, "data") }, detached: true },
  );
  await addressIn(child.stdout);
  const ms = performance.now() - started;
  const gone = once(child, "exit");
  // npm does not pass every signal on; the group is npm's and the server's alone.
  if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
  await gone;
  return ms;
}

async function addressIn(output: Readable | null): Promise<string> {
  if (!output) throw new Error("the server has no output");
  const lines = createInterface({ input: output });
  for await (const line of lines) {
    const found = /http:\/\/\S+/.exec(line)?.[0];
    if (found !== undefined) return found;
  }
  throw new Error("the server ended before it told its address");
}
