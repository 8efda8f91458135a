// docs/results.md, from the ladder's run directories.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import type { CellRun } from "./cell-run.ts";
import { claims, shown } from "./claims.ts";
import { type Curve, curvesSvg } from "./curves-svg.ts";
import { ABLATIONS, type Cell, LADDER, SEARCH } from "./plan.ts";
import { BY_THE_REWARD, changeOf, ID_SIM, intervalOf, PEOPLE, QUANTITIES, type Quantity } from "./statistics.ts";

/** Writes the page and its curves. @param page Markdown file @param curves SVG file, in the page's folder or below */
export function writeResults(page: string, curves: string, runs: readonly CellRun[]): void {
  const of = (cell: Cell) => runs.filter((run) => run.cell.name === cell.name);
  mkdirSync(dirname(curves), { recursive: true });
  writeFileSync(curves, curvesSvg(LADDER.flatMap((cell) => rewardCurve(cell.title, of(cell)) ?? [])));
  writeFileSync(page, `${resultsPage(runs)}\n`);
}

/** The page's text: a function of the runs alone. */
export function resultsPage(runs: readonly CellRun[]): string {
  const of = (cell: Cell) => runs.filter((run) => run.cell.name === cell.name);
  const ran = LADDER.filter((cell) => of(cell).length > 0);
  const lacking = LADDER.filter((cell) => of(cell).length < cell.seeds.length).map((cell) => cell.name);
  const scenes = ran.flatMap(of)[0]?.rows.length ?? 0;
  const balanced = LADDER.at(-1);
  return [
    "# Results",
    "Written by `npm run ladder` from its run directories; every number is a mean over held-out scenes and seeds with its 95 % interval (bootstrap over both).",
    `${scenes} scenes of one to five people who were neither trained on nor used to choose settings. Everything starts from one base model and gets equal updates and samples.`,
    lacking.length > 0 ? `Not all has run yet: seeds are missing of ${lacking.join(", ")}.` : "",
    "## The steps, by an encoder that took no part",
    table(
      ["", ...QUANTITIES.map((q) => q.title)],
      ran.map((cell) => [cell.title, ...QUANTITIES.map((q) => value(of(cell), q))]),
    ),
    "## By the reward's own encoder",
    table(
      ["", ...BY_THE_REWARD.map((q) => q.title)],
      ran.map((cell) => [cell.title, ...BY_THE_REWARD.map((q) => value(of(cell), q))]),
    ),
    "## ID-Sim by the number of people",
    table(
      ["", ...PEOPLE.map(String)],
      ran.map((cell) => [cell.title, ...PEOPLE.map((n) => value(of(cell), ID_SIM, n))]),
    ),
    "## What holds",
    table(
      ["", "", ""],
      claims((name) => runs.filter((run) => run.cell.name === name)).map((c) => [
        c.text,
        c.holds ? "holds" : "**does not hold**",
        c.numbers,
      ]),
    ),
    "## Curves",
    "![Reward of the training pictures over updates](img/ladder-curves.svg)",
    "## Choosing settings",
    ...ABLATIONS.flatMap(({ question, cells }) => [
      `### ${question}`,
      "Change against the corrected form with the same seed.",
      table(
        ["", ...QUANTITIES.map((q) => q.title)],
        cells.map((cell) => [cell.title, ...QUANTITIES.map((q) => change(balanced ? of(balanced) : [], of(cell), q))]),
      ),
    ]),
    "## How the settings were found",
    "On the validation people, with the corrected form, one seed.",
    table(
      ["", ...QUANTITIES.map((q) => q.title)],
      SEARCH.map((cell) => [cell.title, ...QUANTITIES.map((q) => value(of(cell), q))]),
    ),
    "## Cost",
    table(
      ["", "runs", "minutes a run"],
      ran.map((cell) => [cell.title, String(of(cell).length), minutes(of(cell))]),
    ),
  ]
    .filter((part) => part !== "")
    .join("\n\n");
}

function value(runs: readonly CellRun[], quantity: Quantity, people?: number): string {
  return runs.length === 0 ? "–" : shown(intervalOf(runs, quantity, people), quantity);
}

function change(base: readonly CellRun[], runs: readonly CellRun[], quantity: Quantity): string {
  const interval = base.length > 0 ? changeOf(base, runs, quantity) : undefined;
  return interval ? `${interval.mean > 0 ? "+" : ""}${shown(interval, quantity)}` : "–";
}

function minutes(runs: readonly CellRun[]): string {
  return (runs.reduce((sum, run) => sum + run.seconds, 0) / Math.max(1, runs.length) / 60).toFixed(1);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)].join("\n");
}

const Update = z.looseObject({ step: z.number(), reward: z.number().optional() });

/** The reward of each update's own pictures, mean over seeds. Undefined for trainings without a reward. */
function rewardCurve(title: string, runs: readonly CellRun[]): Curve | undefined {
  const at = new Map<number, number[]>();
  for (const { folder } of runs)
    for (const name of readdirSync(folder).filter((n) => n.startsWith("train-"))) {
      const file = join(folder, name, "metrics.jsonl");
      if (!existsSync(file)) continue;
      for (const line of readFileSync(file, "utf8").trimEnd().split("\n")) {
        const { step, reward } = Update.parse(JSON.parse(line));
        if (reward !== undefined) at.set(step, [...(at.get(step) ?? []), reward]);
      }
    }
  const points = [...at].sort(([a], [b]) => a - b).map(([x, ys]) => ({ x, y: ys.reduce((s, y) => s + y, 0) / ys.length }));
  return points.length > 0 ? { title, points } : undefined;
}
