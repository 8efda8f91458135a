// Our side of a contest, in a process of its own: a request per line on stdin, an answer per line on stdout.
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { createRuntime } from "../engine/ort/runtime.ts";
import { arcfaceWork } from "./cases/arcface.ts";
import { productWork } from "./cases/product.ts";
import { transformerWork } from "./cases/transformer.ts";
import { request, type Task, type Work } from "./task.ts";

function prepare(task: Task, threads: number): Promise<Work> {
  const compute = createRuntime({ device: "cpu", threads });
  if (task.kind === "product") return productWork(compute, task);
  return task.kind === "reward" ? arcfaceWork(compute, task) : transformerWork(compute, task);
}

/** Largest resident memory of this process so far, in bytes; 0 where the system does not say. */
function peakMemory(): number {
  try {
    return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

let work: Work | undefined;
for await (const line of createInterface({ input: process.stdin })) {
  const asked = request.parse(JSON.parse(line));
  if ("task" in asked) {
    work = await prepare(asked.task, asked.threads);
    console.log(JSON.stringify({ check: await work.check() }));
  } else {
    const started = performance.now();
    await work?.run();
    console.log(JSON.stringify({ ms: performance.now() - started, peak: peakMemory() }));
  }
}
