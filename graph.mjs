#!/usr/bin/env node
// Starts the CLI on a Node that runs TypeScript. Plain JavaScript: it must run on the Node that happens to be there (18 and up).
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module, { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const NEEDED = 24;

/** The Node that npm brings as the package `node`. */
function bundledNode() {
  try {
    const folder = dirname(createRequire(import.meta.url).resolve("node/package.json"));
    const path = join(folder, "bin", process.platform === "win32" ? "node.exe" : "node");
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

if (Number(process.versions.node.split(".")[0]) >= NEEDED) {
  // Compiled code is kept, for this process and (by the environment) the compute child: starting takes half the time.
  process.env.NODE_COMPILE_CACHE ??= fileURLToPath(new URL(".cache/compile", import.meta.url));
  module.enableCompileCache(process.env.NODE_COMPILE_CACHE);
  // Node refuses to strip types below node_modules: an installed package brings compiled files.
  await import(import.meta.url.includes("/node_modules/") ? "./dist/graph.js" : "./graph.ts");
} else {
  const node = bundledNode();
  if (node === undefined) {
    console.error(`graph needs Node.js ${NEEDED} or newer; this is ${process.version}.`);
    console.error(`In a checkout run \`npm ci\`, which brings it. Else install Node.js ${NEEDED} from https://nodejs.org.`);
    process.exitCode = 1;
  } else {
    const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
      // The channel closes when this process ends, however it ends.
      stdio: ["inherit", "inherit", "inherit", "ipc"],
      env: { ...process.env, WHOSWHO_LAUNCHER: "1" },
    });
    // A terminal's Ctrl-C reaches the child twice then, which it takes for once.
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
    child.on("exit", (code, signal) => {
      if (signal) {
        process.removeAllListeners(signal);
        process.kill(process.pid, signal);
      } else process.exitCode = code ?? 1;
    });
  }
}
