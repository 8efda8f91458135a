// Composition root of the CLI. Everything heavy is loaded by the command that needs it: `graph help` must be quick.
import { main } from "./engine/cli/main.ts";

// The reader of a pipe may go away: `graph nodes | head`.
process.stdout.on("error", () => process.exit(0));

process.exitCode = await main(process.argv.slice(2), {
  root: import.meta.dirname,
  worker: new URL("./worker.ts", import.meta.url),
  nodes: async () => (await import("./nodes/index.ts")).nodes,
  runtimeInfo: async () => (await import("./engine/ort/runtime.ts")).runtimeInfo(),
});
