// The ladder: from one base model to the corrected form of UMO, over seeds, on people that nobody was trained on.
//   npm run ladder                     runs what is missing and writes docs/results.md; stopped at any time, it goes on from there
//   npm run ladder -- NAME…            only these cells (base, sft, sir, mimr, balanced, an ablation, or "search")
//   npm run ladder -- --report         only writes the page, from what has finished
//   --out DIR (out/ladder)  --models DIR  --threads N (1)
import { spawnSync } from "node:child_process";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { folderOf, readRun, settingsOf, workflowOf } from "./cell-run.ts";
import { writeGrid } from "./grid.ts";
import { CELLS, type Cell, LADDER, SEARCH } from "./plan.ts";
import { writeResults } from "./results.ts";

const ROOT = join(import.meta.dirname, "../..");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: "string", default: join(ROOT, "out/ladder") },
    models: { type: "string" },
    threads: { type: "string", default: "1" },
    report: { type: "boolean", default: false },
  },
});

const unknown = positionals.filter((name) => name !== "search" && !CELLS.some((c) => c.name === name));
if (unknown.length > 0) {
  console.error(`no cell is called ${unknown.join(", ")}; there are search, ${CELLS.map((c) => c.name).join(", ")}`);
  process.exit(2);
}
const isAsked = (cell: Cell) =>
  positionals.length === 0 || positionals.includes(cell.name) || (positionals.includes("search") && SEARCH.includes(cell));
const jobs = CELLS.filter(isAsked).flatMap((cell) => cell.seeds.map((seed) => ({ cell, seed })));
// Every cell's first seed comes before any second one: the page says something early.
jobs.sort((a, b) => a.seed - b.seed);
const missing = values.report ? [] : jobs.filter(({ cell, seed }) => !readRun(values.out, cell, seed));
for (const [k, { cell, seed }] of missing.entries()) {
  console.log(`\n[${k + 1}/${missing.length}] ${cell.title}, seed ${seed}`);
  const set = Object.entries(settingsOf(cell, seed)).flatMap(([widget, value]) => ["--set", `${widget}=${value}`]);
  const models = values.models === undefined ? [] : ["--models", values.models];
  const args = [
    "graph.mjs",
    "run",
    relative(ROOT, workflowOf(cell)),
    "--out",
    folderOf(values.out, cell, seed),
    "--threads",
    values.threads,
  ];
  const { status, signal } = spawnSync(process.execPath, [...args, ...models, ...set], { cwd: ROOT, stdio: "inherit" });
  if (status !== 0) {
    console.error(`\n${cell.name}, seed ${seed}, ended with ${signal ?? status}; the same command goes on from there`);
    process.exit(status ?? 130);
  }
}
const runs = CELLS.flatMap((cell) => cell.seeds.flatMap((seed) => readRun(values.out, cell, seed) ?? []));
if (runs.length === 0) {
  console.error(`nothing in ${values.out} has finished: there is nothing to report`);
  process.exit(1);
}
const docs = join(ROOT, "docs");
writeResults(join(docs, "results.md"), join(docs, "img/ladder-curves.svg"), runs);
const grid = await writeGrid(
  join(docs, "img/ladder-grid.png"),
  LADDER.flatMap((cell) => runs.find((run) => run.cell === cell && run.seed === 0) ?? []),
);
console.log(`\n${runs.length} runs: docs/results.md${grid ? ", docs/img/ladder-grid.png" : ""}`);
