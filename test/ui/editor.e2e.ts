// Everything around the canvas: keyboard, tabs, files, subgraphs, undo, palette, themes.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Doc, Editor, type Handle } from "./harness.ts";
import { browser, editor, server } from "./stand.ts";

const ROOT = join(import.meta.dirname, "../..");

const saved = (): Promise<string> => editor.page.evaluate(() => (globalThis as unknown as Handle).whosWho.save());
/** Drops files on the canvas as the system does. */
const drop = (files: readonly { readonly name: string; readonly type: string; readonly bytes: Buffer }[]): Promise<void> =>
  editor.page.evaluate(
    (list) => {
      const g = globalThis as unknown as {
        DataTransfer: new () => { items: { add(f: unknown): void } };
        File: new (b: unknown[], n: string, o: unknown) => unknown;
        DragEvent: new (t: string, o: unknown) => unknown;
        document: { querySelector(s: string): { dispatchEvent(e: unknown): void; getBoundingClientRect(): { left: number; top: number } } };
      };
      const data = new g.DataTransfer();
      for (const f of list) data.items.add(new g.File([Uint8Array.from(f.bytes)], f.name, { type: f.type }));
      const stage = g.document.querySelector(".stage");
      const { left, top } = stage.getBoundingClientRect();
      stage.dispatchEvent(
        new g.DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true, clientX: left + 100, clientY: top + 200 }),
      );
    },
    files.map((f) => ({ name: f.name, type: f.type, bytes: [...f.bytes] })),
  );

describe("keyboard alone", () => {
  test("a graph is built, joined and edited without the pointer", async () => {
    const { keyboard } = editor.page;
    await keyboard.press("a");
    await editor.search("LoadImage");
    await keyboard.press("a");
    await editor.search("SaveImage");
    await keyboard.press("[");
    await expect.poll(async () => (await editor.selection()).length).toBe(1);
    const image = await editor.node("LoadImage");
    await editor.page.evaluate((id) => {
      const { app } = (globalThis as unknown as Handle).whosWho;
      app.editor.selection.value = { ...app.editor.selection.value, nodes: [id] };
    }, image.id);
    await keyboard.press("l");
    await editor.page.getByRole("menuitem", { name: /IMAGE → SaveImage: images/ }).press("Enter");
    await editor.until((d) => d.links.length === 1, "a link");
    await keyboard.press("]");
    await keyboard.press("Enter");
    await editor.page.locator(".widget-editor, .popup input").first().waitFor();
    await keyboard.press("Escape");
    await keyboard.press("Control+m");
    await editor.until((d) => d.nodes.some((n) => n.mode === 2), "a muted node");
    await keyboard.press("Delete");
    await editor.until((d) => d.nodes.length === 1 && d.links.length === 0, "one node");
  });

  test("Alt+arrows go to the node in that direction; arrows move it", async () => {
    await editor.startingPoint("Who is who");
    await editor.page.keyboard.press("]");
    await expect.poll(async () => (await editor.selection()).length).toBe(1);
    const first = (await editor.selection())[0];
    await editor.page.keyboard.press("Alt+ArrowRight");
    await expect.poll(async () => (await editor.selection())[0]).not.toBe(first);
    const [id] = await editor.selection();
    const before = (await editor.document()).nodes.find((n) => n.id === id)?.pos;
    await editor.page.keyboard.press("ArrowDown");
    await editor.until((d) => d.nodes.find((n) => n.id === id)?.pos[1] === (before?.[1] ?? 0) + 10, "a step down");
  });

  test("Ctrl+K finds and runs commands, nodes and graphs; Esc goes back to the canvas", async () => {
    await editor.page.keyboard.press("Control+k");
    await editor.page.getByRole("combobox", { name: "Commands, nodes, graphs, runs" }).fill("ksampler");
    await editor.page.keyboard.press("Enter");
    await editor.node("KSampler");
    await editor.page.keyboard.press("Control+k");
    await editor.page.keyboard.press("Escape");
    await expect.poll(() => editor.page.getByRole("dialog").count()).toBe(0);
  });

  test("a shortcut is changed, works, and is kept", async () => {
    await editor.page.keyboard.press("?");
    await editor.page.getByRole("button", { name: "Change the key of Add a node" }).click();
    await editor.page.keyboard.press("F9");
    await editor.page.keyboard.press("Escape");
    await editor.page.reload();
    await editor.ready();
    await editor.page.keyboard.press("F9");
    await editor.page.getByRole("combobox", { name: "Search nodes" }).waitFor();
  });

  test("the list view tells every node, its links and its values", async () => {
    await editor.startingPoint("Who is who");
    await editor.action("List of nodes and links");
    const rows = editor.page.getByRole("table").getByRole("row");
    await expect.poll(() => rows.count()).toBe((await editor.document()).nodes.length + 1);
    await editor.page.getByRole("table").getByText("similarity: FaceSimilarity").first().waitFor();
  });
});

describe("undo", () => {
  test("everything that was done is undone, to the same file, byte for byte", async () => {
    await editor.startingPoint("Edit two people");
    const before = JSON.parse(await saved());
    const { keyboard } = editor.page;
    await keyboard.press("Control+a");
    await keyboard.press("ArrowRight");
    await keyboard.press("Control+b");
    await keyboard.press("Control+Shift+E");
    await editor.until((d) => d.nodes.length === 1, "a subgraph");
    await keyboard.press("Control+d");
    await editor.until((d) => d.nodes.length === 2, "two of them");
    await keyboard.press("Delete");
    await editor.until((d) => d.nodes.length === 1, "one of them");
    for (let i = 0; i < 5; i++) await keyboard.press("Control+z");
    await editor.until((d) => d.nodes.length > 5, "the nodes");
    const strip = (doc: { extra?: unknown }): unknown => ({ ...doc, extra: undefined });
    expect(JSON.stringify(strip(JSON.parse(await saved())))).toBe(JSON.stringify(strip(before)));
  });
});

describe("subgraphs", () => {
  test("made, entered, edited, left and unpacked", async () => {
    await editor.startingPoint("Who is who");
    const before = await editor.document();
    await editor.page.keyboard.press("Control+a");
    await editor.page.keyboard.press("Control+Shift+E");
    const made = await editor.until((d) => d.nodes.length === 1, "one node");
    await editor.page.keyboard.press("Enter");
    await editor.page.getByRole("navigation", { name: "Subgraphs" }).waitFor();
    await editor.until((d) => d.nodes.length === before.nodes.length, "the nodes inside");
    await editor.page.keyboard.press("Control+Shift+ArrowUp");
    await editor.until((d) => d.nodes[0]?.id === made.nodes[0]?.id, "outside");
    await editor.page.keyboard.press("Control+Shift+U");
    await editor.until((d) => d.nodes.length === before.nodes.length && d.links.length === before.links.length, "everything back");
  });
});

describe("files and tabs", () => {
  test("saved, closed and opened again; another name is another file", async () => {
    await editor.add("SaveImage", 0, -200);
    await editor.page.keyboard.press("Control+s");
    await editor.page.getByRole("textbox", { name: "Name", exact: true }).fill("my graph");
    await editor.page.keyboard.press("Enter");
    await editor.toast.getByText("Saved my graph").waitFor();
    await editor.page.getByRole("button", { name: "Close my graph" }).click();
    await editor.until((d) => d.nodes.length === 0, "an empty canvas");
    await editor.page.keyboard.press("w");
    await editor.page.getByRole("button", { name: /^my graph/ }).click();
    await editor.until((d) => d.nodes.length === 1, "the saved node");
  });

  test("a saved graph is renamed: its file and its tab; what can't be a name is refused", async () => {
    const save = async (name: string): Promise<void> => {
      await editor.page.keyboard.press("Control+s");
      await editor.page.getByRole("textbox", { name: "Name", exact: true }).fill(name);
      await editor.page.keyboard.press("Enter");
      await editor.toast.getByText(`Saved ${name}`).waitFor();
    };
    await editor.add("SaveImage", 0, -200);
    await save("rename me");
    await editor.page.keyboard.press("w");
    await editor.page.getByRole("button", { name: /^rename me/ }).hover();
    await editor.page.getByRole("button", { name: "Rename rename me" }).click();
    const name = editor.page.getByRole("textbox", { name: "Name", exact: true });
    const rename = editor.page.getByRole("button", { name: "Rename", exact: true });
    await name.fill("not / allowed");
    await expect.poll(() => rename.isDisabled()).toBe(true);
    await name.fill("renamed");
    await rename.click();
    await editor.page.getByRole("button", { name: /^renamed/ }).waitFor();
    expect(await editor.page.getByRole("button", { name: /^rename me/ }).count()).toBe(0);
    await editor.page.getByRole("tab", { name: /^renamed/ }).waitFor();
    const answer = await fetch(`${server.url}/api/graphs/renamed`);
    expect([answer.status, await answer.text()]).toEqual([200, expect.stringContaining("SaveImage")]);
    expect((await fetch(`${server.url}/api/graphs/rename%20me`)).status).toBe(404);
  });

  test("a graph that another window saved is not overwritten", async () => {
    const save = async (e: Editor, name?: string): Promise<void> => {
      await e.page.keyboard.press("Control+s");
      if (name === undefined) return;
      await e.page.getByRole("textbox", { name: "Name", exact: true }).fill(name);
      await e.page.keyboard.press("Enter");
      await e.toast.getByText(`Saved ${name}`).waitFor();
    };
    await editor.add("SaveImage", 0, -200);
    await save(editor, "shared");
    const other = await Editor.open(await browser.context(), server.url);
    await other.page.keyboard.press("w");
    await other.page.getByRole("button", { name: /^shared/ }).click();
    await other.until((d) => d.nodes.length === 1, "the graph");
    await other.add("VAEDecode", 0, 100);
    await editor.add("LoadImage", -300, 0);
    await save(other);
    await other.toast.getByText("Saved shared").waitFor();
    await save(editor);
    await editor.page.getByRole("dialog", { name: /was changed elsewhere/ }).waitFor();
    await editor.page.keyboard.press("Escape");
    await other.page.context().close();
  });

  test("what is open survives a reload, saved or not, with its view", async () => {
    await editor.startingPoint("Who is who");
    await editor.add("SaveImage", 0, -200);
    const doc = await editor.document();
    // Written shortly after the change, and at once when the page goes.
    await editor.page.reload();
    await editor.ready();
    await editor.until((d) => d.nodes.length === doc.nodes.length, "the same nodes");
  });

  test("closing a tab with changes asks; a closed one comes back", async () => {
    await editor.add("SaveImage", 0, -200);
    await editor.page.getByRole("button", { name: "Close untitled" }).click();
    await editor.page.getByRole("button", { name: "Close without saving" }).click();
    await editor.until((d) => d.nodes.length === 0, "an empty canvas");
    await editor.toast.getByRole("button", { name: "Reopen" }).click();
    await editor.until((d) => d.nodes.length === 1, "the node");
  });

  test("a ComfyUI workflow and an API prompt are dropped and opened; unknown nodes keep their data", async () => {
    const template = readFileSync(join(ROOT, "test/golden/templates/image_qwen_image_edit.json"));
    await drop([{ name: "template.json", type: "application/json", bytes: template }]);
    const count: number = JSON.parse(template.toString()).nodes.length;
    await editor.until((d) => d.nodes.length === count, "its nodes");
    await drop([{ name: "match.json", type: "application/json", bytes: readFileSync(join(ROOT, "graphs/match.json")) }]);
    await expect.poll(() => editor.page.getByRole("tab").count()).toBe(2);
    await editor.node("HungarianMatch");
  });

  test("a picture that was dropped becomes an input", async () => {
    await drop([{ name: "dropped.png", type: "image/png", bytes: readFileSync(join(ROOT, "graphs/input/person-1.png")) }]);
    const doc: Doc = await editor.until((d) => d.nodes.length === 1, "a node");
    expect(doc.nodes[0]?.type).toBe("LoadImage");
    expect(String(doc.nodes[0]?.widgets_values?.[0])).toMatch(/dropped.*\.png/);
  });

  test("a file that is no workflow is refused in words, and nothing is lost", async () => {
    await editor.add("SaveImage", 0, -200);
    const bad = join(server.folder, "bad.json");
    writeFileSync(bad, '{"nodes": 7}');
    await drop([{ name: "bad.json", type: "application/json", bytes: readFileSync(bad) }]);
    await editor.toast.getByText(/bad can't be opened/).waitFor();
    expect((await editor.document()).nodes).toHaveLength(1);
  });

  test("nodes are copied in one window and pasted in another", async () => {
    await editor.add("SaveImage", 0, -200);
    await editor.page.keyboard.press("Control+c");
    const other = await Editor.open(editor.page.context(), server.url);
    await other.page.bringToFront();
    await other.board.focus();
    await other.page.keyboard.press("Control+v");
    await other.until((d) => d.nodes.some((n) => n.type === "SaveImage"), "the copy");
  });
});

describe("look", () => {
  test("dark and light follow the system and the setting", async () => {
    const theme = () => editor.page.evaluate("document.documentElement.dataset.theme");
    expect(await theme()).toBe("dark");
    await editor.page.emulateMedia({ colorScheme: "light" });
    await expect.poll(theme).toBe("light");
    await editor.action("Dark or light");
    await expect.poll(theme).toBe("dark");
  });

  test("markup in titles, names and errors is shown as text", async () => {
    const node = await editor.add("SaveImage", 0, -200);
    await editor.page.evaluate((id) => {
      const { app } = (
        globalThis as unknown as { whosWho: { app: { editor: { perform(c: unknown[]): void; place: { value: unknown } } } } }
      ).whosWho;
      app.editor.perform([{ name: "node.rename", args: { place: app.editor.place.value, id, title: "<img src=x onerror=alert(1)>" } }]);
    }, node.id);
    await editor.page.getByRole("complementary", { name: "Inspector" }).getByText("<img src=x onerror=alert(1)>").waitFor();
    expect(await editor.page.locator("img[src=x]").count()).toBe(0);
  });

  test("the simple form runs the graph with the values it shows", async () => {
    await editor.startingPoint("Edit two people");
    await editor.action("Simple form");
    const form = editor.page.getByRole("dialog", { name: "edit" });
    await form.getByLabel(/steps/).fill("2");
    await form.getByLabel(/steps/).press("Enter");
    await editor.until(
      (d) => d.nodes.some((n) => n.type === "QwenImageEditSampler" && (n.widgets_values?.includes(2) ?? false)),
      "two steps",
    );
  });
});
