// What runs: from an empty canvas to a score, training watched, and everything that may go wrong meanwhile.

import { execFileSync, spawn } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Editor, type Handle, startServer } from "./harness.ts";
import { browser, editor, server } from "./stand.ts";

const ROOT = join(import.meta.dirname, "../..");

const ended = (e: Editor, how: string) => expect.poll(() => e.state()).toBe(how);

/** `graphs/train.json` with small numbers. */
function training(): Buffer {
  const graph = JSON.parse(readFileSync(join(ROOT, "graphs/train.json"), "utf8"));
  for (const id of ["7", "10", "11", "12"]) delete graph[id];
  Object.assign(graph["4"].inputs, { train: 4, held_out: 1 });
  Object.assign(graph["9"].inputs, { steps: 400, accumulate: 1, rank: 2, alpha: 2, denoise_steps: 3, window_end: 2, samples: 1 });
  return Buffer.from(JSON.stringify(graph));
}

describe("running", () => {
  test("a graph built by search and link release runs, shows its picture, and is the same by `graph run`", async () => {
    const image = await editor.add("LoadImage", -350, -250);
    await editor.click(await editor.widget(image, "image"));
    await editor.page.locator(".popup input").first().fill("person-1");
    await editor.page.keyboard.press("Enter");
    await editor.until((d) => d.nodes[0]?.widgets_values?.includes("person-1.png") ?? false, "the picture's name");
    await editor.drag(await editor.socket(image, "output", "IMAGE"), await editor.spot(0, -200));
    await editor.search("SaveImage");
    await editor.run();
    await ended(editor, "finished");
    const save = await editor.node("SaveImage");
    const made = readdirSync(join(server.folder, "out"), { recursive: true, encoding: "utf8" }).find((f) => f.endsWith(".png")) ?? "";
    expect(made).not.toBe("");
    // The same file by the command line: the same picture, byte for byte but for the workflow inside.
    const workflow = await editor.page.evaluate(() => (globalThis as unknown as Handle).whosWho.save());
    const file = join(server.folder, "made.json");
    writeFileSync(file, workflow);
    execFileSync(
      process.execPath,
      [join(ROOT, "graph.ts"), "run", file, "--out", join(server.folder, "cli"), "--input", join(ROOT, "graphs/input")],
      {
        cwd: ROOT,
        env: { ...process.env, WHOSWHO_DATA: join(server.folder, "cli-data") },
      },
    );
    const other = readdirSync(join(server.folder, "cli"), { recursive: true, encoding: "utf8" }).find((f) => f.endsWith(".png")) ?? "";
    expect(pixels(readFileSync(join(server.folder, "cli", other)))).toEqual(pixels(readFileSync(join(server.folder, "out", made))));
    expect(save.type).toBe("SaveImage");
  });

  test("Who is who: the starting point runs, nodes are marked, the scores can be read; again it is all known", async () => {
    await editor.startingPoint("Who is who");
    await editor.run();
    await ended(editor, "finished");
    await editor.page.getByRole("complementary", { name: "Inspector" }).getByText("mimr_balanced").waitFor();
    await editor.run();
    await expect.poll(() => nodeStates(editor)).toContain("cached");
    await ended(editor, "finished");
  });

  test("a sampler shows what its picture looks like while it runs, on the node and in the inspector", async () => {
    await editor.startingPoint("Edit two people");
    const [sampler] = (await editor.document()).nodes.filter((n) => /Sampler$/.test(n.type));
    if (!sampler) throw new Error("no sampler");
    await editor.set(sampler, { seed: 4711, steps: 6 });
    await editor.goTo(sampler.title ?? sampler.type);
    // The last of them is kept aside: it goes when the sampler is done.
    await editor.page.evaluate(`new MutationObserver(() => {
      window.lastPreview = document.querySelector(".preview img")?.src ?? window.lastPreview;
    }).observe(document.body, { subtree: true, childList: true, attributes: true })`);
    await editor.run();
    await ended(editor, "finished");
    const picture = editor.inspector.locator(".preview img");
    expect(await picture.count()).toBe(0);
    // Not one colour: the people stand on something.
    const spread = await editor.page.evaluate(`(async () => {
      const image = new Image();
      image.src = window.lastPreview;
      await image.decode();
      const context = new OffscreenCanvas(image.naturalWidth, image.naturalHeight).getContext("2d");
      context.drawImage(image, 0, 0);
      const { data } = context.getImageData(0, 0, image.naturalWidth, image.naturalHeight);
      const green = data.filter((_, i) => i % 4 === 1);
      return Math.max(...green) - Math.min(...green);
    })()`);
    expect(spread).toBeGreaterThan(60);
    // What is kept of the run has no such pictures.
    await editor.page.reload();
    await editor.ready();
    await editor.goTo(sampler.title ?? sampler.type);
    await editor.inspector.getByText("done").waitFor();
    expect(await picture.count()).toBe(0);
  });

  test("a missing picture is a problem with a remedy before anything runs, and leads to its node", async () => {
    const image = await editor.add("LoadImage", -350, -250);
    await editor.drag(await editor.socket(image, "output", "IMAGE"), await editor.spot(0, -200));
    await editor.search("SaveImage");
    await editor.run();
    const problems = editor.page.getByRole("region", { name: "Problems" });
    await problems.getByRole("button", { name: "Go to" }).first().waitFor();
    await editor.page.keyboard.press("Escape");
    await problems.getByRole("button", { name: "Go to" }).first().click();
    await expect.poll(() => editor.selection()).toEqual([image.id]);
  });

  test("an input that is not connected is told while drawing", async () => {
    await editor.add("SaveImage", 0, -200);
    await editor.page.getByRole("button", { name: /1 problem/ }).click();
    await editor.page.getByRole("region", { name: "Problems" }).getByText("images").first().waitFor();
    await editor.page.keyboard.press("Control+z");
    await editor.page.getByRole("button", { name: "No problems" }).waitFor();
  });

  test("a training is watched, survives a reload, and stops", async () => {
    await editor.startingPoint("Train a LoRA on identity");
    await editor.run();
    await expect.poll(() => editor.state()).toBe("running");
    await editor.page.reload();
    await editor.ready();
    await expect.poll(() => editor.state()).toBe("running");
    await expect.poll(() => editor.page.title()).toContain("%");
    await editor.page.getByRole("button", { name: "Stop", exact: true }).click();
    await expect.poll(() => editor.state()).not.toBe("running");
  });

  test("the queue holds, reorders and resumes", async () => {
    await editor.action("Pause or go on");
    await editor.startingPoint("Who is who");
    await editor.run();
    await editor.page.getByRole("button", { name: "Queue 1" }).waitFor();
    await editor.run();
    await editor.page.getByRole("button", { name: "Queue 2" }).click();
    await editor.page.getByRole("button", { name: "Take out of the queue" }).first().click();
    await editor.page.getByRole("button", { name: "Queue 1" }).waitFor();
    await editor.page.getByRole("button", { name: "Clear what waits" }).click();
    await editor.page.getByRole("button", { name: "Queue 0" }).waitFor();
    await editor.action("Pause or go on");
  });

  test("the history opens the graph of a run with its results, and its picture opens the workflow that made it", async () => {
    await editor.page.keyboard.press("q");
    const card = editor.page
      .getByRole("article")
      .filter({ has: editor.page.locator("img") })
      .first();
    await card.hover();
    await card.getByRole("button", { name: "Open its graph" }).click();
    await editor.until((d) => d.nodes.length > 0, "its nodes");
    await expect.poll(() => nodeStates(editor)).not.toEqual([]);
    await card.getByRole("button", { name: /^Pictures of/ }).click();
    await editor.page.getByRole("button", { name: "Open the workflow that made it" }).click();
    await expect.poll(() => editor.page.getByRole("tab").count()).toBe(2);
  });
});

describe("several windows and a server that goes", () => {
  test("a picture opens in a tab of its own, as a picture and nothing else", async () => {
    const prompt = {
      1: { class_type: "LoadImage", inputs: { image: "person-1.png" } },
      2: { class_type: "SaveImage", inputs: { images: ["1", 0], filename_prefix: "own-tab" } },
    };
    await editor.dropFile("own-tab.json", "application/json", Buffer.from(JSON.stringify(prompt)));
    await editor.goTo("SaveImage");
    await editor.run();
    await ended(editor, "finished");
    await editor.inspector.getByRole("button", { name: /^Open own-tab/ }).click();
    const [tab] = await Promise.all([
      editor.page.context().waitForEvent("page"),
      editor.page.getByRole("link", { name: "Open in a tab of its own" }).click(),
    ]);
    await tab.waitForLoadState();
    expect(tab.url()).toMatch(/\/api\/files\/output\/own-tab_\d+_\.png$/);
    expect(await tab.locator("img").evaluate((img) => (img as unknown as { naturalWidth: number }).naturalWidth)).toBeGreaterThan(0);
    expect(await tab.evaluate("window.opener")).toBe(null);
    await tab.close();
  });

  test("the bar below and the window's title say how far a run is", async () => {
    await editor.dropFile("small.json", "application/json", training());
    await editor.node("TrainReReFL");
    await editor.run();
    const bar = editor.page.locator(".foot-now");
    // All that the training stands on is done; the training runs.
    await expect.poll(() => bar.textContent()).toMatch(/^[1-9]\d* of \d+ TrainReReFL/);
    await expect.poll(() => editor.page.title()).toMatch(/^[1-9]\d? % · /);
    await editor.page.getByRole("button", { name: "Stop", exact: true }).first().click();
    await ended(editor, "cancelled");
  });

  test("a run of the command line is watched here: how far it is, its curves, and how it ends", async () => {
    const file = join(server.folder, "from-the-command-line.json");
    writeFileSync(file, training());
    await editor.page.getByRole("button", { name: "Runs", exact: true }).click();
    const child = spawn(
      process.execPath,
      [
        join(ROOT, "graph.ts"),
        "run",
        file,
        "--out",
        join(server.folder, "cli-live"),
        "--input",
        join(ROOT, "graphs/input"),
        "--threads",
        "1",
      ],
      { cwd: ROOT, env: { ...process.env, WHOSWHO_DATA: join(server.folder, "data") }, stdio: "ignore" },
    );
    try {
      const card = editor.page.locator(".run-card", { hasText: "from-the-command-line" });
      await expect.poll(() => card.textContent()).toMatch(/running · [1-9]\d* of \d+/);
      await card.getByRole("button", { name: /^Open the graph of|^Pictures of/ }).click();
      await editor.until((d) => d.nodes.some((n) => n.type === "TrainReReFL"), "the graph of the run");
      await editor.goTo("TrainReReFL");
      const panel = editor.inspector.getByRole("region", { name: /^Training/ }).first();
      await expect.poll(() => panel.locator(".training-line").textContent()).toMatch(/pdate [1-9]/);
      // What was begun elsewhere is ended there.
      await card.getByRole("button", { name: "Stop" }).click();
      await editor.page.getByText("press Ctrl-C where it was begun", { exact: false }).first().waitFor();
      child.kill("SIGINT");
      await expect.poll(() => card.textContent()).toMatch(/stopped/);
    } finally {
      child.kill("SIGKILL");
    }
  });

  test("two windows on one server see the same runs", async () => {
    const other = await Editor.open(await browser.context(), server.url);
    await editor.page.keyboard.press("q");
    await other.page.keyboard.press("q");
    const count = (e: Editor) => e.page.getByRole("article").count();
    await expect.poll(() => count(other)).toBe(await count(editor));
    await editor.startingPoint("Who is who");
    const before = await count(other);
    await editor.run();
    await expect.poll(() => count(other)).toBe(before + 1);
    await ended(editor, "finished");
    await other.page.context().close();
  });

  test("kill -9 of the server in mid-run: the page says so, keeps the graph, and goes on when it is back", async () => {
    const own = await startServer();
    const there = await Editor.open(await browser.context(), own.url);
    await there.startingPoint("Train a LoRA on identity");
    await there.run();
    await expect.poll(() => there.state()).toBe("running");
    await own.stop("SIGKILL");
    await there.page.getByText("The server can't be reached.").waitFor();
    expect((await there.document()).nodes.length).toBeGreaterThan(5);
    const again = await startServer({ folder: own.folder, port: Number(new URL(own.url).port) });
    await there.page.getByText("The server can't be reached.").waitFor({ state: "detached" });
    await expect.poll(() => there.state()).not.toBe("running");
    await there.page.context().close();
    await again.stop();
  });
});

function nodeStates(e: Editor): Promise<string[]> {
  return e.page.evaluate(() => {
    const { app } = (
      globalThis as unknown as {
        whosWho: {
          app: { editor: { tab: { value: { id: string } } }; runs: { tabRun(id: string): { nodes: Map<string, { state: string }> } } };
        };
      }
    ).whosWho;
    return [...app.runs.tabRun(app.editor.tab.value.id).nodes.values()].map((n) => n.state);
  });
}

/** A PNG without its text chunks. */
function pixels(png: Buffer): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 8; at < png.length; ) {
    const length = png.readUInt32BE(at);
    const type = png.toString("latin1", at + 4, at + 8);
    if (type === "IHDR" || type === "IDAT") chunks.push(png.subarray(at, at + 12 + length));
    at += 12 + length;
  }
  return chunks;
}
