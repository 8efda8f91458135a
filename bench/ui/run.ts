// The editor and its server against the goals of both. On a busy machine every number is worse: run it alone.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBrowser } from "../../test/ui/harness.ts";
import { buildUi } from "../../ui/build.ts";
import { canvasSpeed } from "./canvas-speed.ts";
import { measuredTable } from "./measured.ts";
import { pageSpeed } from "./page-speed.ts";
import { startServer } from "./server-process.ts";
import { serverSpeed } from "./server-speed.ts";

/** Prints the sections. Needs Debian's Chromium, or another named in CHROMIUM. */
export async function uiSpeed(): Promise<void> {
  await buildUi();
  const folder = mkdtempSync(join(tmpdir(), "bench-ui-"));
  try {
    console.log("\nServer\n");
    console.log(measuredTable(await serverSpeed(folder)));
    const server = await startServer(join(folder, "page"));
    const browser = await openBrowser();
    try {
      console.log("\nPage\n");
      console.log(measuredTable(await pageSpeed(browser, server.url)));
      console.log("\nCanvas, 1600 × 1000, without a GPU\n");
      console.log(measuredTable(await canvasSpeed(browser, server.url)));
    } finally {
      await browser.close();
      await server.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}
