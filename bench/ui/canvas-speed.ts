// Panning, zooming and dragging in large graphs.
import type { Page } from "playwright-core";
import type { OpenBrowser, Spot } from "../../test/ui/harness.ts";
import type { Measured } from "./measured.ts";
import { ask, openFile, probed } from "./probed-page.ts";

const GESTURE_MS = 2500;
const SIZES = [
  { nodes: 541, fps: 60 },
  { nodes: 2000, fps: 30 },
] as const;
/** A display shows 60 frames a second: the first and the last of a gesture fall between two of them. */
const DISPLAY = 0.99;

/** Real input events, and the frames that the page gets to draw meanwhile. */
export async function canvasSpeed(browser: OpenBrowser, url: string): Promise<Measured[]> {
  const lines: Measured[] = [];
  for (const { nodes, fps } of SIZES) {
    const editor = await probed(browser, url);
    const { page } = editor;
    await openFile(editor, nodes);
    const box = await editor.board.boundingBox();
    if (!box) throw new Error("there is no canvas");
    const middle = { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    for (const all of [true, false]) {
      await editor.action(all ? "Fit the view" : "Zoom to 100 %");
      const where = `${nodes} nodes, ${all ? "all in view" : "natural size"}`;
      const measure = async (name: string, gesture: () => Promise<void>): Promise<void> => {
        const before = await ask(page, "state()");
        await ask(page, "watchFrames()");
        await gesture();
        const frames = await ask<number[]>(page, "frames()");
        const after = await ask(page, "state()");
        if (before === after) throw new Error(`${where}: ${name} changed nothing`);
        const span = (frames.at(-1) ?? 0) - (frames[0] ?? 0);
        lines.push({ name: `${where}: ${name}`, value: ((frames.length - 1) / span) * 1000, unit: "fps", goal: { least: fps * DISPLAY } });
      };
      await measure("pan", () => circle(page, middle, "middle"));
      await measure("zoom", () => wheel(page, middle));
      await editor.action(all ? "Fit the view" : "Zoom to 100 %");
      const titled = await nodeNear(page, middle);
      await measure("drag a node", () => circle(page, titled, "left"));
      lines.push({ name: `${where}: one drawing, pixels not counted`, value: await ask<number>(page, "draw(30)"), unit: "ms" });
    }
    await page.context().close();
  }
  return lines;
}

/** Pressed, moved round and round, ends elsewhere than it began. */
async function circle(page: Page, from: Spot, button: "left" | "middle"): Promise<void> {
  await page.mouse.move(from.x, from.y);
  await page.mouse.down({ button });
  const end = performance.now() + GESTURE_MS;
  for (let i = 1; performance.now() < end; i++)
    await page.mouse.move(from.x + 120 * Math.sin(i / 15) + 60, from.y + 90 * (1 - Math.cos(i / 15)) + 40);
  await page.mouse.up({ button });
}

async function wheel(page: Page, at: Spot): Promise<void> {
  await page.mouse.move(at.x, at.y);
  const end = performance.now() + GESTURE_MS;
  for (let i = 0; performance.now() < end; i++) await page.mouse.wheel(0, i % 20 < 10 ? -60 : 60);
  await page.mouse.wheel(0, -60);
}

/** The title of the node nearest to a point of the window. */
function nodeNear(page: Page, { x, y }: Spot): Promise<Spot> {
  return page.evaluate<Spot>(`(() => {
    const rects = whosWho.app.editor.graph.value.nodes.map((n) => whosWho.stage().titleRect(n.id));
    const spots = rects.map((r) => ({ x: r[0] + r[2] / 2, y: r[1] + r[3] / 2 }));
    const far = (s) => Math.hypot(s.x - ${x}, s.y - ${y});
    return spots.reduce((a, b) => (far(b) < far(a) ? b : a));
  })()`);
}
