// Composition root of the server: reads its options, builds the page when its sources are newer, serves until it is told to end.
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { z } from "zod";
import { modelRoots } from "./engine/app/places.ts";
import type { Program } from "./engine/app/program.ts";
import { AppError, toAppError } from "./engine/base/errors.ts";
import { limitMemory } from "./engine/base/memory-limit.ts";
import { DEVICES } from "./engine/graph/devices.ts";
import { serve } from "./engine/http/serve.ts";
import { buildUi, UI_DIST } from "./ui/build.ts";

const USAGE = `npm start -- [FILE] [options]     draws, runs and watches workflows in the browser

  FILE                 a workflow to open (JSON, or a PNG made here)
  --port N             default 8188; 0 = any free one
  --host ADDRESS       default 127.0.0.1; any other needs the token that is printed then
  --allow-host NAME    another name this server is reached by; may be repeated
  --input DIR          pictures that workflows read (default input)
  --out DIR            what runs save (default out)
  --graphs DIR         saved workflows (default workflows)
  --models DIR         another model folder, searched first; may be repeated (also: WHOSWHO_MODELS)
  --device cpu|webgpu|cuda   what computes (default cpu)
  --no-page            only the API, for programs
  --threads N          threads of one operator (default: all cores)
  --memory SIZE        what a run may take, such as 12GB (default: what the machine or container allows)

Journal, queue and kept results lie in WHOSWHO_DATA. Ctrl-C ends it; a training saves first, and what waits is still there next time.`;

const options = z.object({
  port: z.coerce.number().int().min(0).max(65_535),
  host: z.string().min(1),
  "allow-host": z.array(z.string()).default([]),
  input: z.string(),
  out: z.string(),
  graphs: z.string(),
  models: z.array(z.string()).default([]),
  device: z.enum(DEVICES),
  threads: z.coerce.number().int().min(1).max(999).optional(),
});

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      port: { type: "string", default: "8188" },
      host: { type: "string", default: "127.0.0.1" },
      "allow-host": { type: "string", multiple: true },
      input: { type: "string", default: "input" },
      out: { type: "string", default: "out" },
      graphs: { type: "string", default: "workflows" },
      models: { type: "string", multiple: true },
      device: { type: "string", default: "cpu" },
      threads: { type: "string" },
      memory: { type: "string" },
      "no-page": { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return;
  }
  const parsed = options.safeParse(values);
  const first = parsed.error?.issues[0];
  if (!parsed.success)
    throw new AppError("USAGE_OPTION", `--${first?.path.join(".")}: ${first?.message}`, { hint: "see npm start -- --help" });
  if (positionals.length > 1)
    throw new AppError("USAGE_ARGUMENTS", `${positionals[1]} is one argument too many`, { hint: "name one workflow" });
  const given = parsed.data;
  const lessMemory = values.memory === undefined ? undefined : limitMemory(values.memory);
  if (lessMemory !== undefined) console.error(`warning: ${lessMemory}`);
  const program: Program = {
    root: import.meta.dirname,
    worker: new URL("./worker.ts", import.meta.url),
    nodes: async () => (await import("./nodes/index.ts")).nodes,
    runtimeInfo: async () => (await import("./engine/ort/runtime.ts")).runtimeInfo(),
  };
  if (!values["no-page"] && (await buildUi())) console.log("the page is built");
  const served = await serve({
    program,
    reader: new URL("./reader.ts", import.meta.url),
    ...(!values["no-page"] && { page: UI_DIST }),
    host: given.host,
    port: given.port,
    names: given["allow-host"],
    input: resolve(given.input),
    output: resolve(given.out),
    graphs: resolve(given.graphs),
    models: modelRoots(program, given.models),
    device: given.device,
    threads: given.threads,
    open: positionals[0] === undefined ? null : resolve(positionals[0]),
    onStderr: (text) => process.stderr.write(text),
  });
  console.log(`Who's Who: ${served.url}`);
  let isEnding = false;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const)
    process.on(signal, () => {
      if (isEnding) process.exit(1);
      isEnding = true;
      console.log("ending; a training saves first (Ctrl-C again kills)");
      void served.close().then(() => process.exit(0));
    });
}

await main().catch((error: unknown) => {
  const { code, message, hint } = toAppError(error);
  console.error(`error ${code}: ${message}`);
  if (hint !== undefined) console.error(`  ${hint}`);
  if (!(error instanceof AppError) && error instanceof Error) console.error(error.stack);
  process.exitCode = code.startsWith("USAGE_") || code.startsWith("ERR_PARSE_ARGS") ? 1 : 3;
});
