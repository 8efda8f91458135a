// The CLI over toy nodes that misbehave on request.
import { main } from "../../engine/cli/main.ts";
import { endWithLauncher, outliveReaders } from "../../engine/cli/process-wiring.ts";
import { toyNodes } from "../crash/toy-nodes.ts";

outliveReaders();
endWithLauncher();

process.exitCode = await main(process.argv.slice(2), {
  root: new URL("../..", import.meta.url).pathname.replace(/\/$/, ""),
  worker: new URL("../crash/toy-worker.ts", import.meta.url),
  nodes: async () => toyNodes,
  runtimeInfo: async () => ({ version: "0.0.0", backends: [] }),
});
