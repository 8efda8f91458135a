// The panels that no peer has: who is who, training with its curves and samples, rewards with their gradient, two runs side by side.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Handle } from "./harness.ts";
import { editor } from "./stand.ts";

const ROOT = join(import.meta.dirname, "../..");

const ended = (how: string) => expect.poll(() => editor.state()).toBe(how);

/** `graphs/train.json` with small numbers: an update takes a moment, not seconds. */
function smallTraining(): Buffer {
  const graph = JSON.parse(readFileSync(join(ROOT, "graphs/train.json"), "utf8"));
  for (const id of ["7", "10", "11", "12"]) delete graph[id];
  Object.assign(graph["4"].inputs, { train: 4, held_out: 1 });
  Object.assign(graph["9"].inputs, {
    steps: 400,
    accumulate: 1,
    rank: 2,
    alpha: 2,
    denoise_steps: 3,
    window_end: 2,
    lr_schedule: "constant",
    warmup: 0,
    sample_every: 2,
    samples: 1,
    checkpoint_every: 1,
  });
  return Buffer.from(JSON.stringify(graph));
}

describe("who is who", () => {
  test("boxes and lines on the picture, the matrix as a table; a dragged threshold changes pairs at once, and is used", async () => {
    await editor.startingPoint("Who is who");
    await editor.run();
    await ended("finished");
    await editor.goTo("Who is who");
    const panel = editor.inspector.getByRole("region", { name: "Who is who" }).first();
    await expect.poll(() => panel.locator(".match-picture image").count()).toBeGreaterThanOrEqual(3);
    expect(await panel.locator(".match-line").count()).toBe(2);
    expect(await panel.locator(".match-line.refused").count()).toBe(0);
    const matrix = panel.locator("table.matrix");
    expect(await matrix.locator("tbody tr").count()).toBe(2);
    expect(await matrix.locator("td.matched").count()).toBe(2);
    await panel.getByText("All 2 references are in the picture").waitFor();
    // By keys, as a slider is moved: nobody is accepted any more. Distances: to the left is stricter.
    const slider = panel.getByRole("slider");
    await slider.focus();
    await editor.page.keyboard.press("Home");
    await expect.poll(() => panel.locator(".match-line.refused").count()).toBe(2);
    await panel.getByText("Reference 1 is not in the picture", { exact: false }).waitFor();
    await panel.getByRole("button", { name: /^Use / }).click();
    const doc = await editor.until((d) => d.nodes.some((n) => n.widgets_values?.includes("custom") ?? false), "the threshold on the node");
    expect(doc.nodes.find((n) => n.type === "HungarianMatch")?.widgets_values).toContain("custom");
    // Large, in a dialog; a cell lights up its row and column by the keyboard.
    await editor.inspector.getByRole("button", { name: "Who is who in full" }).click();
    const dialog = editor.page.getByRole("dialog");
    await dialog.locator("table.matrix td button").first().focus();
    await editor.page.keyboard.press("ArrowRight");
    await expect.poll(() => dialog.locator("table.matrix td.lit").count()).toBeGreaterThanOrEqual(3);
    await editor.page.keyboard.press("Escape");
  });

  test("FaceDetect shows the faces it found, on the node and in the inspector", async () => {
    await editor.startingPoint("Who is who");
    await editor.run();
    await ended("finished");
    await editor.goTo("Faces of A");
    const panel = editor.inspector.getByRole("region", { name: "Faces" }).first();
    await expect.poll(() => panel.locator(".face-box").count()).toBe(2);
    await panel.getByText(/^1: \d+ % · 2: \d+ %$/).waitFor();
  });

  test("two runs are compared: pictures under a slider, numbers with their differences, settings that differ", async () => {
    await editor.startingPoint("Who is who");
    await editor.run();
    await ended("finished");
    await editor.set(await editor.node("Faces of B"), { min_score: 0.6 });
    await editor.run();
    await expect.poll(() => editor.state()).not.toBe("finished");
    await ended("finished");
    await editor.page.keyboard.press("q");
    const card = editor.page.getByRole("article").first();
    await card.hover();
    await card.getByRole("button", { name: "Compare with another run" }).click();
    const dialog = editor.page.getByRole("dialog", { name: "Compare two runs" });
    await dialog.getByText("Settings that differ").waitFor();
    await dialog.getByRole("row", { name: /min_score.*0\.6/ }).waitFor();
    await dialog.getByRole("row", { name: /mimr_balanced/ }).waitFor();
    expect(await dialog.locator("img").count()).toBeGreaterThanOrEqual(2);
  });
});

describe("rewards", () => {
  test("links that carry a gradient say so, and where it stops, why", async () => {
    await editor.startingPoint("Score a picture");
    const flow = await editor.page.evaluate(() => {
      const { app } = (
        globalThis as unknown as { whosWho: { app: { gradient: { value: ReadonlyMap<string, { carries: boolean; reason?: string }> } } } }
      ).whosWho;
      return [...app.gradient.value].map(([id, f]) => ({ id, carries: f.carries, reason: f.reason ?? "" }));
    });
    expect(flow.some((f) => f.carries)).toBe(true);
    const stopped = flow.find((f) => !f.carries);
    expect(stopped?.reason).not.toBe("");
    const doc = await editor.document();
    for (const { id, text } of [
      { id: flow.find((f) => f.carries)?.id, text: "A gradient runs through this link." },
      { id: stopped?.id, text: /The gradient stops here/ },
    ]) {
      const link = doc.links.find((l) => String(l.id) === id);
      if (!link) throw new Error("no such link");
      await editor.page.evaluate((node) => (globalThis as unknown as Handle).whosWho.app.goTo(node), String(link.target_id));
      const tooltip = editor.page.getByRole("tooltip").getByText(text);
      // The view may still be on its way to the node, and then the pointer rests beside the link.
      await expect
        .poll(async () => {
          const [a, b] = await editor.page.evaluate(
            ([from, fs, to, ts]) => {
              const stage = (globalThis as unknown as Handle).whosWho.stage();
              return [stage?.socketAt({ node: from, slot: fs }, "output"), stage?.socketAt({ node: to, slot: ts }, "input")] as const;
            },
            [link.origin_id, link.origin_slot, link.target_id, link.target_slot] as const,
          );
          if (!a || !b) return "a socket is not on the canvas";
          await editor.page.mouse.move(5, 400);
          // A curve's middle lies between its ends.
          await editor.page.mouse.move((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, { steps: 3 });
          return tooltip.waitFor({ timeout: 5000 }).then(
            () => "told",
            () => "not told yet",
          );
        })
        .toBe("told");
    }
  });

  test("a picture is scored without training: the sum, its parts, and the gradient over the picture", async () => {
    await editor.startingPoint("Score a picture");
    await editor.goTo("Only with everybody in the picture");
    const zone = editor.inspector.locator(".score-drop");
    const files = ["graphs/input/two-people-a.jpg"].map((f) => join(ROOT, f));
    await zone.locator("input[type=file]").nth(1).setInputFiles(files);
    await zone.getByRole("list", { name: "People it should show" }).getByRole("listitem").waitFor();
    await zone.locator("input[type=file]").nth(0).setInputFiles(join(ROOT, "graphs/input/two-people-b.jpg"));
    const score = zone.getByRole("region", { name: "Score" });
    await score.locator(".score-value strong").waitFor({ timeout: 300_000 });
    expect(Number((await score.locator(".score-value strong").textContent())?.replace("−", "-"))).toBeGreaterThan(-2);
    expect(await score.locator(".score-parts tr").count()).toBeGreaterThan(1);
    const map = score.locator(".heat-stage canvas");
    await expect.poll(() => map.evaluate((c) => (c as unknown as { width: number }).width)).toBeGreaterThan(100);
    const strength = await map.evaluate((c) => {
      const canvas = c as unknown as {
        width: number;
        height: number;
        getContext(t: string): { getImageData(x: number, y: number, w: number, h: number): { data: Uint8ClampedArray } };
      };
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return data.reduce((n, v, i) => (i % 4 === 3 && v > 200 ? n + 1 : n), 0);
    });
    expect(strength).toBeGreaterThan(10);
    await score.getByRole("slider").fill("0");
    await expect.poll(() => map.evaluate((c) => (c as unknown as { style: { opacity: string } }).style.opacity)).toBe("0");
  });
});

describe("training", () => {
  test("curves and samples grow; it pauses, goes on, stops; another is laid over it, and what was set differently is told", async () => {
    await editor.dropFile("small.json", "application/json", smallTraining());
    const train = await editor.goTo("TrainReReFL");
    await editor.run();
    const panel = editor.inspector.getByRole("region", { name: /^Training small/ });
    const line = panel.locator(".training-line");
    const done = async (): Promise<number> => Number(/pdate (\d+) of/.exec((await line.textContent()) ?? "")?.[1] ?? 0);
    await expect.poll(done).toBeGreaterThanOrEqual(3);
    await expect.poll(() => line.textContent()).toMatch(/left/);
    // Rewards raw and held out, gradient norm, learning rate, each with its last value.
    for (const name of [/^reward/, /reward, held out/, /grad_norm/, /^lr/])
      await expect
        .poll(async () => (await panel.locator(".legend li", { hasText: name }).first().locator(".value").textContent()) ?? "")
        .toMatch(/\d/);
    expect(await panel.locator(".chart canvas").count()).toBe(3);
    // A seed in a row, an update in a column.
    await expect.poll(() => panel.locator(".samples th", { hasText: "update 2" }).count()).toBe(1);
    await panel.locator(".samples th", { hasText: "before" }).waitFor();
    await panel.locator(".samples button.sample").nth(-2).click();
    await panel.locator(".samples button.sample").nth(-1).click();
    await panel.locator(".samples input[type=range]").waitFor();

    await panel.getByRole("button", { name: "Pause" }).click();
    await ended("paused");
    await expect.poll(() => line.textContent()).toMatch(/paused/);
    const at = await done();
    await panel.getByRole("button", { name: "Resume" }).click();
    await expect.poll(() => editor.state()).toMatch(/queued|running/);
    await expect.poll(done).toBeGreaterThan(at);
    await panel.getByRole("button", { name: "Stop and keep" }).click();
    await ended("cancelled");
    const [lora] = await Promise.all([editor.page.waitForEvent("download"), panel.getByRole("button", { name: "Export LoRA" }).click()]);
    expect(lora.suggestedFilename()).toMatch(/-lora\.safetensors$/);
    expect(readFileSync(await lora.path()).includes("lora_A.weight")).toBe(true);

    const [best] = await Promise.all([
      editor.page.waitForEvent("download"),
      panel.getByRole("button", { name: "Export the best" }).click(),
    ]);
    expect(best.suggestedFilename()).toMatch(/-best-lora\.safetensors$/);
    expect(readFileSync(await best.path()).includes("lora_A.weight")).toBe(true);

    await editor.set(train, { learning_rate: 0.004, seed: 5 });
    await editor.run();
    await expect.poll(() => editor.state()).toMatch(/queued|running/);
    await expect.poll(done).toBeGreaterThanOrEqual(2);
    await panel.getByRole("button", { name: "Stop and keep" }).click();
    await ended("cancelled");
    await panel.getByRole("combobox", { name: "Compare with run" }).selectOption({ index: 1 });
    const different = panel.getByRole("region", { name: "Settings that differ" });
    await different.getByRole("row", { name: /learning_rate 0\.004 0\.002/ }).waitFor();
    await different.getByRole("row", { name: /seed 5 (0|default)/ }).waitFor();
    await expect.poll(() => panel.locator(".side-by-side .samples").count()).toBe(2);
    await expect.poll(() => panel.locator(".side-by-side img").count()).toBeGreaterThanOrEqual(4);
    expect(await panel.locator(".comparison .chart canvas").count()).toBe(3);
  });
});
