// How it looks and reads: contrast of all text in both themes, narrow windows, a page twice as large, and what a screen reader hears.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { lowContrast } from "./contrast.ts";
import { Editor, type OpenBrowser, openBrowser, startServer, type TestServer } from "./harness.ts";

let server: TestServer;
let browser: OpenBrowser;
let editor: Editor;
beforeAll(async () => {
  server = await startServer();
  browser = await openBrowser();
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});
afterEach(async () => {
  expect(editor.errors).toEqual([]);
  await editor.page.context().close();
});

describe.each([true, false])("dark: %s", (dark) => {
  beforeEach(async () => {
    editor = await Editor.open(await browser.context({ dark }), server.url);
  });

  test("all text is at least 4.5:1, whatever is open", async () => {
    const low: Record<string, string[]> = {};
    const look = async (name: string): Promise<void> => {
      const found = await editor.page.evaluate(lowContrast);
      if (found.length > 0) low[name] = found;
    };
    await look("empty");
    for (const key of ["n", "w", "m", "q"]) {
      await editor.page.keyboard.press(key);
      await look(`panel ${key}`);
    }
    await editor.page.keyboard.press("q");
    for (const [name, keys] of [
      ["palette", "Control+k"],
      ["settings", "Control+,"],
      ["shortcuts", "?"],
      ["gallery", "Control+Alt+g"],
    ] as const) {
      await editor.page.keyboard.press(keys);
      await editor.page.getByRole("dialog").waitFor();
      await look(name);
      await editor.page.keyboard.press("Escape");
      await editor.page.getByRole("dialog").waitFor({ state: "detached" });
    }
    await editor.startingPoint("Who is who");
    await editor.run();
    await expect.poll(() => editor.state(), { timeout: 100_000 }).toBe("finished");
    for (const node of ["Who is who", "Faces of A", "SaveMetrics"]) {
      await editor.goTo(node);
      await look(node);
    }
    await editor.page.getByRole("button", { name: "Run", exact: true }).hover();
    await look("Run under the pointer");
    await editor.action("About this node");
    await look("about");
    await editor.page.keyboard.press("Escape");
    await editor.action("List of nodes and links");
    await look("list");
    await editor.action("List of nodes and links");
    await editor.action("New graph");
    await editor.add("SaveImage", 0, -200);
    await editor.page.getByRole("button", { name: /1 problem/ }).click();
    await editor.page.getByRole("region", { name: "Problems" }).getByText("images").first().waitFor();
    await look("problems");
    expect(low).toEqual({});
  });
});

describe("small windows", () => {
  test.each([
    { width: 640, height: 400, scale: 2 },
    { width: 480, height: 800, scale: 1 },
  ])("$width × $height: nothing is cut off, panels are sheets, one at a time", async (size) => {
    editor = await Editor.open(await browser.context(size), server.url);
    const { page } = editor;
    await page.getByRole("button", { name: "Starting points" }).waitFor();
    expect(await page.getByRole("complementary").count()).toBe(0);
    const wide = (): Promise<number> => page.evaluate("document.documentElement.scrollWidth - innerWidth");
    expect(await wide()).toBeLessThanOrEqual(0);
    // What is always there can be reached without scrolling sideways.
    for (const name of ["Run", "Settings", "Inspector", "Log"]) {
      const box = await page.getByRole("button", { name, exact: true }).boundingBox();
      expect([name, box !== null && box.x >= 0 && box.x + box.width <= size.width]).toEqual([name, true]);
    }
    await page.keyboard.press("n");
    await page.getByRole("complementary", { name: "Nodes" }).waitFor();
    await page.getByRole("button", { name: "Inspector" }).click();
    await page.getByRole("complementary", { name: "Inspector" }).waitFor();
    expect(await page.getByRole("complementary").count()).toBe(1);
    await page.getByRole("button", { name: "Close the inspector" }).click();
    await page.keyboard.press("Control+,");
    const dialog = page.getByRole("dialog", { name: "Settings" });
    const last = dialog.getByRole("button", { name: "Back to the defaults" });
    const box = await last.boundingBox();
    expect(box !== null && box.x >= 0 && box.x + box.width <= size.width && box.y + box.height <= size.height).toBe(true);
    expect(await wide()).toBeLessThanOrEqual(0);
  });
});

describe("without seeing it", () => {
  beforeEach(async () => {
    editor = await Editor.open(await browser.context(), server.url);
  });

  test("every control has a name, the canvas says what it is, and each step which node of how many", async () => {
    await editor.startingPoint("Who is who");
    const unnamed = await editor.page.evaluate(() => {
      // biome-ignore lint/suspicious/noExplicitAny: the DOM, inside the page
      const { document } = globalThis as any;
      return [...document.querySelectorAll("button, input, select, textarea, a[href], [tabindex='0']")].flatMap((e) => {
        const label = e.getAttribute("aria-label") ?? e.getAttribute("title") ?? e.labels?.[0]?.textContent ?? e.textContent ?? "";
        return label.trim() !== "" || e.getAttribute("aria-hidden") === "true" ? [] : [e.outerHTML.slice(0, 120)];
      });
    });
    expect(unnamed).toEqual([]);
    await editor.board.focus();
    const count = (await editor.document()).nodes.length;
    const heard = editor.page.locator("section.stage > [role=status]");
    await editor.page.keyboard.press("]");
    await expect.poll(() => heard.textContent()).toMatch(new RegExp(`, \\d+ of ${count}`));
    const first = await heard.textContent();
    await editor.page.keyboard.press("]");
    await expect.poll(() => heard.textContent()).not.toBe(first);
    await editor.page.keyboard.press("[");
    await expect.poll(() => heard.textContent()).toBe(first);
  });

  test("with reduced motion nothing moves, and with forced colours every state still has its mark", async () => {
    await editor.page.emulateMedia({ reducedMotion: "reduce", forcedColors: "active" });
    await editor.page.keyboard.press("Control+s");
    await editor.page.keyboard.press("Escape");
    const moving = await editor.page.evaluate(() => {
      // biome-ignore lint/suspicious/noExplicitAny: the DOM, inside the page
      const { document, getComputedStyle } = globalThis as any;
      return [...document.querySelectorAll("*")].filter((e) => {
        const s = getComputedStyle(e);
        return s.animationName !== "none" || s.transitionDuration.split(", ").some((d: string) => d !== "0s");
      }).length;
    });
    expect(moving).toBe(0);
  });
});
