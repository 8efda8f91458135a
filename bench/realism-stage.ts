// What the realism stage does on held-out people, over three seeds, with identity as a guardrail and without, from runs of graphs/train-realism.json.
//   npm run bench -- realism-stage               runs what is missing in out/realism-stage (or REALISM_RUNS=DIR), one thread, and prints the table
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { STATISTIC_NAMES } from "../nodes/realism/statistics/names.ts";
import { bootstrapMean, type Interval } from "../nodes/shared/metrics/bootstrap-mean.ts";

const SEEDS = [0, 1, 2] as const;
/** Each arm's inputs: in the second the guardrail weighs nothing. */
const ARMS = { "with the guardrail": [], "without it": ["10.weights=0"] } as const;
type Arm = keyof typeof ARMS;

/** What may be lost of identity. */
const TOLERANCE = 0.02;

const root = join(import.meta.dirname, "..");
const WORKFLOW = join(root, "graphs/train-realism.json");

/** SaveMetrics' file: the identity stage, then the realism stage. */
const Saved = z.object({
  details: z.tuple([
    z.object({ examples: z.array(z.string()), rows: z.array(z.record(z.string(), z.number())) }),
    z.object({ examples: z.array(z.string()), rows: z.array(z.record(z.string(), z.number())) }),
  ]),
});
export type Rows = z.infer<typeof Saved>["details"];

/** Runs what is missing and prints the table. */
export async function realismStage(): Promise<void> {
  const folder = process.env.REALISM_RUNS ?? join("out", "realism-stage");
  // Runs of another workflow are not taken for runs of this one.
  const version = createHash("sha256").update(readFileSync(WORKFLOW)).digest("hex").slice(0, 8);
  const name = (arm: Arm, seed: number) => `${arm.replaceAll(" ", "-")}-${seed}-${version}`;
  const file = (arm: Arm, seed: number) => join(folder, `${name(arm, seed)}.json`);
  const arms = Object.entries(ARMS) as [Arm, readonly string[]][];
  for (const seed of SEEDS)
    for (const [arm, inputs] of arms) if (!existsSync(file(arm, seed))) runStage(folder, name(arm, seed), [`23.seed=${seed}`, ...inputs]);
  for (const [arm] of arms)
    console.log(
      stageReport(
        arm,
        SEEDS.map((seed) => Saved.parse(JSON.parse(readFileSync(file(arm, seed), "utf8"))).details),
      ),
    );
}

/** One folder for all runs: the identity stage is trained once, and every later run finds it there. */
function runStage(folder: string, filename: string, inputs: readonly string[]): void {
  console.log(`\n${filename}`);
  const set = [...inputs, "23.on_trouble=warn", `29.filename=${filename}`].flatMap((value) => ["--set", value]);
  const args = [join(root, "graph.mjs"), "run", WORKFLOW, "--out", folder, "--threads", "1", ...set];
  const { status } = spawnSync(process.execPath, args, { stdio: "inherit" });
  if (status !== 0) throw new Error(`the run ${filename} ended with ${status}; the same command continues it`);
}

interface Quantity {
  readonly label: string;
  readonly metric: string;
  /** 1: more is better; −1: less is; 0: it should stay. */
  readonly better: 1 | -1 | 0;
}

/** Which statistics a run trained on, and which it only watched, as its rows name them. */
function quantities(row: Readonly<Record<string, number>>): Readonly<Record<"realism" | "trained" | "unused" | "identity", Quantity[]>> {
  const deviations = (prefix: string) =>
    STATISTIC_NAMES.flatMap((name): Quantity[] =>
      `${prefix}.${name}` in row ? [{ label: `${name}, spreads from real`, metric: `${prefix}.${name}`, better: -1 }] : [],
    );
  return {
    realism: [
      { label: "scorer that is only watched, log odds", metric: "reward.sum.realism", better: 1 },
      { label: "scorer that is trained on, log odds", metric: "reward.realism", better: 1 },
    ],
    unused: deviations("reward.sum.priors.deviation"),
    trained: deviations("reward.priors.deviation"),
    identity: [
      { label: "MIMR by another encoder", metric: "reward.sum.mimr_balanced", better: 0 },
      { label: "ID-Sim by another encoder", metric: "id_sim", better: 0 },
      { label: "likeness in place by another encoder", metric: "id_sim_in_place", better: 0 },
      { label: "copy-paste", metric: "m_cp", better: 0 },
      { label: "pictures with the right number of faces", metric: "count_accuracy", better: 0 },
    ],
  };
}

interface Line extends Quantity {
  readonly before: number;
  readonly change: Interval;
}

/** A table of every change with its interval over seeds and pictures, and sentences that say what it comes to. @param runs one for each seed */
export function stageReport(arm: string, runs: readonly Rows[]): string {
  const groups = quantities(runs[0]?.[1].rows[0] ?? {});
  const lines = (of: keyof typeof groups) => groups[of].flatMap((quantity) => lineOf(quantity, runs) ?? []);
  const [first] = runs;
  const out = [
    `\n### ${arm[0]?.toUpperCase()}${arm.slice(1)}: ${runs.length} seeds, ${first?.[0].rows.length} held-out pictures each\n`,
    "| | identity stage | change | 95 % from | to | |\n|---|---|---|---|---|---|",
    ...(["realism", "unused", "trained", "identity"] as const).flatMap((group) => lines(group).map(cells)),
  ];
  const towards = lines("unused").filter(isBetter);
  const names = towards.map((l) => l.label.split(",")[0]).join(", ");
  const [scorer] = lines("realism");
  out.push(
    `\nThe watched scorer ${scorer && isBetter(scorer) ? "moves towards real" : "does not move towards real beyond its interval"}; ` +
      `${towards.length} of ${groups.unused.length} unused statistics do${names === "" ? "" : ` (${names})`}.`,
  );
  for (const line of lines("identity").slice(0, 2)) {
    // MIMR is a difference of cosines and may be near 0: its 2 % are of the whole range of 1.
    const allowed = TOLERANCE * (line.metric === "id_sim" ? line.before : 1);
    const { low, high, mean } = line.change;
    const verdict = low >= -allowed ? "kept" : high < -allowed ? "lost" : "not decided";
    out.push(`${line.label}, within ${allowed.toPrecision(2)}: ${verdict} (${signed(mean)}, ${signed(low)} to ${signed(high)}).`);
  }
  return out.join("\n");
}

/** Change from identity stage to realism stage, example by example; undefined where no example has the number. */
function lineOf(quantity: Quantity, runs: readonly Rows[]): Line | undefined {
  const pairs = runs.map(([before, after]) => {
    const known = new Map(before.examples.map((id, k) => [id, before.rows[k]?.[quantity.metric]]));
    return after.examples.flatMap((id, k) => {
      const [a, b] = [known.get(id), after.rows[k]?.[quantity.metric]];
      return a === undefined || b === undefined ? [] : [{ a, b }];
    });
  });
  const change = bootstrapMean(pairs.map((group) => group.map(({ a, b }) => b - a)));
  const all = pairs.flat();
  return change && { ...quantity, change, before: all.reduce((s, { a }) => s + a, 0) / all.length };
}

const isBetter = ({ better, change }: Line): boolean => (better === 1 ? change.low > 0 : better === -1 && change.high < 0);

function cells(line: Line): string {
  const { label, before, change, better } = line;
  const moved = change.low > 0 || change.high < 0;
  const word = !moved ? "" : better === 0 ? (change.mean > 0 ? "rises" : "falls") : isBetter(line) ? "towards real" : "away from real";
  return `| ${[label, before.toPrecision(3), ...[change.mean, change.low, change.high].map(signed), word].join(" | ")} |`;
}

function signed(x: number): string {
  return `${x < 0 ? "−" : "+"}${Math.abs(x).toPrecision(2)}`;
}
