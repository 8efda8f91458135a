import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { randomSource } from "../../engine/base/random.ts";
import { type CellRun, folderOf, graphOf, type Row, readRun } from "./cell-run.ts";
import { claims } from "./claims.ts";
import { ABLATIONS, CELLS, type Cell, LADDER } from "./plan.ts";
import { resultsPage } from "./results.ts";
import { changeOf, ID_SIM, intervalOf, MISSING } from "./statistics.ts";

const out = mkdtempSync(join(tmpdir(), "ladder-"));
afterAll(() => rmSync(out, { recursive: true, force: true }));

const SCENES = 60;
/** Rows of one run: ID-Sim near `sim`, one face of two missing in every `missingEach`-th scene. */
function rowsOf(sim: number, missingEach: number, seed: number): Row[] {
  const rng = randomSource(seed);
  return Array.from({ length: SCENES }, (_, k) => ({
    id_sim: sim + rng.normal(),
    id_conf: sim + 20 + rng.normal(),
    faces_wanted: 1 + (k % 5),
    faces_found: k % missingEach === 0 ? 0 : 1 + (k % 5),
    swap_rate: missingEach > 10 ? 0 : 0.2,
    m_cp: 0.1,
  }));
}

const LEVELS: Readonly<Record<string, readonly [sim: number, missingEach: number]>> = {
  base: [20, 4],
  sft: [21, 4],
  sir: [30, 4],
  mimr: [35, 4],
  balanced: [40, 30],
};

function runOf(cell: Cell, seed: number): CellRun {
  const [sim, missingEach] = LEVELS[cell.name] ?? [0, 1];
  const rows = rowsOf(sim, missingEach, seed * 100 + sim);
  const examples = rows.map((_, k) => `scene:${k}`);
  return { cell, seed, folder: folderOf(out, cell, seed), seconds: 60, examples, rows, pictures: [] };
}
const runs = LADDER.flatMap((cell) => cell.seeds.map((seed) => runOf(cell, seed)));
const named = (name: string) => runs.filter((run) => run.cell.name === name);

test("every cell sets widgets that its workflow has, under a name of its own", () => {
  expect(new Set(CELLS.map((c) => c.name)).size).toBe(CELLS.length);
  for (const cell of CELLS) for (const seed of cell.seeds) expect(() => graphOf(cell, seed), cell.name).not.toThrow();
  const [rank4] = ABLATIONS.flatMap((a) => a.cells).filter((c) => c.name === "rank-4");
  expect(rank4 && graphOf(rank4, 7)["9"]?.inputs).toMatchObject({ rank: 4, alpha: 4, seed: 7 });
});

test("all trained cells of the ladder differ in objective and reward only", () => {
  const plain = (cell: Cell) => {
    const { "8": _, "14": __, "15": ___, "9": train, ...rest } = graphOf(cell, 0);
    const { mode: _mode, reward: _reward, window_start: _from, window_end: _to, sigma_min: _least, ...options } = train?.inputs ?? {};
    const { label: _label, ...evaluation } = rest["10"]?.inputs ?? {};
    const { prefix: _prefix, ...lora } = rest["13"]?.inputs ?? {};
    return { options, evaluation, lora, scenes: rest["4"]?.inputs, judged: rest["16"]?.inputs };
  };
  const [first, ...others] = LADDER.filter((c) => c.name !== "base").map(plain);
  for (const other of others) expect(other).toEqual(first);
});

test("a mean covers scenes and seeds; a number of people picks its scenes", () => {
  const sims = named("sft").flatMap(({ rows }) => rows.map((row) => row.id_sim ?? 0));
  const interval = intervalOf(named("sft"), ID_SIM);
  expect(interval?.mean).toBeCloseTo(sims.reduce((a, c) => a + c, 0) / sims.length, 9);
  expect(interval?.low).toBeLessThan(interval?.mean ?? 0);
  const three = named("sft").flatMap(({ rows }) => rows.filter((r) => r.faces_wanted === 3).map((r) => r.id_sim ?? 0));
  expect(intervalOf(named("sft"), ID_SIM, 3)?.mean).toBeCloseTo(three.reduce((a, c) => a + c, 0) / three.length, 9);
  expect(intervalOf(named("base"), MISSING)?.mean).toBeCloseTo(0.25, 9);
});

test("a change is paired by scene, each seed with the base's own or its only one", () => {
  const [a, b] = [named("mimr")[1], named("balanced")[1]];
  const expected = b?.rows.map((row, k) => (row.id_sim ?? 0) - (a?.rows[k]?.id_sim ?? 0)) ?? [];
  const mean = expected.reduce((x, y) => x + y, 0) / expected.length;
  expect(changeOf(named("mimr"), b ? [b] : [], ID_SIM)?.mean).toBeCloseTo(mean, 9);
  expect(changeOf(named("base"), named("balanced"), ID_SIM)?.mean).toBeCloseTo(20, 0);
});

test("a number that is not finite ends the report", () => {
  const [run] = named("sft");
  expect(() => intervalOf(run ? [{ ...run, rows: [{ id_sim: Number.NaN }] }] : [], ID_SIM)).toThrow("not finite");
});

test("claims hold or do not by the numbers, and cells that have not run claim nothing", () => {
  const made = claims(named);
  expect(made.map((c) => c.holds)).toEqual([true, true, true, true, true, true, true, true, true, true]);
  const worse = claims((name) => named(name === "balanced" ? "sft" : name));
  expect(worse.filter((c) => !c.holds).map((c) => c.text)).toEqual([
    "The corrected form's ID-Sim above MIMR's, intervals apart",
    "The corrected form's ID-Sim at least 1.6 times the base's",
    "Under half of the base's swaps",
    "Fewer swaps than `umo`",
    "Under half of the base's missing people",
    "Fewer missing people than `umo`",
  ]);
  expect(claims((name) => (name === "base" ? named("base") : []))).toEqual([]);
  // Without a face nobody can be swapped: that is no success.
  const faceless = claims((name) => named(name).map((run) => ({ ...run, rows: run.rows.map(({ swap_rate: _, ...row }) => row) })));
  expect(faceless.filter((c) => c.numbers.includes("not measured")).map((c) => c.holds)).toEqual([false, false]);
});

test("the page says what has run, and what is lacking", () => {
  const whole = resultsPage(runs);
  expect(whole).toContain(`${SCENES} scenes of one to five people`);
  expect(whole).not.toContain("Not all has run yet");
  expect(whole).toMatch(/\| SFT \| 2[01]\.\d \[\d/);
  expect(whole).not.toContain("**does not hold**");
  expect(resultsPage(runs.filter((r) => r.cell.name !== "sir"))).toContain("seeds are missing of sir.");
  expect(resultsPage([])).toContain("seeds are missing of base, sft, sir, mimr, balanced.");
});

test("a finished run is read; an unfinished one is not; one of other settings is refused", () => {
  const [cell] = LADDER.filter((c) => c.name === "sft");
  if (!cell) throw new Error("the ladder has an sft cell");
  expect(readRun(out, cell, 0)).toBeUndefined();
  const folder = folderOf(out, cell, 0);
  mkdirSync(folder, { recursive: true });
  const record = (state: string, seed = 0) =>
    writeFileSync(
      join(folder, "run.json"),
      JSON.stringify({ state, seconds: 5, graph: graphOf(cell, seed), files: ["held-out/scene_00001_.png"] }),
    );
  const details = [{ label: "sft", examples: ["scene:0"], rows: [{ id_sim: 12 }] }];
  writeFileSync(join(folder, "metrics.json"), JSON.stringify({ values: { id_sim: 12 }, details }));
  record("cancelled");
  expect(readRun(out, cell, 0)).toBeUndefined();
  record("finished");
  expect(readRun(out, cell, 0)).toMatchObject({ seconds: 5, rows: [{ id_sim: 12 }], pictures: ["held-out/scene_00001_.png"] });
  record("finished", 1);
  expect(() => readRun(out, cell, 0)).toThrow(/other settings \(node 9\)/);
});
