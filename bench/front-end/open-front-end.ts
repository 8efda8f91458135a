import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { WebSocketServer } from "ws";
import { z } from "zod";
import { openBrowser } from "../../test/ui/harness.ts";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".svg": "image/svg+xml",
};

/** What the front end asks a ComfyUI server for when it starts; everything else is empty. */
const ANSWERS: Readonly<Record<string, unknown>> = {
  "/settings": {
    "Comfy.TutorialCompleted": true,
    "Comfy.Workflow.ShowMissingNodesWarning": false,
    "Comfy.Workflow.ShowMissingModelsWarning": false,
  },
  "/users": { storage: "server", migrated: true },
  "/system_stats": {
    system: {
      os: "posix",
      python_version: "3",
      embedded_python: false,
      comfyui_version: "0.3.99",
      pytorch_version: "2",
      argv: [],
      ram_total: 1,
      ram_free: 1,
    },
    devices: [],
  },
  "/queue": { queue_running: [], queue_pending: [] },
  "/features": {},
};

/** A prompt as the front end sends it, and the file that it saves. */
export const asked = z.object({
  text: z.string(),
  output: z.record(z.string(), z.looseObject({ class_type: z.string().optional(), inputs: z.record(z.string(), z.unknown()) })),
});
export type Asked = z.infer<typeof asked>;

export interface FrontEnd {
  /** What the front end sends when a person opens this file and presses Run. */
  promptOf(text: string): Promise<Asked["output"]>;
  /** A graph put together by chance, through the front end's own calls. */
  random(seed: number): Promise<Asked>;
  close(): Promise<void>;
}

/** ComfyUI's built front end (`comfyui_frontend_package/static` of PyPI's comfyui-frontend-package) in a browser, with these nodes. */
export async function openFrontEnd(folder: string, objectInfo: unknown): Promise<FrontEnd> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://localhost");
    const api = /^\/api(\/.*)$/.exec(pathname)?.[1];
    if (api !== undefined) {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(api === "/object_info" ? objectInfo : (ANSWERS[api] ?? [])));
      return;
    }
    const path = join(folder, normalize(decodeURIComponent(pathname === "/" ? "/index.html" : pathname)));
    if (!existsSync(path)) {
      response.statusCode = 404;
      response.end();
      return;
    }
    response.setHeader("content-type", TYPES[extname(path)] ?? "application/octet-stream");
    response.end(readFileSync(path));
  });
  const sockets = new WebSocketServer({ server });
  sockets.on("connection", (s) =>
    s.send(JSON.stringify({ type: "status", data: { status: { exec_info: { queue_remaining: 0 } }, sid: "1" } })),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = z.object({ port: z.number() }).parse(server.address());
  const browser = await openBrowser();
  const page = await (await browser.context()).newPage();
  await page.goto(`http://127.0.0.1:${port}/`);
  await page.waitForFunction("window.app?.graph && window.LiteGraph?.registered_node_types?.KSampler");
  await page.addScriptTag({ path: join(import.meta.dirname, "in-page.js") });
  const call = async (name: string, argument: unknown): Promise<Asked> =>
    asked.parse(await page.evaluate(`window.whosWho.${name}(${JSON.stringify(argument)})`));
  return {
    promptOf: async (text) => (await call("open", text)).output,
    random: (seed) => call("random", seed),
    close: async () => {
      await browser.close();
      sockets.close();
      server.close();
      server.closeAllConnections();
    },
  };
}
