// One run of a cell: where it lies, whether it is finished, and what it measured.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { Cell, Settings } from "./plan.ts";

const WORKFLOWS = join(import.meta.dirname, "../../graphs/ladder");

const Graph = z.record(z.string(), z.object({ class_type: z.string(), inputs: z.record(z.string(), z.json()) }));
type Graph = z.infer<typeof Graph>;
const Run = z.object({ state: z.string(), seconds: z.number().optional(), graph: Graph, files: z.array(z.string()) });
const Measured = z.object({
  details: z.tuple([z.object({ examples: z.array(z.string()), rows: z.array(z.record(z.string(), z.number())) })]),
});

/** Numbers of one picture, as EvaluateEdits names them. */
export type Row = Readonly<Record<string, number>>;

export interface CellRun {
  readonly cell: Cell;
  readonly seed: number;
  readonly folder: string;
  readonly seconds: number;
  readonly examples: readonly string[];
  readonly rows: readonly Row[];
  /** Pictures of the held-out scenes, in the order of `examples`. */
  readonly pictures: readonly string[];
}

export function folderOf(out: string, cell: Cell, seed: number): string {
  return join(out, cell.name, `seed-${seed}`);
}

export function workflowOf(cell: Cell): string {
  return join(WORKFLOWS, `${cell.workflow}.json`);
}

/** All widgets that a run of the cell sets: its own, and the seed of the training. */
export function settingsOf(cell: Cell, seed: number): Settings {
  return cell.workflow === "base" ? cell.set : { ...cell.set, "9.seed": seed };
}

/** The workflow's graph with the settings in it. */
export function graphOf(cell: Cell, seed: number): Graph {
  const graph = Graph.parse(JSON.parse(readFileSync(workflowOf(cell), "utf8")));
  for (const [target, value] of Object.entries(settingsOf(cell, seed))) {
    const [id = "", widget = ""] = target.split(".");
    const node = graph[id];
    if (!node || !(widget in node.inputs)) throw new Error(`${cell.name}: ${cell.workflow}.json has no ${target}`);
    node.inputs[widget] = value;
  }
  return graph;
}

/**
 * What a finished run measured; undefined when it has not finished.
 * @throws Error when the folder holds a run of other settings: mixed ladders would compare nothing
 */
export function readRun(out: string, cell: Cell, seed: number): CellRun | undefined {
  const folder = folderOf(out, cell, seed);
  const record = join(folder, "run.json");
  if (!existsSync(record)) return undefined;
  const { state, seconds = 0, graph, files } = Run.parse(JSON.parse(readFileSync(record, "utf8")));
  const wanted = graphOf(cell, seed);
  const differing = Object.keys(wanted).filter((id) => !isDeepStrictEqual(plain(graph[id]), plain(wanted[id])));
  if (differing.length > 0)
    throw new Error(
      `${folder} holds a run with other settings (node ${differing.join(", ")}): choose another folder with --out, or delete this one`,
    );
  if (state !== "finished") return undefined;
  const { details } = Measured.parse(JSON.parse(readFileSync(join(folder, "metrics.json"), "utf8")));
  const pictures = files.filter((file) => file.startsWith("held-out/")).sort();
  return { cell, seed, folder, seconds, ...details[0], pictures };
}

function plain(node: Graph[string] | undefined): unknown {
  return node && { type: node.class_type, inputs: node.inputs };
}
