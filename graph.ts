// Composition root of the CLI. Everything heavy is loaded by the command that needs it: `graph help` must be quick.
import { dirname } from "node:path";
import { main } from "./engine/cli/main.ts";
import { endWithLauncher, outliveReaders } from "./engine/cli/process-wiring.ts";

/** An installed package runs compiled files, below `dist`. */
const compiled = import.meta.filename.endsWith(".js");

outliveReaders();
endWithLauncher();

process.exitCode = await main(process.argv.slice(2), {
  root: compiled ? dirname(import.meta.dirname) : import.meta.dirname,
  worker: new URL(compiled ? "./worker.js" : "./worker.ts", import.meta.url),
  nodes: async () => (await import("./nodes/index.ts")).nodes,
  runtimeInfo: async () => (await import("./engine/ort/runtime.ts")).runtimeInfo(),
});
