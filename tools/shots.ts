// Screenshots of the editor for the README and for looking at: `npm run shots [-- FOLDER [NAME …]]`. Small ones, as people see them.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { Editor, openBrowser, startServer } from "../test/ui/harness.ts";
import { buildUi } from "../ui/build.ts";

const folder = process.argv[2] ?? join(import.meta.dirname, "../docs/img");
mkdirSync(folder, { recursive: true });
await buildUi();
const server = await startServer();
const browser = await openBrowser();
const ONLY = process.argv.slice(3);
const SIZES = [
  { width: 1280, height: 800 },
  { width: 2560, height: 1440 },
] as const;

/** One that can't be made is told, and the others are made all the same. */
async function attempt(name: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
    console.log(name);
  } catch (error) {
    console.error(name, error);
    process.exitCode = 1;
  }
}

/** One picture per size and theme; `only`: the ones that are not worth all four. */
async function shots(name: string, prepare: (editor: Editor) => Promise<void>, only = false): Promise<void> {
  if (ONLY.length > 0 && !ONLY.includes(name)) return;
  for (const size of only ? SIZES.slice(0, 1) : SIZES)
    for (const dark of only ? [true] : [true, false]) {
      const file = `${name}-${dark ? "dark" : "light"}-${size.width}.png`;
      await attempt(file, async () => {
        const context = await browser.context({ ...size, dark });
        const editor = await Editor.open(context, server.url);
        await prepare(editor);
        await editor.page.mouse.move(5, size.height - 5);
        await editor.page.evaluate(
          "new Promise((done) => { const look = () => (whosWho.stage().isLoading ? requestAnimationFrame(look) : done()); requestAnimationFrame(look); })",
        );
        await editor.page.evaluate(
          "Promise.all([...document.images].filter((i) => i.getBoundingClientRect().top < innerHeight).map((i) => { i.loading = 'eager'; return i.decode().catch(() => 0); }))",
        );
        // 256 colours are enough for an editor, and a third of the bytes.
        await sharp(await editor.page.screenshot())
          .png({ palette: true, quality: 92, effort: 8 })
          .toFile(join(folder, file));
        await context.close();
      });
    }
}

const finished = async (editor: Editor): Promise<void> => {
  await editor.page.getByRole("button", { name: "Run", exact: true }).click();
  await editor.page.getByText(/^Done in/).waitFor({ timeout: 900_000 });
};

/** `graphs/train.json` for as long as a picture of it needs. */
async function train(e: Editor, learningRate: number): Promise<void> {
  const graph = JSON.parse(readFileSync(join(import.meta.dirname, "../graphs/train.json"), "utf8"));
  for (const id of ["7", "10", "11", "12"]) delete graph[id];
  Object.assign(graph["4"].inputs, { train: 8, held_out: 2 });
  Object.assign(graph["9"].inputs, {
    steps: 16,
    accumulate: 1,
    denoise_steps: 6,
    window_end: 3,
    sample_every: 4,
    learning_rate: learningRate,
  });
  await e.dropFile("train.json", "application/json", Buffer.from(JSON.stringify(graph)));
  await finished(e);
}
async function trainTwice(): Promise<void> {
  const context = await browser.context();
  const e = await Editor.open(context, server.url);
  await train(e, 0.004);
  await train(e, 0.002);
  await context.close();
}
async function openTraining(e: Editor): Promise<void> {
  await e.page.keyboard.press("q");
  await e.page
    .getByRole("article", { name: /^train/ })
    .first()
    .getByRole("button", { name: "Open its graph" })
    .click();
  await e.until((d) => d.nodes.length > 0, "its nodes");
  await e.page.keyboard.press("q");
  await e.goTo("TrainReReFL");
  await e.inspector.getByRole("button", { name: "Training in full" }).click();
  await e.page.getByRole("dialog").locator(".samples img").last().waitFor();
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
  await e.goTo("Edited picture");
});
await shots("match", async (e) => {
  await e.startingPoint("Who is who");
  await finished(e);
  await e.goTo("Who is who");
  await e.page.keyboard.press("q");
});
if (ONLY.length === 0 || ONLY.includes("training") || ONLY.includes("compare")) await attempt("two trainings", trainTwice);
await shots("training", openTraining);
await shots("compare", async (e) => {
  await openTraining(e);
  await e.page.getByRole("dialog").getByRole("combobox", { name: "Compare with run" }).selectOption({ index: 1 });
  await e.page.locator(".side-by-side img").last().waitFor();
});
await shots(
  "mask",
  async (e) => {
    const node = await e.add("LoadImage", -300, -200);
    await e.set(node, { image: "two-people-a.jpg" });
    await e.inspector.getByRole("button", { name: "Paint a mask" }).click();
    const box = await e.page.locator(".mask-board canvas").boundingBox();
    if (!box) throw new Error("no mask");
    await e.page.getByRole("dialog").getByLabel("Size").fill("160");
    await e.drag({ x: box.x + box.width * 0.28, y: box.y + box.height * 0.3 }, { x: box.x + box.width * 0.3, y: box.y + box.height * 0.5 });
  },
  true,
);
await shots("error", async (e) => {
  await e.add("SaveImage", 0, -100);
  await e.page.getByRole("button", { name: /1 problem/ }).click();
});
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
