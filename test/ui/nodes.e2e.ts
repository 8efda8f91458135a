// What is done with one node or a few: the toolbox, masks, subgraphs that show values and are published, widgets that come and go.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { editor, server } from "./stand.ts";

const toolbox = () => editor.page.getByRole("toolbar", { name: "Selected nodes" });

describe("the toolbox", () => {
  test("stands by the selection, goes with it, and does what it says", async () => {
    const node = await editor.add("VAEDecode", -200, -100);
    const tools = toolbox();
    await tools.waitFor();
    const before = await tools.boundingBox();
    const title = await editor.title(node);
    expect(before?.y).toBeLessThan(title.y);
    await editor.drag(title, { x: title.x + 120, y: title.y + 60 });
    await expect.poll(async () => Math.round(((await tools.boundingBox())?.x ?? 0) - (before?.x ?? 0))).toBe(120);
    await tools.getByRole("button", { name: "Bypass" }).click();
    await editor.until((d) => d.nodes[0]?.mode === 4, "a bypassed node");
    await tools.getByRole("button", { name: "Colour" }).click();
    await tools.getByRole("button", { name: "Green", exact: true }).click();
    await editor.until((d) => (d.nodes[0] as { color?: string } | undefined)?.color === "#335533", "a green node");
    await tools.getByRole("button", { name: "Pin in place" }).click();
    await editor.until((d) => d.nodes[0]?.flags.pinned === true, "a pinned node");
    await tools.getByRole("button", { name: "Delete" }).click();
    await editor.until((d) => d.nodes.length === 0, "nothing");
    await tools.waitFor({ state: "detached" });
  });

  test("a locked canvas has none", async () => {
    await editor.add("VAEDecode", -200, -100);
    await toolbox().waitFor();
    await editor.action("Lock the canvas");
    await toolbox().waitFor({ state: "detached" });
  });
});

describe("masks", () => {
  test("a mask is painted, undone, inverted, kept as transparency; the colours behind it stay", async () => {
    const node = await editor.add("LoadImage", -300, -200);
    await editor.set(node, { image: "two-people-a.jpg" });
    await editor.inspector.getByRole("button", { name: "Paint a mask" }).click();
    const dialog = editor.page.getByRole("dialog", { name: /^Mask of two-people-a/ });
    const board = dialog.locator("canvas");
    await expect.poll(() => board.evaluate((c) => (c as unknown as { width: number }).width)).toBe(960);
    const box = await board.boundingBox();
    if (!box) throw new Error("no canvas");
    const masked = (): Promise<number> =>
      board.evaluate((c) => {
        const canvas = c as unknown as {
          width: number;
          height: number;
          getContext(t: string): { getImageData(x: number, y: number, w: number, h: number): { data: Uint8ClampedArray } };
        };
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        let n = 0;
        for (let i = 3; i < data.length; i += 4) if ((data[i] ?? 0) > 127) n++;
        return n / (canvas.width * canvas.height);
      });
    const at = (x: number, y: number) => ({ x: box.x + x * box.width, y: box.y + y * box.height });
    await editor.drag(at(0.25, 0.25), at(0.25, 0.75));
    const stroke = await masked();
    expect(stroke).toBeGreaterThan(0.01);
    await editor.drag(at(0.75, 0.25), at(0.75, 0.75));
    expect(await masked()).toBeGreaterThan(stroke * 1.5);
    await editor.page.keyboard.press("Control+z");
    expect(await masked()).toBeCloseTo(stroke, 4);
    await dialog.getByRole("button", { name: "Invert" }).click();
    expect(await masked()).toBeCloseTo(1 - stroke, 2);
    await editor.page.keyboard.press("Control+z");
    await dialog.getByRole("button", { name: "Keep the mask" }).click();
    await editor.until((d) => String(d.nodes[0]?.widgets_values?.[0]) === "two-people-a-masked.png", "the masked copy");
    const read = async (path: string) => sharp(path).raw().toBuffer({ resolveWithObject: true });
    const made = await read(join(server.folder, "input", "two-people-a-masked.png"));
    const original = await read(join(import.meta.dirname, "../../graphs/input/two-people-a.jpg"));
    expect(made.info.channels).toBe(4);
    let [clear, other] = [0, 0];
    for (let i = 0; i < original.info.width * original.info.height; i++) {
      if ((made.data[4 * i + 3] ?? 0) < 128) clear++;
      for (let c = 0; c < 3; c++) if (made.data[4 * i + c] !== original.data[3 * i + c]) other++;
    }
    expect(other).toBe(0);
    expect(clear / (original.info.width * original.info.height)).toBeCloseTo(stroke, 2);
    // Opened again it begins with that mask, and undo of the graph brings the first picture back.
    await editor.inspector.getByRole("button", { name: "Paint a mask" }).click();
    await expect.poll(masked).toBeCloseTo(stroke, 2);
    await editor.page.keyboard.press("Escape");
    await editor.page.keyboard.press("Control+z");
    await editor.until((d) => String(d.nodes[0]?.widgets_values?.[0]) === "two-people-a.jpg", "the picture without a mask");
  });

  test("by the keyboard alone", async () => {
    const node = await editor.add("LoadImage", -300, -200);
    await editor.set(node, { image: "person-1.png" });
    await editor.action("Paint a mask");
    const dialog = editor.page.getByRole("dialog", { name: "Mask of person-1.png" });
    const undo = dialog.getByRole("button", { name: "Undo" });
    await expect.poll(() => dialog.locator("canvas").evaluate((c) => c === c.ownerDocument.activeElement)).toBe(true);
    await editor.page.keyboard.press("ArrowRight");
    await editor.page.keyboard.press("Space");
    await expect.poll(() => undo.isEnabled()).toBe(true);
    // What was painted is not lost by one key.
    await editor.page.keyboard.press("Escape");
    await editor.toast.getByText("Esc again leaves without keeping the mask.").waitFor();
    await editor.page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    expect(readdirSync(join(server.folder, "input")).filter((f) => f.startsWith("person-1"))).toEqual([]);
  });
});

describe("subgraphs", () => {
  test("a value inside is shown on the node outside, changed there, and taken off again", async () => {
    await editor.add("KSampler", -100, -200);
    await editor.page.keyboard.press("Control+Shift+E");
    const [made] = (await editor.until((d) => d.nodes.length === 1 && d.nodes[0]?.type !== "KSampler", "a subgraph")).nodes;
    await editor.page.keyboard.press("Enter");
    await editor.page.getByRole("navigation", { name: "Subgraphs" }).waitFor();
    const inner = await editor.node("KSampler");
    await editor.click(await editor.widget(inner, "steps"), { button: "right" });
    await editor.page.getByRole("menuitem", { name: "Show on the subgraph" }).click();
    await editor.page.keyboard.press("Control+Shift+ArrowUp");
    const outside = await editor.until((d) => d.nodes[0]?.id === made?.id, "outside");
    const [instance] = outside.nodes;
    if (!instance) throw new Error("no instance");
    await editor.click(await editor.widget(instance, "steps"));
    await editor.inPlace.fill("7");
    await editor.page.keyboard.press("Enter");
    await editor.until((d) => d.nodes[0]?.widgets_values?.includes(7) ?? false, "7 steps");
    // The inspector lists every value inside.
    await editor.inspector.getByText("Values shown on this node").click();
    await editor.inspector.getByRole("checkbox", { name: "KSampler: cfg" }).check();
    await editor.widget(instance, "cfg");
    await editor.inspector.getByRole("checkbox", { name: "KSampler: steps" }).uncheck();
    await expect.poll(() => editor.widget(instance, "steps").catch(() => "gone")).toBe("gone");
  });

  test("published, it is among the nodes of every graph; changed since, it comes as it was published", async () => {
    await editor.add("KSampler", -100, -200);
    await editor.page.keyboard.press("Control+Shift+E");
    await editor.until((d) => d.nodes[0]?.type !== "KSampler", "a subgraph");
    await editor.action("Publish the subgraph");
    await editor.page.getByRole("dialog", { name: "Publish the subgraph" }).getByRole("textbox", { name: "Name" }).fill("My sampler");
    await editor.page.keyboard.press("Enter");
    await editor.toast.getByText("Published My sampler", { exact: false }).waitFor();
    // Another node inside this one: the published one stays as it is.
    await editor.page.keyboard.press("Enter");
    await editor.page.getByRole("navigation", { name: "Subgraphs" }).waitFor();
    await editor.add("VAEDecode", 300, 100);
    await editor.page.keyboard.press("Control+Shift+ArrowUp");
    await editor.page.keyboard.press("Escape");
    await editor.page.keyboard.press("n");
    const panel = editor.page.getByRole("complementary", { name: "Nodes" });
    await panel.getByRole("button", { name: "My sampler", exact: true }).click();
    const two = await editor.until((d) => d.nodes.length === 2, "two subgraphs");
    expect(new Set(two.nodes.map((n) => n.type)).size).toBe(2);
    await editor.action("New graph");
    await editor.page.keyboard.press("Control+k");
    await editor.page.getByRole("combobox", { name: "Commands, nodes, graphs, runs" }).fill("My sampler");
    await editor.page.keyboard.press("Enter");
    const doc = await editor.until((d) => d.nodes.length === 1, "the subgraph in another graph");
    expect(doc.nodes[0]?.title).toBe("My sampler");
    // It is no graph among the saved ones.
    await editor.page.keyboard.press("w");
    await editor.page.getByText("Nothing saved yet.").waitFor();
  });
});

describe("widgets", () => {
  test("a training shows the values that its mode reads, and keeps the others", async () => {
    const node = await editor.add("TrainReReFL", -200, -300);
    await editor.inspector.getByLabel("window_end", { exact: true }).waitFor();
    const before = node.size[1];
    await editor.set(node, { mode: "sft" });
    await editor.inspector.getByLabel("window_end", { exact: true }).waitFor({ state: "hidden" });
    await expect.poll(() => editor.widget(node, "window_end").catch(() => "gone")).toBe("gone");
    const sft = await editor.until((d) => (d.nodes[0]?.size[1] ?? before) < before, "a shorter node");
    expect(sft.nodes[0]?.widgets_values).toHaveLength(node.widgets_values?.length ?? 0);
    await editor.inspector.getByText(/values not read with these settings/).click();
    await editor.inspector.getByLabel("window_end", { exact: true }).waitFor();
  });

  test("its page says what goes in and comes out, with ranges and defaults, and adds one", async () => {
    await editor.add("KSampler", 0, -200);
    await editor.goTo("KSampler");
    await editor.inspector.getByRole("button", { name: "About KSampler" }).click();
    const page = editor.page.getByRole("dialog", { name: "KSampler" });
    await page.getByRole("row", { name: /^steps INT, 1 to [\d,.]+, default 20/ }).waitFor();
    await page.getByRole("row", { name: /^model MODEL/ }).waitFor();
    await page.getByRole("listitem").filter({ hasText: "LATENT" }).first().waitFor();
    await page.getByRole("button", { name: "Add one" }).click();
    await editor.until((d) => d.nodes.filter((n) => n.type === "KSampler").length === 2, "a second one");
  });

  test("a Markdown note is read as it was meant: nothing in it runs or is fetched; badges stand above what is special", async () => {
    const asked: string[] = [];
    editor.page.on("request", (r) => asked.push(r.url()));
    const graph = {
      version: 0.4,
      nodes: [
        {
          id: 1,
          type: "MarkdownNote",
          pos: [0, 0],
          size: [320, 200],
          widgets_values: [
            "# Two **people**\n\n- one\n- [a guide](https://guide.example/x)\n\n<img src=https://elsewhere.example/a.png onerror=alert(1)>\n\n![words](https://elsewhere.example/b.png) [no](javascript:alert(1))",
          ],
        },
        { id: 2, type: "CFGNorm", pos: [400, 60], size: [260, 90], widgets_values: [1, false] },
      ],
      links: [],
    };
    await editor.dropFile("note.json", "application/json", Buffer.from(JSON.stringify(graph)));
    await editor.goTo("MarkdownNote");
    const note = editor.inspector.locator(".note-text");
    await note.getByRole("heading", { name: "Two people" }).waitFor();
    expect(await note.locator("strong").textContent()).toBe("people");
    expect(await note.locator("a").evaluateAll((all) => all.map((a) => [a.getAttribute("href"), a.getAttribute("rel")]))).toEqual([
      ["https://guide.example/x", "noreferrer noopener"],
    ]);
    expect(await note.locator("img").count()).toBe(0);
    await note.getByText("<img src=https://elsewhere.example/a.png onerror=alert(1)>").waitFor();
    expect(asked.filter((url) => url.includes("example"))).toEqual([]);

    const norm = await editor.node("CFGNorm");
    const title = await editor.title(norm);
    /** Pixels between the node's top and a little above: badges stand there. */
    const above = async (): Promise<string> => (await editor.pixels(title.x - 150, title.y - 32, 300, 14)).join(" ");
    const choose = async (badges: string): Promise<void> => {
      await editor.action("Settings");
      await editor.page.getByLabel("Badges on nodes").selectOption(badges);
      await editor.page.keyboard.press("Escape");
    };
    const special = await above();
    await choose("none");
    await expect.poll(async () => (await above()) === special).toBe(false);
    const none = await above();
    await choose("ids");
    await expect.poll(async () => [special, none].includes(await above())).toBe(false);
    await choose("special");
    await expect.poll(async () => (await above()) === special).toBe(true);
  });

  test("Tab goes from one value to the next", async () => {
    const node = await editor.add("KSampler", -100, -200);
    await editor.click(await editor.widget(node, "steps"));
    await editor.inPlace.fill("9");
    await editor.page.keyboard.press("Tab");
    await expect.poll(() => editor.inPlace.getAttribute("aria-label")).toBe("cfg");
    await editor.inPlace.fill("3");
    await editor.page.keyboard.press("Enter");
    await editor.until((d) => (d.nodes[0]?.widgets_values?.includes(9) && d.nodes[0].widgets_values.includes(3)) ?? false, "both");
  });
});

describe("settings", () => {
  test("trackers are off, are kept by address and name, and a wrong address is told", async () => {
    const trackers = (): Promise<unknown> =>
      editor.page.evaluate("fetch('/api/settings').then((r) => r.json()).then((s) => s.trackers ?? null)");
    expect(await trackers()).toBe(null);
    await editor.page.keyboard.press("Control+,");
    const form = editor.page.getByRole("group", { name: "Copy trainings to" });
    await form.getByRole("checkbox", { name: "Trackio" }).check();
    await form.getByLabel("Address").fill("localhost:7860");
    await form.getByLabel("Project").fill("faces");
    await form.getByText("the address begins with http", { exact: false }).waitFor();
    expect(await form.getByRole("button", { name: "Keep" }).isEnabled()).toBe(false);
    await form.getByLabel("Address").fill("http://127.0.0.1:7860");
    await form.getByRole("button", { name: "Keep" }).click();
    await expect.poll(trackers).toEqual({ trackio: { url: "http://127.0.0.1:7860", project: "faces" } });
    // Another setting does not take them away.
    await editor.page.getByRole("checkbox", { name: "Minimap" }).uncheck();
    await expect
      .poll(() => editor.page.evaluate("fetch('/api/settings').then((r) => r.json()).then((s) => s.editor?.minimap)"))
      .toBe(false);
    expect(await trackers()).toEqual({ trackio: { url: "http://127.0.0.1:7860", project: "faces" } });
    await form.getByRole("checkbox", { name: "Trackio" }).uncheck();
    await form.getByRole("button", { name: "Keep" }).click();
    await expect.poll(trackers).toEqual({});
  });
});
