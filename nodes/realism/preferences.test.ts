import { expect, test } from "vitest";
import { AppError } from "../../engine/base/errors.ts";
import { fakeContext } from "../../test/fake-context.ts";
import { encodePng } from "../shared/pictures/codec.ts";
import preferenceDataset from "./preference-dataset.ts";
import { parsePreferences } from "./preference-manifest.ts";
import realVersusGenerated from "./real-versus-generated.ts";
import { splitBySource } from "./split-by-source.ts";

const files = new Map<string, Uint8Array>();
const put = async (name: string, grey: number) => files.set(name, await encodePng(new Uint8Array(4 * 4 * 3).fill(grey), 4, 4));
for (let i = 0; i < 12; i++) {
  await put(`set/win-${i}.png`, i);
  await put(`set/lose-${i}.png`, 100 + i);
  await put(`real/${i < 6 ? "anna" : "bert"}/${i}.png`, i);
  await put(`generated/${i}.png`, 200 + i);
}
files.set("set/text.png", new TextEncoder().encode("no picture"));
files.set("set/copy.png", files.get("set/win-0.png") ?? new Uint8Array());
const context = (lines: readonly unknown[] = []) => {
  const all = new Map(files).set("set/list.jsonl", new TextEncoder().encode(lines.map((l) => JSON.stringify(l)).join("\n")));
  return {
    ...fakeContext(),
    readInput: async (name: string) => {
      const bytes = all.get(name);
      if (!bytes) throw new AppError("INPUT_NOT_FOUND", `there is no input file ${name}`);
      return bytes;
    },
    listInputs: async (folder: string) => [...all.keys()].filter((name) => name.startsWith(`${folder}/`)).sort(),
  };
};
const line = (i: number, more = {}) => ({ image_win: `win-${i}.png`, image_lose: `lose-${i}.png`, ...more });

test("comparisons are read, with prompt and weight, and split by source", async () => {
  const lines = Array.from({ length: 12 }, (_, i) => line(i, { source: `person ${i % 4}`, prompt: `p${i}`, weight: 1 + i }));
  const ctx = context(lines);
  const { preferences } = await preferenceDataset.run({ manifest: "set/list.jsonl", held_out: 0.5 }, ctx, {});
  expect(preferences.train + preferences.heldOut).toBe(12);
  expect(preferences.train % 3).toBe(0);
  expect(preferences.train).toBeGreaterThan(0);
  const sources = async (split: "train" | "heldOut") =>
    new Set(
      await Promise.all(
        Array.from({ length: preferences[split] }, async (_, k) => (Number((await preferences.pair(split, k)).weight) - 1) % 4),
      ),
    );
  const [train, heldOut] = [await sources("train"), await sources("heldOut")];
  expect([...train].some((s) => heldOut.has(s))).toBe(false);
  const { win, lose, weight, prompt, labelled } = await preferences.pair("train", 0);
  expect([Math.round(255 * (win.image.data[0] ?? 0)) + 1, prompt, labelled]).toEqual([weight, `p${weight - 1}`, false]);
  expect(Math.round(255 * (lose?.image.data[0] ?? 0))).toBe(99 + weight);
});

test("a list in the output folder names pictures of the output folder", async () => {
  const ctx = context([line(0), line(1)]);
  const read: string[] = [];
  const readInput = (name: string) => {
    read.push(name);
    return ctx.readInput(name.replace(/ \[output\]$/, ""));
  };
  const { preferences } = await preferenceDataset.run({ manifest: "set/list.jsonl [output]", held_out: 0 }, { ...ctx, readInput }, {});
  expect(preferences.train).toBe(2);
  await preferences.pair("train", 0);
  expect(read.filter((name) => !name.endsWith(" [output]"))).toEqual([]);
  expect(read).toContain("set/win-0.png [output]");
});

test("everything that is wrong is said at once, with its line", async () => {
  const ctx = context([
    line(0),
    line(0),
    { image_win: "win-1.png" },
    { image_win: "text.png", image_lose: "absent.png" },
    { image_win: "copy.png", image_lose: "win-0.png" },
    line(2, { weight: 0 }),
    line(3, { other: 1 }),
  ]);
  const error = await Promise.resolve(preferenceDataset.run({ manifest: "set/list.jsonl", held_out: 0 }, ctx, {})).then(
    () => "",
    (e: unknown) => (e instanceof Error ? e.message : ""),
  );
  for (const wanted of [
    /line 2: .*compared in line 1/,
    /line 3: image_lose/,
    /line 4: .*text\.png/,
    /line 4: .*absent\.png/,
    /line 5: .*same picture/,
    /line 6: weight/,
    /line 7: .*other/,
  ])
    expect(error).toMatch(wanted);
  expect(parsePreferences("").issues).toEqual([{ line: 1, message: "no comparisons" }]);
  expect(parsePreferences("{").issues[0]?.message).toMatch(/not JSON/);
});

test("real and generated folders: labelled pairs, a subfolder is one source, a picture in both is refused", async () => {
  const ctx = context();
  const { preferences } = await realVersusGenerated.run({ real: "real", generated: "generated", held_out: 0 }, ctx, {});
  expect([preferences.train, preferences.heldOut]).toEqual([12, 0]);
  const pair = await preferences.pair("train", 3);
  expect([
    pair.labelled,
    Math.round(255 * (pair.win.image.data[0] ?? 0)) < 12,
    Math.round(255 * (pair.lose?.image.data[0] ?? 0)) >= 200,
  ]).toEqual([true, true, true]);
  const alone = await realVersusGenerated.run({ real: "real", generated: "", held_out: 0 }, ctx, {});
  expect((await alone.preferences.pair("train", 0)).lose).toBeNull();
  await expect(realVersusGenerated.run({ real: "set", generated: "real", held_out: 0 }, ctx, {})).rejects.toThrow(/is in both folders/);
  await expect(realVersusGenerated.run({ real: "nothing", generated: "", held_out: 0 }, ctx, {})).rejects.toThrow(/holds no picture/);
});

test("a split keeps together what shares a mark, through others too, and marks decide", () => {
  const entries = [
    { marks: ["a", "1"] },
    { marks: ["b", "1"], split: "held_out" as const },
    { marks: ["b", "2"] },
    { marks: ["c", "3"], split: "train" as const },
  ];
  const { train, heldOut } = splitBySource(entries, 0);
  expect(heldOut).toEqual(entries.slice(0, 3));
  expect(train).toEqual(entries.slice(3));
  const many = Array.from({ length: 400 }, (_, i) => ({ marks: [`m${i}`] }));
  const share = splitBySource(many, 0.25).heldOut.length / 400;
  expect(Math.abs(share - 0.25)).toBeLessThan(0.08);
  const more = splitBySource([...many, { marks: ["new"] }], 0.25);
  expect(more.heldOut.filter((e) => e.marks[0] !== "new")).toEqual(splitBySource(many, 0.25).heldOut);
});
