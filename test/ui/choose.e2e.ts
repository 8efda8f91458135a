// Which of two runs' pictures looks better: chosen with keys, on disk at once, taken back, and not asked again.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runDetail, runSummary } from "../../engine/api/runs.ts";
import { parsePreferences } from "../../nodes/realism/preference-manifest.ts";
import { editor, server } from "./stand.ts";

const written = () => {
  const file = join(server.folder, "out", "preferences.jsonl");
  return existsSync(file) ? parsePreferences(readFileSync(file, "utf8")).entries : [];
};

/** Two pictures of one person, under the numbers 3 and 4. */
async function submit(image: string): Promise<void> {
  const save = (node: string) => ({ class_type: "SaveImage", inputs: { images: [node, 0], filename_prefix: `try/${node}` } });
  const workflow = {
    "1": { class_type: "LoadImage", inputs: { image } },
    "2": { class_type: "ImageInvert", inputs: { image: ["1", 0] } },
    "3": save("1"),
    "4": save("2"),
  };
  const ask = async (path: string, body?: unknown): Promise<unknown> =>
    editor.page.evaluate(
      async ([url, text]) => {
        const headers = { "content-type": "application/json", "x-whos-who": "1" };
        const answer: unknown = await (await fetch(url, text === undefined ? {} : { method: "POST", headers, body: text })).json();
        return answer;
      },
      [path, body === undefined ? undefined : JSON.stringify(body)] as const,
    );
  const { id } = runSummary
    .pick({ id: true })
    .parse(await ask("/api/runs", { workflow, name: "try", client: "test", key: `choose-${image}` }));
  await expect.poll(async () => runDetail.parse(await ask(`/api/runs/${id}`)).summary.state).toBe("finished");
}

test("left, right, neither and back by keys; what was chosen is not asked again", async () => {
  await submit("person-1.png");
  await submit("person-2.png");
  const { page } = editor;
  const open = async () => {
    const card = page.getByRole("article").first();
    await card.hover();
    await card.getByRole("button", { name: "Compare with another run" }).click();
    await page.getByRole("button", { name: "Choose the better pictures" }).click();
  };
  await page.keyboard.press("q");
  await open();
  const box = page.getByRole("dialog", { name: "Compare two runs" });
  await box.getByText("1 of 2: which one looks more real?").waitFor();
  const shown = (side: string) =>
    box
      .getByRole("button", { name: `The ${side} one` })
      .locator("img")
      .getAttribute("src")
      .then((src) => src?.replace("/api/files/output/", ""));
  const [left, right] = [await shown("left"), await shown("right")];
  await page.keyboard.press("ArrowLeft");
  await box.getByText("2 of 2").waitFor();
  expect(written()).toMatchObject([{ image_win: left, image_lose: right, source: "try/SaveImage/1" }]);
  await page.keyboard.press("Backspace");
  await box.getByText("1 of 2").waitFor();
  expect(written()).toEqual([]);
  // By the pointer, and then by keys again.
  await box.getByRole("button", { name: "The right one" }).click();
  await box.getByText("2 of 2").waitFor();
  expect(written()).toMatchObject([{ image_win: right, image_lose: left }]);
  await page.keyboard.press("ArrowDown");
  await box.getByText(/All 2 pairs have been looked at; 1 comparison is kept.*preferences\.jsonl \[output\]/).waitFor();
  expect(written()).toHaveLength(1);
  await page.keyboard.press("Escape");
  await open();
  // A tie is nothing that is kept: it is asked again, what was chosen is not.
  await box.getByText("1 of 1").waitFor();
});
