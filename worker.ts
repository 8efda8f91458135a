// The compute child, in both of its threads. Only the one that computes loads nodes and runtime.
import { flushCompileCache } from "node:module";
import { serveCompute } from "./engine/host/compute-process.ts";

await serveCompute(import.meta.url, {
  nodes: async () => (await import("./nodes/implementations.ts")).implementations,
  runtime: async (options) => (await import("./engine/ort/runtime.ts")).createRuntime(options),
});
// This process is killed, never ended: what it compiled would be lost.
flushCompileCache();
