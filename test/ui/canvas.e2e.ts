// What is done with the pointer on the canvas.
import { describe, expect, test } from "vitest";
import type { Spot } from "./harness.ts";
import { editor } from "./stand.ts";

describe("building", () => {
  test("double click, type, Enter: a node stands where it was asked for", async () => {
    const node = await editor.add("LoadImage", -200, 0);
    expect(node.type).toBe("LoadImage");
    expect(node.pos[0]).toBeCloseTo(-200, -1);
    expect(await editor.selection()).toEqual([node.id]);
  });

  test("a link dropped on the canvas offers what fits, and connects it", async () => {
    const source = await editor.add("LoadImage", -300, -200);
    await editor.drag(await editor.socket(source, "output", "IMAGE"), await editor.spot(100, -150));
    await expect
      .poll(() => editor.page.getByRole("combobox", { name: "Search nodes" }).getAttribute("placeholder"))
      .toBe("Search nodes that fit IMAGE");
    await editor.search("SaveImage");
    const doc = await editor.until((d) => d.links.length === 1, "a link");
    expect(doc.links[0]).toMatchObject({ origin_id: source.id, origin_slot: 0 });
  });

  test("a link dragged backwards from an input offers sources", async () => {
    const target = await editor.add("SaveImage", 100, -200);
    await editor.drag(await editor.socket(target, "input", "images"), await editor.spot(-100, -150));
    await editor.search("LoadImage");
    const doc = await editor.until((d) => d.links.length === 1, "a link");
    expect(doc.links[0]).toMatchObject({ target_id: target.id });
  });

  test("socket to socket joins; a link that doesn't fit is refused with both types named", async () => {
    const loader = await editor.add("VAELoader", -300, -250);
    const image = await editor.add("LoadImage", -300, -50);
    const save = await editor.add("SaveImage", 100, -200);
    await editor.drag(await editor.socket(loader, "output", "VAE"), await editor.socket(save, "input", "images"));
    await editor.toast.getByText("VAE does not fit IMAGE").waitFor();
    expect((await editor.document()).links).toEqual([]);
    await editor.drag(await editor.socket(image, "output", "IMAGE"), await editor.socket(save, "input", "images"));
    await editor.until((d) => d.links.length === 1, "a link");
  });

  test("a link dropped on a node's body takes the input that fits best", async () => {
    const vae = await editor.add("VAELoader", -300, -200);
    const decode = await editor.add("VAEDecode", 100, -200);
    const title = await editor.title(decode);
    await editor.drag(await editor.socket(vae, "output", 0), title);
    const doc = await editor.until((d) => d.links.length === 1, "a link");
    expect(decode.inputs[doc.links[0]?.target_slot ?? 0]?.name).toBe("vae");
  });

  test("a node dropped on a node is joined to it, and goes back to its place", async () => {
    const image = await editor.add("LoadImage", -300, -200);
    const save = await editor.add("SaveImage", 100, -200);
    await editor.drag(await editor.title(save), await editor.title(image));
    const doc = await editor.until((d) => d.links.length === 1, "a link");
    expect(doc.links[0]).toMatchObject({ origin_id: image.id, target_id: save.id });
    expect((await editor.node("SaveImage")).pos).toEqual(save.pos);
  });

  test("let go with Shift, a link asks what is there to join it to", async () => {
    const image = await editor.add("LoadImage", -350, -250);
    const save = await editor.add("SaveImage", 150, -250);
    await editor.drag(await editor.socket(image, "output", "IMAGE"), await editor.spot(0, 150), { release: false });
    await editor.page.keyboard.down("Shift");
    await editor.page.mouse.up();
    await editor.page.keyboard.up("Shift");
    await editor.page.getByRole("menuitem", { name: "IMAGE → SaveImage: images" }).click();
    const { links } = await editor.until((d) => d.links.length === 1, "the link");
    expect(links[0]).toMatchObject({ origin_id: image.id, target_id: save.id });
  });

  test("links are drawn as they are wanted: curved, in one line, at right angles, or not at all", async () => {
    const image = await editor.add("LoadImage", -350, -250);
    const save = await editor.add("SaveImage", 200, 100);
    await editor.drag(await editor.socket(image, "output", "IMAGE"), await editor.socket(save, "input", "images"));
    await editor.until((d) => d.links.length === 1, "the link");
    await editor.page.keyboard.press("Escape");
    const a = await editor.socket(image, "output", "IMAGE");
    const b = await editor.socket(save, "input", "images");
    const between = (x: number, y: number) => ({ x: a.x + x * (b.x - a.x), y: a.y + y * (b.y - a.y) });
    /** Whether something is drawn there: the blue of three by three pixels. */
    const isDrawn = async ({ x, y }: Spot): Promise<boolean> =>
      Math.max(...(await editor.pixels(x - 1, y - 1, 3, 3)).filter((_, i) => i % 4 === 2)) > 110;
    const choose = async (shape: string): Promise<void> => {
      await editor.action("Settings");
      await editor.page.getByLabel("Links", { exact: true }).selectOption(shape);
      await editor.page.keyboard.press("Escape");
    };
    // A quarter of the way only the straight line is there; the middle is on all of them.
    const seen = async () => [await isDrawn(between(0.25, 0.25)), await isDrawn(between(0.5, 0.5))];
    await expect.poll(seen).toEqual([false, true]);
    await choose("in one line");
    await expect.poll(seen).toEqual([true, true]);
    await choose("at right angles");
    await expect.poll(seen).toEqual([false, true]);
    await choose("hidden");
    await expect.poll(seen).toEqual([false, false]);
    // The server keeps what a person likes: the next test would have no links either.
    await choose("curved");
    await expect.poll(seen).toEqual([false, true]);
  });

  test("an input's link can be pulled off and dropped", async () => {
    const image = await editor.add("LoadImage", -300, -200);
    const save = await editor.add("SaveImage", 100, -200);
    await editor.drag(await editor.socket(image, "output", 0), await editor.socket(save, "input", 0));
    await editor.until((d) => d.links.length === 1, "a link");
    await editor.drag(await editor.socket(save, "input", 0), await editor.spot(50, 150));
    await editor.until((d) => d.links.length === 0, "no link");
  });

  test("links are cut by a drag across them with the right button", async () => {
    const image = await editor.add("LoadImage", -300, -200);
    const save = await editor.add("SaveImage", 150, -200);
    await editor.drag(await editor.socket(image, "output", 0), await editor.socket(save, "input", 0));
    await editor.until((d) => d.links.length === 1, "a link");
    await editor.drag(await editor.spot(50, -260), await editor.spot(50, 100), { button: "right" });
    await editor.until((d) => d.links.length === 0, "no link");
  });

  test("Alt+click bends a link, and the bend goes with it", async () => {
    const image = await editor.add("LoadImage", -300, -200);
    const save = await editor.add("SaveImage", 150, -200);
    await editor.drag(await editor.socket(image, "output", 0), await editor.socket(save, "input", 0));
    await editor.until((d) => d.links.length === 1, "a link");
    const a = await editor.socket(image, "output", 0);
    const b = await editor.socket(save, "input", 0);
    await editor.click({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 }, { modifiers: ["Alt"] });
    await editor.until((d) => d.reroutes.length === 1, "a bend");
  });
});

describe("moving", () => {
  test("a dragged node moves, snaps to the grid, and undo brings it back", async () => {
    const node = await editor.add("SaveImage", 0, -100);
    const at = await editor.title(node);
    await editor.drag(at, { x: at.x + 137, y: at.y + 61 });
    const moved = await editor.until((d) => d.nodes[0]?.pos[0] !== node.pos[0], "a move");
    expect((moved.nodes[0]?.pos[0] ?? 1) % 10).toBe(0);
    await editor.page.keyboard.press("Control+z");
    await editor.until((d) => d.nodes[0]?.pos[0] === node.pos[0], "the old place");
    await editor.page.keyboard.press("Control+y");
    await editor.until((d) => d.nodes[0]?.pos[0] === moved.nodes[0]?.pos[0], "the new place");
  });

  test("Ctrl+drag selects in a box, and what is selected moves together", async () => {
    await editor.add("SaveImage", -200, -250);
    await editor.add("VAEDecode", 100, -250);
    await editor.page.keyboard.down("Control");
    await editor.drag(await editor.spot(-260, -320), await editor.spot(420, -120));
    await editor.page.keyboard.up("Control");
    await expect.poll(async () => (await editor.selection()).length).toBe(2);
    const before = await editor.document();
    const at = await editor.title(await editor.node("SaveImage"));
    await editor.drag(at, { x: at.x, y: at.y + 100 });
    const after = await editor.until((d) => d.nodes[0]?.pos[1] !== before.nodes[0]?.pos[1], "a move");
    const by = after.nodes.map((n, i) => n.pos[1] - (before.nodes[i]?.pos[1] ?? 0));
    expect(Math.abs((by[0] ?? 0) - (by[1] ?? 0))).toBeLessThanOrEqual(10);
  });

  test("a corner resizes, never below what the node needs", async () => {
    const node = await editor.add("SaveImage", 0, -100);
    const corner = await editor.spot(node.pos[0] + node.size[0] - 3, node.pos[1] + node.size[1] - 3);
    await editor.drag(corner, { x: corner.x + 90, y: corner.y + 50 });
    const doc = await editor.until((d) => d.nodes[0]?.size[0] !== node.size[0], "another size");
    expect(doc.nodes[0]?.size[0]).toBeGreaterThan(node.size[0]);
    const again = await editor.spot(node.pos[0] + (doc.nodes[0]?.size[0] ?? 0) - 3, node.pos[1] + (doc.nodes[0]?.size[1] ?? 0) - 3);
    await editor.drag(again, { x: again.x - 600, y: again.y - 400 });
    const small = await editor.until((d) => (d.nodes[0]?.size[0] ?? 0) < node.size[0], "a small node");
    expect(small.nodes[0]?.size[0]).toBeGreaterThanOrEqual(140);
    expect(small.nodes[0]?.size[1]).toBeGreaterThanOrEqual(60);
  });

  test("Alt+drag copies a node with its links", async () => {
    const image = await editor.add("LoadImage", -300, -200);
    const save = await editor.add("SaveImage", 100, -200);
    await editor.drag(await editor.socket(image, "output", 0), await editor.socket(save, "input", 0));
    await editor.until((d) => d.links.length === 1, "a link");
    const at = await editor.title(save);
    await editor.page.keyboard.down("Alt");
    await editor.drag(at, { x: at.x, y: at.y + 200 });
    await editor.page.keyboard.up("Alt");
    await editor.until((d) => d.nodes.length === 3 && d.links.length === 2, "a copy with its link");
  });

  test("the view pans by dragging, zooms by the wheel, and the canvas stays put when a panel opens", async () => {
    const node = await editor.add("SaveImage", 0, -200);
    const before = await editor.title(node);
    const empty = await editor.spot(-200, 150);
    await editor.drag(empty, { x: empty.x + 60, y: empty.y - 40 });
    const panned = await editor.title(node);
    expect(panned.x - before.x).toBeCloseTo(60, 0);
    await editor.page.keyboard.press("n");
    await editor.page.getByRole("complementary", { name: "Nodes" }).waitFor();
    await expect.poll(async () => Math.round((await editor.title(node)).x - panned.x)).toBe(0);
    await editor.page.mouse.move(panned.x, panned.y);
    await editor.page.mouse.wheel(0, -200);
    await expect
      .poll(() => editor.page.evaluate(() => (globalThis as unknown as import("./harness.ts").Handle).whosWho.stage()?.view.scale ?? 0))
      .toBeGreaterThan(1.1);
  });
});

describe("values", () => {
  test("a number is clicked, typed and kept; what is out of range is refused in words", async () => {
    const node = await editor.add("KSampler", -100, -200);
    await editor.click(await editor.widget(node, "steps"));
    await editor.inPlace.fill("2*21");
    await editor.page.keyboard.press("Enter");
    await editor.until((d) => d.nodes[0]?.widgets_values?.includes(42) ?? false, "42");
    await editor.click(await editor.widget(node, "steps"));
    await editor.inPlace.fill("-5");
    await editor.page.keyboard.press("Enter");
    await editor.toast.getByText(/steps: -5 is below the minimum/).waitFor();
    expect((await editor.document()).nodes[0]?.widgets_values).toContain(42);
  });

  test("a number changes by dragging sideways", async () => {
    const node = await editor.add("KSampler", -100, -200);
    const at = await editor.widget(node, "steps");
    await editor.drag(at, { x: at.x + 80, y: at.y });
    const doc = await editor.until((d) => !(d.nodes[0]?.widgets_values?.includes(20) ?? true), "other steps");
    expect(doc.nodes[0]?.widgets_values?.[2]).toBeGreaterThan(20);
    await editor.page.keyboard.press("Control+z");
    await editor.until((d) => d.nodes[0]?.widgets_values?.[2] === 20, "20 again, in one step");
  });

  test("a choice is filtered and chosen by keys", async () => {
    const node = await editor.add("KSampler", -100, -200);
    await editor.click(await editor.widget(node, "sampler_name"));
    await editor.page.locator(".popup input").fill("heun");
    await editor.page.keyboard.press("Enter");
    await editor.until((d) => d.nodes[0]?.widgets_values?.includes("heun") ?? false, "heun");
  });

  test("text of several lines is written in place", async () => {
    const node = await editor.add("TextEncodeQwenImageEditPlus", -100, -200);
    await editor.click(await editor.widget(node, "prompt"));
    await editor.inPlace.fill("two people\non a bench");
    await editor.page.keyboard.press("Control+Enter");
    await editor.until((d) => d.nodes[0]?.widgets_values?.includes("two people\non a bench") ?? false, "the text");
    await expect.poll(() => editor.page.getByRole("dialog").count()).toBe(0);
  });

  test("a title is edited by a double click", async () => {
    const node = await editor.add("SaveImage", 0, -100);
    const at = await editor.title(node);
    await editor.page.mouse.dblclick(at.x, at.y);
    await editor.inPlace.fill("Fertiges Bild mit einem sehr langen deutschen Titel");
    await editor.page.keyboard.press("Enter");
    await editor.until((d) => d.nodes[0]?.title === "Fertiges Bild mit einem sehr langen deutschen Titel", "the title");
  });

  test("a value can come over a link, and shows that it does", async () => {
    const int = await editor.add("PrimitiveInt", -350, -200);
    const sampler = await editor.add("KSampler", 0, -200);
    await editor.drag(await editor.socket(int, "output", 0), await editor.widget(sampler, "steps"));
    const doc = await editor.until((d) => d.links.length === 1, "a link");
    expect(sampler.inputs[doc.links[0]?.target_slot ?? 0]?.name).toBe("steps");
  });
});
