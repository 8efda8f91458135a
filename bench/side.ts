// A process that answers requests, one line each.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { z } from "zod";
import { computeEnvironment } from "../engine/host/compute-environment.ts";
import { ran, ready, type Task } from "./task.ts";

export interface Side {
  /** @returns the numbers both sides must agree on. */
  prepare(task: Task, threads: number): Promise<readonly number[]>;
  run(): Promise<z.infer<typeof ran>>;
  end(): void;
}

/** The Python that has PyTorch: `PYTHON`, else `python3`; undefined where neither has. */
export function findPeer(): { readonly python: string; readonly version: string } | undefined {
  for (const python of [process.env.PYTHON, "python3"]) {
    if (!python) continue;
    const { status, stdout } = spawnSync(python, ["-W", "ignore", "-c", "import torch; print(torch.__version__)"], { encoding: "utf8" });
    if (status === 0) return { python, version: stdout.trim() };
  }
  return undefined;
}

export function ourSide(): Side {
  const env = computeEnvironment();
  return side(spawn(process.execPath, [join(import.meta.dirname, "our-side.ts")], { stdio: ["pipe", "pipe", "inherit"], env }));
}

export function peerSide(python: string, threads: number): Side {
  const env = { ...process.env, OMP_NUM_THREADS: String(threads) };
  return side(spawn(python, ["-W", "ignore", join(import.meta.dirname, "peer/serve.py")], { stdio: ["pipe", "pipe", "inherit"], env }));
}

function side(child: ChildProcess): Side {
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new Error("a side has no pipes");
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const ask = async <T>(what: unknown, schema: z.ZodType<T>): Promise<T> => {
    stdin.write(`${JSON.stringify(what)}\n`);
    const { value, done } = await lines.next();
    if (done) throw new Error(`${child.spawnargs.join(" ")} ended without an answer`);
    return schema.parse(JSON.parse(value));
  };
  return {
    prepare: async (task, threads) => (await ask({ task, threads }, ready)).check,
    run: () => ask({ run: true }, ran),
    end: () => stdin.end(),
  };
}
