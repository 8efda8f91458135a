// A page that takes its own times: see probe.js.
import { join } from "node:path";
import type { Page } from "playwright-core";
import { Editor, type OpenBrowser } from "../../test/ui/harness.ts";
import { bigWorkflow } from "./big-workflow.ts";

const PROBE = join(import.meta.dirname, "probe.js");

export async function probed(browser: OpenBrowser, url: string): Promise<Editor> {
  const context = await browser.context({ width: 1600, height: 1000 });
  await context.addInitScript({ path: PROBE });
  return Editor.open(context, url);
}

/** What a call of the probe answers. */
export const ask = <T>(page: Page, code: string): Promise<T> => page.evaluate<T>(`probe.${code}`);

/** @returns milliseconds from the choice of the file to the paint that shows its nodes */
export async function openFile(editor: Editor, count: number): Promise<number> {
  const opened = ask<number>(editor.page, `opened(${count})`);
  const buffer = Buffer.from(bigWorkflow(count));
  await editor.page.setInputFiles("input[type=file].hidden-text", { name: `${count} nodes.json`, mimeType: "application/json", buffer });
  return opened;
}
