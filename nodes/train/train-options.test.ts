import { expect, test } from "vitest";
import { fakeReward } from "../../test/fake-diffusion.ts";
import { fakeTrainInputs } from "../../test/train-fake.ts";
import { MODES } from "./objective.ts";
import { PRESET_NAMES, PRESETS } from "./presets.ts";
import {
  checkWidgets,
  ignoredSettings,
  objectiveOf,
  sampleInterval,
  TRAIN_INPUTS,
  type TrainInputs,
  targetList,
  withPreset,
} from "./train-options.ts";

/** What a widget takes: its default, and for numbers what is just in and just out of its range. */
const WIDGETS: Readonly<Record<string, readonly [initial: unknown, taken: readonly unknown[], refused: readonly unknown[]]>> = {
  preset: ["custom", PRESET_NAMES, ["umo"]],
  mode: ["rerefl", MODES, ["dpo"]],
  steps: [100, [1, 1_000_000], [0, 1_000_001, 1.5]],
  accumulate: [8, [1, 1024], [0, 1025]],
  learning_rate: [5e-6, [0, 1], [-1e-9, 1.001]],
  lr_schedule: ["constant", ["cosine"], ["steps"]],
  warmup: [0, [0, 100_000], [-1, 100_001]],
  max_grad_norm: [1, [0, 1e6], [-1, 1e6 + 1]],
  weight_decay: [0.01, [0, 1], [-0.01, 1.01]],
  ema_decay: [0, [0, 0.999999], [-0.1, 1]],
  rank: [64, [1, 4096], [0, 4097]],
  alpha: [64, [0, 65536], [-1, 65537]],
  targets: ["to_q, to_k, to_v, to_out.0, add_q_proj, add_k_proj, add_v_proj, to_add_out", ["x"], [1]],
  lambda: [1, [0, 1e6], [-1, 1e6 + 1]],
  reward_weight: [1, [0, 1e9], [-1, 1e9 + 1]],
  denoise_steps: [30, [1, 1000], [0, 1001]],
  window_start: [1, [1, 1000], [0, 1001]],
  window_end: [11, [1, 1000], [0, 1001]],
  sigma_min: [0, [0, 1], [-0.01, 1.01]],
  sigma_max: [1, [0, 1], [-0.01, 1.01]],
  true_cfg_scale: [1, [1, 30], [0.99, 30.1]],
  negative_prompt: [" ", [""], [0]],
  sigma_rescale_cap: [0, [0, 100], [-1, 101]],
  k: [1, [1, 100], [0, 101]],
  checkpoint_every: [10, [1, 100_000], [0, 100_001]],
  sample_every: [0, [0, 100_000], [-1, 100_001]],
  samples: [2, [0, 64], [-1, 65]],
  seed: [0, [0, Number.MAX_SAFE_INTEGER], [-1, 2 ** 53]],
  anchor_beta: [0, [0, 1e6], [-1, 1e6 + 1]],
  constraint_min: [0, [-1e6, 1e6], [-1e6 - 1, 1e6 + 1]],
  constraint_rate: [0.1, [0, 1e6], [-1, 1e6 + 1]],
  constraint_max: [10, [0, 1e6], [-1, 1e6 + 1]],
  vision_size: [384, [32, 4096], [31, 4097]],
  keep_every: [0, [0, 100_000], [-1, 100_001]],
  keep_last: [5, [1, 1000], [0, 1001]],
  on_trouble: ["warn", ["stop"], ["ignore"]],
  init_lora_as: ["continue", ["base"], ["merge"]],
  fork_from: ["", ["x".repeat(200)], ["x".repeat(201)]],
  guardrail: ["dual", ["projection"], ["none"]],
};

test("widgets: what saved workflows rely on, and what the node refuses", () => {
  const widgets = Object.entries(TRAIN_INPUTS).flatMap(([name, spec]) => (spec.kind === "widget" ? [[name, spec] as const] : []));
  expect(widgets.map(([name]) => name)).toEqual(Object.keys(WIDGETS));
  for (const [name, { schema }] of widgets) {
    const [initial, taken, refused] = WIDGETS[name] ?? [];
    expect(schema.parse(undefined), name).toEqual(initial);
    for (const value of taken ?? []) expect(schema.safeParse(value), `${name} ${value}`).toMatchObject({ success: true });
    for (const value of refused ?? []) expect(schema.safeParse(value), `${name} ${value}`).toMatchObject({ success: false });
  }
});

test("presets are the published settings; they replace what is typed, and nothing else", () => {
  // UMO (arXiv 2509.06818): rank 512, 5e-6, batch 8; UNO 25 steps and the last 10, OmniGen2 50 and 20; Qwen-Image-Edit's recipe 30 and 11, 50 and 19.
  const published = { "umo-uno": [25, 10, 512], "umo-omnigen2": [50, 20, 512], "qwen-edit-blog-30": [30, 11, 512] } as const;
  const small = { "qwen-edit-blog-50": [50, 19, 512], "qwen-edit-r128": [30, 11, 128], "qwen-edit-r64": [30, 11, 64] } as const;
  for (const [name, [denoise_steps, window_end, rank]] of Object.entries({ ...published, ...small })) {
    const preset = PRESET_NAMES.find((p) => p === name);
    const typed = { ...(preset && { preset }), rank: 3, seed: 7 };
    expect(withPreset(typed)).toEqual({
      preset,
      seed: 7,
      ...{ denoise_steps, window_start: 1, window_end, rank, alpha: rank, learning_rate: 5e-6, accumulate: 8 },
    });
  }
  expect(Object.keys(PRESETS)).toEqual(PRESET_NAMES.slice(1));
  const custom = { preset: "custom", rank: 3 } as const;
  expect(withPreset(custom)).toBe(custom);
  const { preset: _, ...none } = custom;
  expect(withPreset<Partial<TrainInputs>>(none)).toBe(none);
});

test("a widget that the mode does not read counts as ignored when it was changed", () => {
  const unread = (i: Parameters<typeof ignoredSettings>[0]) => ignoredSettings(i).join("; ");
  const by = (mode: string, ...names: string[]) => `mode ${mode} does not read ${names.join(", ")}: what was set there has no effect`;
  expect(unread({ mode: "sft", reward_weight: 1, window_end: 11 })).toBe("");
  expect(unread({ mode: "sft", reward_weight: 2, window_end: 5, lambda: 3, k: 4 })).toBe(by("sft", "reward_weight", "window_end", "k"));
  expect(unread({ mode: "rerefl", reward_weight: 2, window_end: 5, k: 4 })).toBe(by("rerefl", "k"));
  expect(unread({ reward_weight: 2 })).toBe("");
  expect(unread({ mode: "draft", sigma_min: 0.1, sigma_rescale_cap: 2, anchor_beta: 1 })).toBe(
    by("draft", "sigma_min", "sigma_rescale_cap"),
  );
  expect(unread({ mode: "id_loss", anchor_beta: 1, sigma_min: 0.1 })).toBe(by("id_loss", "anchor_beta"));
});

test("so does one that something else decides or makes useless", () => {
  expect(ignoredSettings({ negative_prompt: "blurred", true_cfg_scale: 1 })).toEqual([
    "true_cfg_scale is 1: what was set for negative_prompt has no effect",
  ]);
  expect(ignoredSettings({ negative_prompt: "blurred" })).toHaveLength(1);
  expect(ignoredSettings({ negative_prompt: "blurred", true_cfg_scale: 2 })).toEqual([]);
  expect(ignoredSettings({ negative_prompt: "blurred", true_cfg_scale: 4 })).toEqual([]);
  expect(ignoredSettings({ keep_last: 3, keep_every: 0, sample_every: 5, samples: 0, init_lora_as: "base" })).toEqual([
    "no init_lora is connected: what was set for init_lora_as has no effect",
    "keep_every is 0: what was set for keep_last has no effect",
    "samples is 0: what was set for sample_every has no effect",
  ]);
  expect(ignoredSettings({ keep_last: 3, keep_every: 2 })).toEqual([]);
  // What the mode does not read is said once.
  expect(ignoredSettings({ mode: "sft", constraint_min: 0.5 })).toHaveLength(1);
  expect(ignoredSettings({ mode: "draft", constraint_min: 0.5 })).toEqual([
    "no constraint is connected: what was set for constraint_min has no effect",
  ]);
  const learning = { fresh: async () => new Map(), withState: () => fakeReward, learn: async () => ({}) };
  expect(ignoredSettings({ constraint: { ...fakeReward, learning } })).toEqual([
    "the scorer of constraint does not learn on, only that of reward does: its refresh_every has no effect",
  ]);
  expect(ignoredSettings({ constraint: fakeReward, reward: { ...fakeReward, learning } })).toEqual([]);
  const preset = "qwen-edit-r64";
  expect(ignoredSettings({ preset, rank: 64, learning_rate: 1e-4 })).toEqual([
    `the preset ${preset} decides: not read is learning_rate 0.0001 (it is 0.000005)`,
  ]);
  expect(ignoredSettings({ preset, rank: 64, learning_rate: 5e-6 })).toEqual([]);
});

test("targets are names between commas", () => {
  expect(targetList(" to_q,to_k , ,a.b,")).toEqual(["to_q", "to_k", "a.b"]);
  expect(targetList("")).toEqual([]);
});

test("the objective's options are the widgets'", () => {
  const inputs = fakeTrainInputs({
    mode: "draft_lv",
    lambda: 2,
    reward_weight: 3,
    denoise_steps: 4,
    window_start: 5,
    window_end: 6,
    sigma_min: 0.7,
    sigma_max: 0.8,
    sigma_rescale_cap: 9,
    k: 10,
    anchor_beta: 11,
  });
  expect(objectiveOf(inputs)).toEqual({
    mode: "draft_lv",
    lambda: 2,
    rewardWeight: 3,
    steps: 4,
    window: [5, 6],
    sigmaRange: [0.7, 0.8],
    sigmaRescaleCap: 9,
    k: 10,
    anchorBeta: 11,
  });
});

test("samples: as asked for, else five times along the run", () => {
  expect([1, 4, 5, 6, 100].map((steps) => sampleInterval({ sample_every: 0, steps }))).toEqual([1, 1, 1, 2, 20]);
  expect(sampleInterval({ sample_every: 1, steps: 100 })).toBe(1);
});

test("widgets that contradict each other are named before anything runs", () => {
  const inputs = (values: Parameters<typeof checkWidgets>[0]) => checkWidgets(values).map(({ input }) => input);
  expect(inputs({ window_start: 3, window_end: 3, denoise_steps: 3 })).toEqual([]);
  expect(inputs({ window_start: 4, window_end: 3 })).toEqual(["window_start"]);
  expect(inputs({ window_start: 4, denoise_steps: 3 })).toEqual(["window_start"]);
  expect(inputs({ window_start: 4, window_end: 3, denoise_steps: 3 })).toEqual(["window_start", "window_start"]);
  expect(inputs({ sigma_min: 0.3, sigma_max: 0.31 })).toEqual([]);
  expect(inputs({ sigma_min: 0.3, sigma_max: 0.3 })).toEqual(["sigma_min"]);
  expect(inputs({ targets: " , " })).toEqual(["targets"]);
  expect(inputs({ targets: "to_q" })).toEqual([]);
  expect(inputs({ window_start: 4 })).toEqual([]);
  expect(inputs({ sigma_min: 1 })).toEqual([]);
  // A preset's window is what counts.
  expect(inputs({ preset: "umo-uno", window_start: 40, window_end: 3, denoise_steps: 3 })).toEqual([]);
  expect(checkWidgets({ window_start: 4, window_end: 3 })[0]?.message).toBe("the window [4, 3] is empty");
});
