// Screenshots of the editor for the README and for looking at: `npm run shots [-- FOLDER]`. Small ones, as people see them.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Editor, type Handle, openBrowser, startServer } from "../test/ui/harness.ts";
import { buildUi } from "../ui/build.ts";

const folder = process.argv[2] ?? join(import.meta.dirname, "../docs/img");
mkdirSync(folder, { recursive: true });
await buildUi();
const server = await startServer();
const browser = await openBrowser();
const SIZES = [
  { width: 1280, height: 800 },
  { width: 2560, height: 1440 },
] as const;

/** One picture per size and theme; `only`: the ones that are not worth all four. */
async function shots(name: string, prepare: (editor: Editor) => Promise<void>, only = false): Promise<void> {
  for (const size of only ? SIZES.slice(0, 1) : SIZES)
    for (const dark of only ? [true] : [true, false]) {
      const context = await browser.context({ ...size, dark });
      const editor = await Editor.open(context, server.url);
      await prepare(editor);
      const file = `${name}-${dark ? "dark" : "light"}-${size.width}.png`;
      await editor.page.mouse.move(5, size.height - 5);
      await editor.page.waitForLoadState("networkidle");
      await editor.page.screenshot({ path: join(folder, file) });
      console.log(file);
      await context.close();
    }
}

const finished = async (editor: Editor): Promise<void> => {
  await editor.page.getByRole("button", { name: "Run", exact: true }).click();
  await editor.page.getByText(/^Done in/).waitFor({ timeout: 180_000 });
};

async function goTo(e: Editor, title: string): Promise<void> {
  const { id } = await e.node(title);
  await e.page.evaluate((to) => (globalThis as unknown as Handle).whosWho.app.goTo(to), String(id));
}

await shots("start", async () => undefined, true);
await shots("gallery", async (e) => {
  await e.action("Starting points");
  await e.page.locator(".card img").last().waitFor();
  await e.page.evaluate("Promise.all([...document.images].map((i) => i.decode().catch(() => 0)))");
});
await shots("edit", async (e) => {
  await e.startingPoint("Edit two people");
  await finished(e);
  await goTo(e, "Edited picture");
});
await shots("match", async (e) => {
  await e.startingPoint("Who is who");
  await finished(e);
  await goTo(e, "HungarianMatch");
  await e.page.keyboard.press("q");
});
await shots(
  "error",
  async (e) => {
    await e.add("SaveImage", 0, -100);
    await e.page.getByRole("button", { name: /1 problem/ }).click();
  },
  true,
);
await shots(
  "palette",
  async (e) => {
    await e.startingPoint("Edit two people");
    await e.page.keyboard.press("Control+k");
    await e.page.getByRole("combobox", { name: "Commands, nodes, graphs, runs" }).fill("face");
  },
  true,
);
await shots(
  "keys",
  async (e) => {
    await e.page.keyboard.press("?");
    await e.page.getByRole("dialog", { name: "Keyboard shortcuts" }).waitFor();
  },
  true,
);
await browser.close();
await server.stop();
