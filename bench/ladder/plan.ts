// What the ladder runs: cells, each a saved workflow with some widgets set, over some seeds.

/** Widget → value, as `--set` takes them. */
export type Settings = Readonly<Record<string, string | number>>;

export interface Cell {
  /** Its folder. */
  readonly name: string;
  /** As the tables say it. */
  readonly title: string;
  /** File in graphs/ladder, without `.json`. */
  readonly workflow: string;
  readonly set: Settings;
  readonly seeds: readonly number[];
}

/** A question and its answers; every one differs from the corrected form in one setting. */
export interface Ablation {
  readonly question: string;
  readonly cells: readonly Cell[];
}

const SEEDS = [0, 1, 2];
const step = (name: string, title: string): Cell => ({ name, title, workflow: name, set: {}, seeds: SEEDS });

/** From one base with equal numbers of updates and samples. */
export const LADDER: readonly Cell[] = [
  { ...step("base", "base model"), seeds: [0] },
  step("sft", "SFT"),
  step("sir", "ReReFL, SIR"),
  step("mimr", "ReReFL, MIMR (`umo`)"),
  step("balanced", "ReReFL, MIMR (`balanced`, places, count)"),
];

const variant = (name: string, title: string, set: Settings): Cell => ({ name, title, workflow: "balanced", set, seeds: [0] });

export const ABLATIONS: readonly Ablation[] = [
  {
    question: "Which steps carry the reward's gradient?",
    cells: [
      variant("window-last", "the last step", { "9.window_end": 1, "9.sigma_min": 0 }),
      variant("window-all", "all ten steps", { "9.window_end": 10 }),
    ],
  },
  {
    question: "How much weight for the flow-matching loss (1 otherwise)?",
    cells: [variant("lambda-0", "λ = 0", { "9.lambda": 0 }), variant("lambda-4", "λ = 4", { "9.lambda": 4 })],
  },
  {
    question: "Which rank (16 otherwise)?",
    cells: [variant("rank-4", "rank 4", { "9.rank": 4, "9.alpha": 4 }), variant("rank-64", "rank 64", { "9.rank": 64, "9.alpha": 64 })],
  },
  {
    question: "Compared with the references or with the true picture (references otherwise)?",
    cells: [
      variant("against-target", "true picture", { "14.against": "target" }),
      variant("against-both", "both", { "14.against": "both" }),
    ],
  },
  {
    question: "How many people in the training scenes (one to five otherwise)?",
    cells: [variant("people-1-2", "one and two", { "4.max_people": 2 }), variant("people-4-5", "four and five", { "4.min_people": 4 })],
  },
];

/** Settings tried on the validation people, before anything is measured on the others. */
export const SEARCH: readonly Cell[] = [0.0003, 0.001, 0.003].flatMap((rate) =>
  [16, 64].map((rank) => ({
    name: `search-lr${rate}-rank${rank}`,
    title: `learning rate ${rate}, rank ${rank}`,
    workflow: "search",
    set: { "9.learning_rate": rate, "9.rank": rank, "9.alpha": rank },
    seeds: [0],
  })),
);

export const CELLS: readonly Cell[] = [...SEARCH, ...LADDER, ...ABLATIONS.flatMap((a) => a.cells)];
