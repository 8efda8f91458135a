import { expect, test } from "vitest";
import { settingsWarnings } from "./settings-warnings.ts";
import { TrainingWatch } from "./training-watch.ts";

const usual = {
  mode: "rerefl",
  steps: 100,
  learning_rate: 1e-4,
  alpha: 8,
  warmup: 4,
  lambda: 1,
  reward_weight: 1,
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

const fine = { grad_norm: 1, lr: 1 };
/** Updates of one number, the rest of each in order. */
const series = (name: string, values: readonly (number | null | undefined)[]) =>
  values.map((value) => ({ ...fine, ...(value === undefined ? {} : { [name]: value }) }));
const filled = (n: number, value: number) => new Array<number>(n).fill(value);

test.each(["grad_norm", "lr"])("%s of 0 four times, or with one between, is nothing to tell", (name) => {
  expect(codes(series(name, [1, 0, 0, 0, 0, 1, 0, 0, 0, 0]))).toEqual([]);
  expect(codes(series(name, [1, 0, 0, 0, 0, 0]))).toEqual(["TRAIN_NOTHING_LEARNED 2"]);
});

test("findings name the update where they began in a run that continues from another", () => {
  const told: string[] = [];
  const watch = new TrainingWatch({ onTrouble: "warn", warn: (_, alarm) => void told.push(`${alarm?.code} ${alarm?.update}`) });
  for (let step = 31; step < 36; step++) watch.update(step, { ...fine, reward_skipped: 1 });
  expect(told).toEqual(["TRAIN_NO_FACE 31"]);
});

test("a skipped part is named without the reward's name before it; a missing face only where faces were counted as none", () => {
  const said = (row: Readonly<Record<string, number>>) => watched(many(5, () => ({ ...fine, ...row })))[0];
  expect(said({ "reward.objective.mimr.skipped": 1, "reward.objective.mimr.faces_found": 0 })).toBe(
    "objective.mimr had nothing to say about any picture of 5 updates: no face was found in any of them",
  );
  expect(said({ "reward.mimr.skipped": 1, "reward.faces_found": 0 })).toBe("mimr had nothing to say about any picture of 5 updates");
  expect(said({ reward_skipped: 1, "reward.faces_found": 2 })).toBe("the reward had nothing to say about any picture of 5 updates");
  expect(watched(series("reward_skipped", [1, 1, 1, 1, 0.9, 1, 1, 1, 1]))).toEqual([]);
});

test("a loss may reach three times its start; it is looked at every tenth update from the twentieth on", () => {
  const from = (start: number, end: number) => series("loss", [...filled(10, start), ...filled(10, end)]);
  expect(findings(from(2, 6))).toEqual([]);
  expect(findings(from(2, 6.1))).toMatchObject([
    { code: "TRAIN_LOSS_GREW", update: 20, message: "loss is 3.1 times what it was at the start (2.00 → 6.10): the model is coming apart" },
  ]);
  // Between the looks nothing is told; at the next one it is over.
  expect(codes(series("loss", [...filled(20, 1), ...filled(5, 90), ...filled(5, -88)]))).toEqual([]);
  expect(codes(series("reward.mimr", [...filled(10, 1), ...filled(10, 9)]))).toEqual([]);
});

test("a loss that begins at 0 or below has no ratio, and one that is seldom there is not judged", () => {
  for (const start of [0, -1]) expect(codes(series("loss", [...filled(10, start), ...filled(10, 5)]))).toEqual([]);
  const seldom = (n: number) => [...filled(10, 1), ...filled(n, 9), ...new Array<undefined>(10 - n).fill(undefined)];
  expect(codes(series("loss", seldom(4)))).toEqual([]);
  expect(codes(series("loss", seldom(5)))).toEqual(["TRAIN_LOSS_GREW 20"]);
  expect(codes(series("loss", [...filled(10, 1), ...filled(4, 9), ...new Array<null>(6).fill(null)]))).toEqual(["TRAIN_NOT_FINITE 15"]);
  expect(codes(series("loss", [...filled(10, 1), ...filled(9, 9), Number.POSITIVE_INFINITY]))).toEqual(["TRAIN_NOT_FINITE 20"]);
});

test("a change within two standard errors of both ends is noise", () => {
  // Spread ±1: a mean's error is √(10/9/10) = 1/3, of a difference √2/3.
  const spread = (mean: number) => many(10, (k) => ({ value: mean + (k % 2 ? 1 : -1) })).map(({ value }) => value ?? 0);
  const rows = (falls: number) =>
    [spread(0), spread(-falls)].flat().map((value, k) => ({ ...fine, "reward.a": value, "reward.b": k < 10 ? 0 : 1 }));
  const limit = (2 * Math.SQRT2) / 3;
  expect(codes(rows(limit - 0.01))).toEqual([]);
  expect(codes(rows(limit + 0.01))).toEqual(["TRAIN_TRADED 20"]);
  const other = (rises: number) =>
    [spread(0), spread(rises)].flat().map((value, k) => ({ ...fine, "reward.a": value, "reward.b": k < 10 ? 1 : 0 }));
  expect(codes(other(limit - 0.01))).toEqual([]);
  expect(codes(other(limit + 0.01))).toEqual(["TRAIN_TRADED 20"]);
});

test("counts of faces and of skips are no rewards, and a fall alone is no trade", () => {
  const two = (falling: string) => many(20, (k) => ({ ...fine, "reward.mimr": k < 10 ? 0 : 1, [falling]: k < 10 ? 0.9 : 0.1 }));
  expect(codes(two("reward.layout"))).toEqual(["TRAIN_TRADED 20"]);
  for (const name of ["reward.faces_found", "reward.faces_asked", "reward_skipped", "reward", "reward.mimr.unmatched", "held_out.reward.x"])
    expect(codes(two(name)), name).toEqual([]);
  expect(codes(many(20, (k) => ({ ...fine, "reward.layout": k < 10 ? 1 : 0, "reward.other": 1 })))).toEqual([]);
});

/** Held-out rewards at every second update, training's own at all. */
function overfitting(held: readonly number[], own: (step: number) => number) {
  return codes(
    many(2 * held.length, (k) => ({ ...fine, reward: own(k + 1), ...(k % 2 === 1 && { "held_out.reward": held[(k - 1) / 2] ?? 0 }) })),
  );
}
const rises = (step: number) => step;

test("held out: three times in a row by more than a fifth of the gain, while the training's reward is higher than before the best", () => {
  const best = [0, 1];
  expect(overfitting([...best, 0.79, 0.79, 0.79], rises)).toEqual(["TRAIN_OVERFIT 4"]);
  expect(overfitting([...best, 0.8, 0.8, 0.8, 0.8, 0.8], rises)).toEqual([]);
  expect(overfitting([...best, 0.7, 0.7], rises)).toEqual([]);
  expect(overfitting([...best, 0.7, 0.7, 0.9, 0.7, 0.7], rises)).toEqual([]);
  expect(overfitting([...best, 0.7, 0.7, 0.9, 0.7, 0.7, 0.7], rises)).toEqual(["TRAIN_OVERFIT 4"]);
  // As good as the best is a new best.
  expect(overfitting([...best, 0.7, 0.7, 1, 0.7, 0.7], rises)).toEqual([]);
  expect(overfitting([...best, 0.7, 0.7, 1, 0.7, 0.7, 0.7], rises)).toEqual(["TRAIN_OVERFIT 10"]);
  // The lowest value of all decides the gain: once held out has been at −9, a fall to 0.7 is small.
  expect(overfitting([-9, 1, 0.7, 0.7, 0.7, 0.7], rises)).toEqual([]);
  for (const still of [() => 1, (step: number) => -step]) expect(overfitting([...best, 0.5, 0.5, 0.5], still)).toEqual([]);
});

test("as many updates before the best are compared as have come after it", () => {
  const held = [0, 0, 0, 1, 0.5, 0.5, 0.5];
  // The best is update 8, the third fall 14: updates 3 to 8 against 9 to 14.
  const own = (values: Readonly<Record<number, number>>) => (step: number) => values[step] ?? (step > 8 ? 1 : 0);
  expect(overfitting(held, own({}))).toEqual(["TRAIN_OVERFIT 8"]);
  for (const outside of [1, 2]) expect(overfitting(held, own({ [outside]: 100 })), `${outside}`).toEqual(["TRAIN_OVERFIT 8"]);
  for (const before of [3, 8]) expect(overfitting(held, own({ [before]: 100 })), `${before}`).toEqual([]);
  for (const after of [9, 14]) expect(overfitting(held, own({ [after]: -100 })), `${after}`).toEqual([]);
});

test("numbers that are none are left out of both", () => {
  const rows = many(10, (k) => ({
    ...fine,
    reward: k,
    ...(k % 2 === 1 && { "held_out.reward": [0, 1, 0.5, 0.5, 0.5][(k - 1) / 2] ?? 0 }),
  }));
  const holed: Rows = rows.map((row, k) => (k === 5 ? { ...row, reward: Number.NaN } : k === 6 ? { ...row, reward: null } : row));
  expect(codes(holed).filter((code) => !code.startsWith("TRAIN_NOT_FINITE"))).toEqual(["TRAIN_OVERFIT 4"]);
});

test("a number that is none is told once by its name, unless its update was left out and said so", () => {
  const rows = many(5, (k) => ({ ...fine, "reward.mimr": k >= 2 ? Number.NaN : 1 }));
  const sick: Rows = rows.map((row, k) => (k === 3 ? { ...row, "reward.sir": null } : row));
  expect(codes(sick)).toEqual(["TRAIN_NOT_FINITE 3", "TRAIN_NOT_FINITE 4"]);
  expect(codes([{ ...fine, grad_norm: Number.NaN, skipped_update: 1 }])).toEqual(["TRAIN_NOT_FINITE 1"]);
});

test("every update that is left out is a warning, the first one an alarm", () => {
  const told: (string | undefined)[] = [];
  const watch = new TrainingWatch({ onTrouble: "stop", warn: (message, alarm) => void told.push(message, alarm?.code) });
  watch.leftOut(3, "Inf");
  watch.leftOut(4, "NaN");
  watch.update(4, { ...fine, skipped_update: 1 });
  expect(told).toEqual(["update 3 was left out: Inf", "TRAIN_NOT_FINITE", "update 4 was left out: NaN", undefined]);
  expect(codes([fine, { ...fine, skipped_update: 1 }, { ...fine, skipped_update: 1 }])).toEqual(["TRAIN_NOT_FINITE 2"]);
});

test("a run that is to stop ends with the finding's hint and with how to go on regardless", () => {
  const watch = new TrainingWatch({ onTrouble: "stop", warn: () => undefined });
  const tell = (hint: string) => () => watch.tell(hint, { code: "X", update: 0, message: "trouble", hint });
  expect(tell("lower it")).toThrow(
    expect.objectContaining({ message: "trouble", hint: "lower it, or set on_trouble to warn to continue anyway" }),
  );
  expect(tell("")).toThrow(expect.objectContaining({ hint: "or set on_trouble to warn to continue anyway" }));
  expect(tell("lower it")).not.toThrow();
});

test("samples that show a fooled reward are told once", () => {
  const told: unknown[] = [];
  const watch = new TrainingWatch({ onTrouble: "warn", warn: (_, alarm) => void told.push([alarm?.code, alarm?.update]) });
  const history = [0, 1, 2, 3].map((k) => ({ step: k, rows: [{ reward: k, watched: -k }] }));
  watch.samples(2, history.slice(0, 3));
  watch.samples(3, history);
  watch.samples(4, history);
  expect(told).toEqual([["TRAIN_HACKED", 3]]);
});

test("a warm-up as long as the run", () => {
  const found = (warmup: number) => settingsWarnings({ ...usual, warmup }).map((word) => word.split(" ")[0]);
  expect([found(99), found(100), found(101)]).toEqual([[], ["warmup"], ["warmup"]]);
});

test("a scorer that should learn on and cannot is told once, after five steps that were due", () => {
  const due = { "refresh.left_out": 1 };
  const rows = [{}, due, {}, due, due, due, { "refresh.left_out": 0 }, due, due, {}, due, due];
  expect(codes(rows)).toEqual([]);
  expect(codes([...rows, {}, due, due, due])).toEqual(["TRAIN_NOT_REFRESHED 14"]);
});
