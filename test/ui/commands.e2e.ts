// Commands that users of ComfyUI expect: groups, alignment, clipboard with links, the queue's front, parts of a graph, and what is read from files.
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Doc, DocNode, Handle } from "./harness.ts";
import { editor, server } from "./stand.ts";

const ROOT = join(import.meta.dirname, "../..");

const MUTED = 2;

/** A picture that is saved twice, under two names. */
const TWO_OUTPUTS = {
  1: { class_type: "LoadImage", inputs: { image: "person-1.png" } },
  2: { class_type: "SaveImage", inputs: { images: ["1", 0], filename_prefix: "left" }, _meta: { title: "Left" } },
  3: { class_type: "SaveImage", inputs: { images: ["1", 0], filename_prefix: "right" }, _meta: { title: "Right" } },
};
const drop = async (graph: Readonly<Record<string, unknown>>): Promise<Doc> => {
  await editor.dropFile("dropped.json", "application/json", Buffer.from(JSON.stringify(graph)));
  return editor.until((d) => d.nodes.length === Object.keys(graph).length, "the graph that was dropped");
};
const api = async (path: string) => (await fetch(`${server.url}/api/${path}`)).json() as Promise<Record<string, unknown>>;
const count = async () => ((await api("runs?limit=200")).runs as readonly unknown[]).length;
/** Until the server has found nothing against the graph in view. */
const settled = () =>
  expect
    .poll(() =>
      editor.page.evaluate(() => {
        const { app } = (globalThis as unknown as Handle).whosWho as unknown as {
          app: { editor: { doc: { value: unknown } }; problems: { ofServer: { value?: { doc: unknown } } } };
        };
        return app.problems.ofServer.value?.doc === app.editor.doc.value;
      }),
    )
    .toBe(true);
/** Until the server has it too: the page of the next test asks there. */
const runAfterEachChange = async (isOn: boolean): Promise<void> => {
  await editor.action("Run after each change");
  await expect.poll(async () => JSON.stringify(await api("settings"))).toContain(`"autoRun":${isOn}`);
};
const modes = (nodes: readonly DocNode[]) => nodes.map((n) => n.mode);

describe("arranging", () => {
  test("a group goes round what is selected, takes it along, mutes it, and fits to it", async () => {
    await editor.add("LoadImage", -350, -250);
    await editor.add("SaveImage", 150, -250);
    await editor.page.keyboard.press("Control+a");
    await editor.page.keyboard.press("Control+g");
    const { groups, nodes } = await editor.until((d) => d.groups.length === 1, "the group");
    const [x = 0, y = 0, width = 0, height = 0] = groups[0]?.bounding ?? [];
    for (const n of nodes) {
      expect(n.pos[0]).toBeGreaterThan(x);
      expect(n.pos[0] + n.size[0]).toBeLessThan(x + width);
      expect(n.pos[1] + n.size[1]).toBeLessThan(y + height);
    }
    await editor.page.keyboard.press("Escape");
    const title = await editor.spot(x + 30, y + 12);
    await editor.drag(title, { x: title.x + 80, y: title.y + 60 });
    const moved = await editor.until((d) => d.groups[0]?.bounding[0] !== x, "the group elsewhere");
    const by = (moved.groups[0]?.bounding[0] ?? 0) - x;
    expect(moved.nodes.map((n, i) => n.pos[0] - (nodes[i]?.pos[0] ?? 0))).toEqual([by, by]);
    const menu = async (entry: string): Promise<void> => {
      const [gx = 0, gy = 0] = (await editor.document()).groups[0]?.bounding ?? [];
      await editor.click(await editor.spot(gx + 30, gy + 12), { button: "right" });
      await editor.page.getByRole("menuitem", { name: entry }).click();
    };
    await menu("Mute its nodes");
    await editor.until((d) => modes(d.nodes).every((m) => m === MUTED), "muted nodes");
    await menu("Enable its nodes");
    await editor.until((d) => modes(d.nodes).every((m) => m === 0), "nodes that run");
    await menu("Remove the group");
    expect((await editor.until((d) => d.groups.length === 0, "no group")).nodes.length).toBe(2);
  });

  test("nodes are aligned and spread evenly", async () => {
    for (const [x, y] of [
      [-420, -260],
      [-60, -180],
      [200, 40],
    ] as const)
      await editor.add("VAEDecode", x, y);
    await editor.page.keyboard.press("Control+a");
    await editor.action("Distribute down");
    const gaps = (nodes: readonly DocNode[]) => {
      const sorted = nodes.toSorted((a, b) => a.pos[1] - b.pos[1]);
      return sorted.slice(1).map((n, i) => n.pos[1] - (sorted[i]?.pos[1] ?? 0) - (sorted[i]?.size[1] ?? 0));
    };
    await expect
      .poll(async () => {
        const [a = 0, b = 99] = gaps((await editor.document()).nodes);
        return Math.abs(a - b);
      })
      .toBeLessThanOrEqual(1);
    await editor.action("Align left edges");
    await expect.poll(async () => new Set((await editor.document()).nodes.map((n) => n.pos[0])).size).toBe(1);
  });

  test("copied nodes are pasted alone, or with the links that lead to them", async () => {
    await drop(TWO_OUTPUTS);
    await editor.goTo("Left");
    await editor.board.focus();
    await editor.page.keyboard.press("Control+c");
    await editor.page.keyboard.press("Control+v");
    expect((await editor.until((d) => d.nodes.length === 4, "a copy")).links.length).toBe(2);
    await editor.page.keyboard.press("Control+Shift+v");
    const { nodes, links } = await editor.until((d) => d.nodes.length === 5, "another copy");
    expect(links.length).toBe(3);
    const load = nodes.find((n) => n.type === "LoadImage");
    expect(links.every((l) => l.origin_id === load?.id)).toBe(true);
  });
});

describe("the queue", () => {
  test("several runs at one press, one before them, and all of them taken out", async () => {
    await drop(TWO_OUTPUTS);
    await editor.page.getByRole("button", { name: "Pause", exact: true }).click();
    await editor.page.getByRole("button", { name: "Go on with the queue" }).waitFor();
    try {
      await editor.page.getByRole("spinbutton", { name: "Number of runs" }).fill("3");
      await editor.page.getByRole("spinbutton", { name: "Number of runs" }).press("Tab");
      await editor.run();
      const queued = async () => (await api("queue")).queued as readonly string[];
      await expect.poll(async () => (await queued()).length).toBe(3);
      const before = await queued();
      await editor.page.getByRole("spinbutton", { name: "Number of runs" }).fill("1");
      await editor.page.getByRole("spinbutton", { name: "Number of runs" }).press("Tab");
      await editor.board.focus();
      await editor.page.keyboard.press("Control+Shift+Enter");
      await expect.poll(async () => (await queued()).length).toBe(4);
      expect((await queued()).slice(1)).toEqual(before);
      await editor.page.getByRole("button", { name: /^Queue/ }).click();
      await editor.page.getByRole("button", { name: "Clear what waits" }).click();
      await expect.poll(async () => (await queued()).length).toBe(0);
    } finally {
      await editor.page.getByRole("button", { name: "Go on with the queue" }).click();
      await editor.page.getByRole("button", { name: "Pause", exact: true }).waitFor();
    }
  });

  test("a seed goes on after each run as it is told to", async () => {
    await editor.startingPoint("Edit two people");
    const sampler = await editor.goTo("QwenImageEditSampler");
    const seed = async () => Number((await editor.node("QwenImageEditSampler")).widgets_values?.[0]);
    await editor.set(sampler, { seed: 41, steps: 1 });
    await editor.inspector.getByRole("combobox", { name: "after each run" }).selectOption("increment");
    await editor.run();
    await expect.poll(seed).toBe(42);
    await expect.poll(() => editor.state()).toBe("finished");
    await editor.inspector.getByRole("combobox", { name: "after each run" }).selectOption("fixed");
    const before = await count();
    await editor.run();
    await expect.poll(count).toBe(before + 1);
    await expect.poll(() => editor.state()).toBe("finished");
    expect(await seed()).toBe(42);
  });

  test("a part of the graph runs: what the selection leads to, and nothing else", async () => {
    await drop(TWO_OUTPUTS);
    await editor.goTo("Right");
    await editor.board.focus();
    await editor.page.keyboard.press("Shift+r");
    await expect.poll(() => editor.state()).toBe("finished");
    const [newest] = (await api("runs?limit=1")).runs as readonly { readonly id: string }[];
    const { nodes } = (await api(`runs/${newest?.id}`)) as { readonly nodes: readonly { readonly title: string }[] };
    expect(nodes.map((n) => n.title).toSorted()).toEqual(["LoadImage", "Right"]);
  });

  test("with `run after each change` a change runs by itself, one made during a run after it", async () => {
    const pictures = async () => {
      const [newest] = (await api("runs?limit=1")).runs as readonly { readonly pictures: readonly { readonly filename: string }[] }[];
      return newest?.pictures.map((p) => p.filename).join(" ");
    };
    await drop(TWO_OUTPUTS);
    await runAfterEachChange(true);
    const left = await editor.node("Left");
    await editor.set(left, { filename_prefix: "by-itself" });
    await expect.poll(() => editor.state()).toBe("finished");
    expect(await pictures()).toContain("by-itself");
    await editor.action("Pause or go on");
    await editor.set(left, { filename_prefix: "meanwhile" });
    await expect.poll(() => editor.state()).toBe("queued");
    await editor.set(left, { filename_prefix: "afterwards" });
    await editor.action("Pause or go on");
    await expect.poll(pictures).toContain("afterwards");
    await expect.poll(() => editor.state()).toBe("finished");
    // What is stopped is not followed by another.
    await editor.action("Pause or go on");
    await editor.set(left, { filename_prefix: "waiting" });
    await expect.poll(() => editor.state()).toBe("queued");
    await editor.set(left, { filename_prefix: "never" });
    await settled();
    await editor.board.focus();
    await editor.page.keyboard.press("Control+Alt+Enter");
    await expect.poll(() => editor.state()).toBe("cancelled");
    await editor.action("Pause or go on");
    // Nor is looking at the graph again a change.
    const before = await count();
    await editor.action("New graph");
    await editor.add("LoadImage", -200, -200);
    await editor.page.getByRole("tab").first().click();
    await editor.node("Left");
    await settled();
    expect(await count()).toBe(before);
    await runAfterEachChange(false);
  });

  test("with `run after each change` a seed that is drawn anew is no change", async () => {
    await editor.startingPoint("Edit two people");
    const sampler = await editor.goTo("QwenImageEditSampler");
    await editor.set(sampler, { seed: 7, steps: 1 });
    await settled();
    await runAfterEachChange(true);
    const before = await count();
    await editor.inspector.getByRole("combobox", { name: "after each run" }).selectOption("randomize");
    await expect.poll(count).toBe(before + 1);
    await expect.poll(() => editor.state()).toBe("finished");
    await settled();
    expect(await editor.state()).toBe("finished");
    expect(await count()).toBe(before + 1);
    await runAfterEachChange(false);
  });
});

describe("looking at parts", () => {
  test("Ctrl+Shift+click shows an output: a node that shows it is added once, and only what leads to it runs", async () => {
    const image = (await drop(TWO_OUTPUTS)).nodes.find((n) => n.type === "LoadImage");
    if (!image) throw new Error("no LoadImage");
    await editor.action("Fit the view");
    for (const times of [1, 2]) {
      await editor.click(await editor.title(image), { modifiers: ["Control", "Shift"] });
      await editor.until((d) => d.nodes.filter((n) => n.type === "PreviewImage").length === 1, `a preview, ${times}`);
      await expect.poll(() => editor.state()).toBe("finished");
    }
    const [newest] = (await api("runs?limit=1")).runs as readonly { readonly id: string }[];
    const { nodes } = (await api(`runs/${newest?.id}`)) as { readonly nodes: readonly { readonly type: string }[] };
    expect(nodes.map((n) => n.type).toSorted()).toEqual(["LoadImage", "PreviewImage"]);
  });

  test("a pinned result stands, whatever changes above it", async () => {
    await drop(TWO_OUTPUTS);
    await editor.goTo("LoadImage");
    await editor.run();
    await expect.poll(() => editor.state()).toBe("finished");
    type Ended = { readonly id: string; readonly state: string; readonly pictures: readonly { readonly filename: string }[] };
    const newest = async () => ((await api("runs?limit=1")).runs as readonly Ended[])[0];
    /** The run after this one, when it has finished. */
    const following = async (run: Ended | undefined): Promise<Ended | undefined> => {
      const isOver = async () => {
        const now = await newest();
        return now?.id !== run?.id && now?.state === "finished";
      };
      await expect.poll(isOver).toBe(true);
      return newest();
    };
    const look = async (run: Ended | undefined): Promise<string> => {
      const name = run?.pictures.map((p) => p.filename).find((f) => f.startsWith("left"));
      const answer = await fetch(`${server.url}/api/files/output/${name}?width=64`);
      expect(answer.status).toBe(200);
      return Buffer.from(await answer.arrayBuffer()).toString("base64");
    };
    const before = await newest();
    await editor.board.focus();
    await editor.page.keyboard.press("Shift+p");
    await editor.set(await editor.node("LoadImage"), { image: "person-2.png" });
    await editor.set(await editor.node("Left"), { filename_prefix: "left-again" });
    await editor.run();
    const pinned = await following(before);
    expect(await look(pinned)).toBe(await look(before));
    // Without the pin the other person is saved.
    await editor.goTo("LoadImage");
    await editor.board.focus();
    await editor.page.keyboard.press("Shift+p");
    await editor.run();
    expect(await look(await following(pinned))).not.toBe(await look(before));
  });

  test("an estimate says of every node what would become of it", async () => {
    await drop(TWO_OUTPUTS);
    const states = () =>
      editor.page.evaluate(() => {
        const { app } = (globalThis as unknown as Handle).whosWho;
        const { runner } = app as unknown as {
          runner: { cost: { value?: { report: { nodes: { id: string; state: string }[] } } } };
        };
        return runner.cost.value?.report.nodes.map((n) => n.state) ?? [];
      });
    await editor.action("Estimate what it costs");
    // What loads the picture may be known from an earlier run.
    await expect.poll(async () => (await states()).toSorted()).toEqual([expect.stringMatching(/^(run|cached)$/), "run", "run"]);
  });
});

describe("files and what is known", () => {
  test("what runs is exported in the API format", async () => {
    await drop(TWO_OUTPUTS);
    const [file] = await Promise.all([editor.page.waitForEvent("download"), editor.action("Export what runs (API format)")]);
    const prompt = JSON.parse(readFileSync(await file.path(), "utf8")) as Record<
      string,
      { class_type: string; inputs: Record<string, unknown> }
    >;
    expect(
      Object.values(prompt)
        .map((n) => n.class_type)
        .toSorted(),
    ).toEqual(["LoadImage", "SaveImage", "SaveImage"]);
    const left = Object.values(prompt).find((n) => n.inputs.filename_prefix === "left");
    expect(left?.inputs.images).toEqual([Object.keys(prompt).find((id) => prompt[id]?.class_type === "LoadImage"), 0]);
  });

  test("R reads again what is in the folders; a node that is marked stands first", async () => {
    await editor.add("LoadImage", -200, -200);
    mkdirSync(join(server.folder, "input"), { recursive: true });
    copyFileSync(join(ROOT, "graphs/input/person-2.png"), join(server.folder, "input/just-put-there.png"));
    await editor.board.focus();
    await editor.page.keyboard.press("r");
    await editor.goTo("LoadImage");
    await expect
      .poll(() => editor.inspector.getByRole("combobox").first().locator("option", { hasText: "just-put-there.png" }).count())
      .toBe(1);
    await editor.board.focus();
    await editor.page.keyboard.press("n");
    const nodes = editor.page.getByRole("complementary", { name: "Nodes" });
    await nodes.getByRole("button", { name: "HungarianMatch", exact: true }).hover();
    await nodes.getByRole("button", { name: "Mark HungarianMatch" }).first().click();
    await nodes.getByRole("region", { name: "Marked" }).getByRole("button", { name: "HungarianMatch", exact: true }).waitFor();
    await nodes.getByRole("button", { name: "Unmark HungarianMatch" }).first().click();
  });

  test("a model that is not there is a problem that says where to put it; F8 goes from problem to problem; the log opens by its key", async () => {
    await drop({
      1: { class_type: "UNETLoader", inputs: { unet_name: "nowhere.safetensors", weight_dtype: "default" } },
      2: { class_type: "CFGNorm", inputs: { model: ["1", 0], strength: 1, pre_cfg: false } },
      3: { class_type: "SaveTensors", inputs: { value_1: ["2", 0], filename_prefix: "x" } },
    });
    await editor.page.getByRole("button", { name: /problem/ }).click();
    const drawer = editor.page.getByRole("region", { name: "Problems" });
    await drawer.getByText("nowhere.safetensors", { exact: false }).first().waitFor();
    await drawer.getByText("diffusion_models", { exact: false }).first().waitFor();
    await drawer.getByRole("button", { name: "Copy the message" }).first().click();
    await expect.poll(() => editor.page.evaluate("navigator.clipboard.readText()")).toContain("nowhere.safetensors");
    await editor.board.focus();
    await editor.page.keyboard.press("F8");
    await expect.poll(async () => (await editor.selection()).length).toBe(1);
    await editor.page.keyboard.press("Control+`");
    await editor.page.getByRole("region", { name: "Log" }).waitFor();
  });

  test("an error that nobody expected brings where it came from, to be copied into a report", async () => {
    await drop(TWO_OUTPUTS);
    await editor.run();
    await expect.poll(() => editor.state()).toBe("finished");
    // No node of ours fails like this: the end of the run is made up.
    await editor.page.evaluate(() => {
      const { app } = (globalThis as unknown as Handle).whosWho;
      const runs = app.runs as unknown as { summaries: { value: Map<string, Record<string, unknown>> } };
      const summary = app.runs.summaryOf(app.editor.tab.value.id);
      if (!summary) throw new Error("no run");
      const error = {
        code: "NODE_FAILED",
        message: "x is not a function",
        details: { trace: "TypeError: x is not a function\n    at save" },
      };
      runs.summaries.value = new Map(runs.summaries.value).set(summary.id, { ...summary, state: "failed", error });
    });
    await editor.page.getByRole("button", { name: /problem/ }).click();
    const drawer = editor.page.getByRole("region", { name: "Problems" });
    await drawer.getByText("Where it came from, for a report").click();
    await drawer.getByText("at save", { exact: false }).waitFor();
    await drawer.getByRole("button", { name: "Copy the message" }).first().click();
    await expect.poll(() => editor.page.evaluate("navigator.clipboard.readText()")).toContain("at save");
  });
});
