import { expect, test } from "vitest";
import { settingsWarnings } from "./settings-warnings.ts";
import { TrainingWatch } from "./training-watch.ts";

const usual = {
  mode: "rerefl",
  steps: 100,
  learning_rate: 1e-4,
  alpha: 8,
  warmup: 4,
  ema_decay: 0,
  lambda: 1,
  reward_weight: 1,
  constraint_max: 1,
} as const;

test.each([
  [{}, []],
  [{ learning_rate: 0 }, ["learning_rate is 0"]],
  [{ alpha: 0 }, ["alpha is 0"]],
  [{ lambda: 0, reward_weight: 0 }, ["reward_weight and lambda are both 0"]],
  [{ mode: "sft", lambda: 0 }, ["lambda is 0"]],
  [{ mode: "sft", reward_weight: 0 }, []],
  [{ reward_weight: 0 }, ["reward_weight is 0"]],
  [{ warmup: 100 }, ["warmup (100)"]],
  [{ ema_decay: 0.999, steps: 5000 }, []],
  [{ ema_decay: 0.99999, steps: 100 }, []],
  [{ learning_rate: 0, alpha: 0 }, ["learning_rate", "alpha"]],
] as const)("settings %o", (changes, expected) => {
  const found = settingsWarnings({ ...usual, ...changes });
  expect(found).toHaveLength(expected.length);
  expected.forEach((start, k) => {
    expect(found[k]?.startsWith(start)).toBe(true);
  });
});

type Rows = readonly Readonly<Record<string, number | null>>[];

function findings(
  rows: Rows,
  onTrouble: "warn" | "stop" = "warn",
): { readonly message: string; readonly code: string; readonly update: number }[] {
  const told: { readonly message: string; readonly code: string; readonly update: number }[] = [];
  const watch = new TrainingWatch({
    onTrouble,
    warn: (message, alarm) => void told.push({ message, code: alarm?.code ?? "", update: alarm?.update ?? 0 }),
  });
  rows.forEach((row, k) => {
    watch.update(k + 1, row);
  });
  return told;
}
const watched = (rows: Rows, onTrouble: "warn" | "stop" = "warn") => findings(rows, onTrouble).map((f) => f.message);
const codes = (rows: Rows) => findings(rows).map((f) => `${f.code} ${f.update}`);
const many = (n: number, row: (k: number) => Readonly<Record<string, number>>) => Array.from({ length: n }, (_, k) => row(k));
/** A little noise that does not grow. */
const wobble = (k: number) => 0.01 * Math.sin(k * 7);

test("a healthy run is left alone", () => {
  expect(
    watched(
      many(60, (k) => ({
        grad_norm: 1,
        loss_pretrain: 1 + wobble(k),
        reward_skipped: 0.5,
        reward: k / 60,
        "reward.mimr": k / 60,
        "reward.id": 0.3 + wobble(k),
      })),
    ),
  ).toEqual([]);
});

test("a gradient of exactly 0 for five updates", () => {
  expect(watched(many(4, () => ({ grad_norm: 0 })))).toEqual([]);
  expect(watched(many(30, () => ({ grad_norm: 0 })))).toEqual([expect.stringMatching(/exactly 0 for 5 updates/)]);
});

test("no face in any picture, of the reward or of one part", () => {
  const whole = watched(many(9, () => ({ grad_norm: 1, reward_skipped: 1, "reward.faces_found": 0 })));
  expect(whole).toEqual([expect.stringMatching(/^the reward had nothing to say .* no face was found/)]);
  const part = watched(many(9, () => ({ grad_norm: 1, reward_skipped: 0, "reward.mimr.skipped": 1, "reward.mimr.faces_found": 0 })));
  expect(part).toEqual([expect.stringMatching(/^mimr had nothing to say/)]);
  expect(watched(many(9, (k) => ({ grad_norm: 1, reward_skipped: k % 3 === 0 ? 0 : 1 })))).toEqual([]);
});

test("a loss several times its start", () => {
  expect(watched(many(40, (k) => ({ grad_norm: 1, loss_pretrain: 0.1 * (1 + k / 8) })))).toEqual([
    expect.stringMatching(/^loss_pretrain is 3\.\d times/),
  ]);
});

test("a reward that falls while another rises", () => {
  const rows = many(30, (k) => ({
    grad_norm: 1,
    reward: k / 30,
    "reward.mimr": k / 30 + wobble(k),
    "reward.layout": -k / 60 + wobble(k),
    "reward.mimr.matched": -k,
  }));
  expect(watched(rows)).toEqual([expect.stringMatching(/reward\.layout .* falls while reward\.mimr .* rises/)]);
});

test("or the run stops", () => {
  expect(() =>
    watched(
      many(9, () => ({ grad_norm: 0 })),
      "stop",
    ),
  ).toThrow(expect.objectContaining({ code: "TRAIN_WATCH" }));
});

test("the code and the update that each began at", () => {
  const fine = { grad_norm: 1, lr: 1 };
  expect(codes([fine, { ...fine, skipped_update: 1, grad_norm: null }, fine])).toEqual(["TRAIN_NOT_FINITE 2"]);
  expect(codes([{ ...fine, reward_skipped: 0 }, ...many(6, () => ({ ...fine, reward_skipped: 1 }))])).toEqual(["TRAIN_NO_FACE 2"]);
  expect(codes(many(6, () => ({ ...fine, grad_norm: 0 })))).toEqual(["TRAIN_NOTHING_LEARNED 1"]);
  expect(codes([fine, ...many(6, () => ({ ...fine, lr: 0 }))])).toEqual(["TRAIN_NOTHING_LEARNED 2"]);
  expect(codes(many(40, (i) => ({ ...fine, loss: i < 20 ? 0.1 : 1 })))).toEqual(["TRAIN_LOSS_GREW 30"]);
});

test("numbers that are not finite stop no run that is to stop at trouble: the loop knows how many are too many", () => {
  expect(watched([{ grad_norm: null, skipped_update: 1 }], "stop")).toEqual([expect.stringMatching(/^update 1 was left out/)]);
});

test("held out falls while the reward rises: told once, at the best update", () => {
  const rows = (held: readonly number[]) =>
    many(held.length * 10, (k) => ({
      grad_norm: 1,
      reward: k / 100,
      ...((k + 1) % 10 === 0 && { "held_out.reward": held[(k + 1) / 10 - 1] ?? 0 }),
    }));
  expect(codes(rows([0.2, 0.5, 0.6, 0.5, 0.45, 0.4, 0.3]))).toEqual(["TRAIN_OVERFIT 30"]);
  expect(codes(rows([0.2, 0.5, 0.6, 0.58, 0.59, 0.57]))).toEqual([]);
});
