import { expect, test } from "vitest";
import type { NodeContext, RunDirectory } from "../../../engine/node/context.ts";
import { fakeContext } from "../../../test/fake-context.ts";
import { memoryDirectory } from "../../../test/memory-directory.ts";
import { decodeCheckpoint, encodeCheckpoint, type TrainState } from "./checkpoint.ts";
import { streamOf } from "./data-order.ts";
import { CHECKPOINT, emaDecayAt, freshState, type LoopHooks, type LoopOptions, type MicroResult, trainLoop } from "./train-loop.ts";

const shapes = new Map([
  ["w", [2, 3]],
  ["c", [4]],
]);
const options: LoopOptions = {
  steps: 7,
  accumulate: 3,
  lr: 0.1,
  schedule: "cosine",
  warmup: 2,
  maxGradNorm: 1,
  adam: { weightDecay: 0.01 },
  emaDecay: 0.5,
  checkpointEvery: 2,
  fingerprint: "f",
};

function start(ema = true): TrainState {
  const params = new Map(
    [...shapes].map(([name, shape], i) => [name, streamOf(9, i).normals(new Float32Array(shape.reduce((n, d) => n * d, 1)))]),
  );
  return freshState(params, shapes, ema);
}

/** |p − a random target|² of each example. */
async function micro(state: TrainState, step: number, index: number): Promise<MicroResult> {
  const rng = streamOf(1, step, index);
  let loss = 0;
  const grads = new Map(
    [...state.params].map(([name, p]) => [
      name,
      p.map((x) => {
        const d = x - rng.normal();
        loss += d * d;
        return 2 * d;
      }),
    ]),
  );
  return { grads, logs: { loss } };
}

function lines(dir: RunDirectory & { readonly files: ReadonlyMap<string, Uint8Array> }, file = "metrics.jsonl"): Record<string, unknown>[] {
  const text = new TextDecoder().decode(dir.files.get(file));
  return text.split("\n").flatMap((line) => (line === "" ? [] : [JSON.parse(line)]));
}

async function whole(changes: Partial<LoopOptions> = {}, hooks: Partial<LoopHooks> = {}, ctx: NodeContext = fakeContext()) {
  const state = start((changes.emaDecay ?? options.emaDecay) > 0);
  const dir = memoryDirectory();
  const finished = await trainLoop(ctx, dir, state, { ...options, ...changes }, { micro, ...hooks });
  return { state, dir, finished };
}

class Crash extends Error {}

test("a crash at every write, resumed: the same checkpoint and metrics byte for byte", async () => {
  const afterStep: LoopHooks["afterStep"] = async (state, step) =>
    step % 3 === 0 ? { "held_out.first": state.params.get("w")?.[0] ?? 0 } : undefined;
  const { dir: undisturbed } = await whole({}, { afterStep });
  const writes = undisturbed.writes;
  expect(writes).toBeGreaterThan(15);
  for (let crash = 0; crash < writes; crash++)
    for (const torn of [false, true]) {
      const dir = memoryDirectory();
      dir.beforeWrite = (n, file, text) => {
        if (n !== crash) return;
        // An append may leave half a line; a write is all or nothing.
        if (torn && text !== undefined)
          dir.files.set(file, new TextEncoder().encode(`${new TextDecoder().decode(dir.files.get(file))}${text.slice(0, 9)}`));
        throw new Crash();
      };
      await expect(trainLoop(fakeContext(), dir, start(), options, { micro, afterStep })).rejects.toThrow(Crash);
      dir.beforeWrite = undefined;
      expect(await trainLoop(fakeContext(), dir, start(), options, { micro, afterStep })).toBe(true);
      for (const file of [CHECKPOINT, "metrics.jsonl"])
        expect(dir.files.get(file), `${file} after a crash at write ${crash}`).toEqual(undisturbed.files.get(file));
    }
});

test("one line per update, with what the hooks add; the clock is kept apart", async () => {
  const { dir } = await whole({}, { afterStep: async (_, step) => ({ twice: 2 * step }) });
  const metrics = lines(dir);
  expect(metrics.map((m) => m.step)).toEqual([1, 2, 3, 4, 5, 6, 7]);
  expect(metrics[4]).toMatchObject({ twice: 10, skipped_update: 0 });
  expect(Object.keys(metrics[0] ?? {})).toEqual(["step", "loss", "grad_norm", "lr", "skipped_update", "twice"]);
  expect(metrics[0]?.lr).toBeCloseTo(0.05);
  expect(Object.keys(lines(dir, "timings.jsonl")[0] ?? {})).toEqual(["step", "seconds", "sampling", "rss"]);
});

test("a batch of n examples is their mean", async () => {
  const one = { accumulate: 1, steps: 1, maxGradNorm: 0 };
  const all = await whole({ ...one, accumulate: 4 });
  const mean = await whole(one, {
    async micro(state) {
      const parts = await Promise.all([0, 1, 2, 3].map((k) => micro(state, 0, k)));
      const grads = new Map(
        [...state.params].map(([name, p]) => [name, p.map((_, i) => parts.reduce((s, r) => s + (r.grads?.get(name)?.[i] ?? 0), 0) / 4)]),
      );
      return { grads, logs: {} };
    },
  });
  for (const [name, p] of all.state.params)
    for (const [i, x] of p.entries()) expect(x).toBeCloseTo(mean.state.params.get(name)?.[i] ?? Number.NaN, 5);
  const losses = await Promise.all([0, 1, 2, 3].map(async (k) => (await micro(start(), 0, k)).logs.loss ?? 0));
  expect(lines(all.dir)[0]?.loss).toBeCloseTo(losses.reduce((a, b) => a + b, 0) / 4, 6);
});

test("a number that only some examples log is averaged over those; a skipped example counts as gradient zero", async () => {
  const half = await whole(
    { steps: 1, accumulate: 2, maxGradNorm: 0 },
    {
      micro: async (state, step, index) =>
        index === 0 ? { grads: null, logs: { skipped: 1 } } : { ...(await micro(state, step, index)), logs: { reward: 8, skipped: 0 } },
    },
  );
  const full = await whole({ steps: 1, accumulate: 1, maxGradNorm: 0 }, { micro: (state) => micro(state, 0, 1) });
  expect(lines(half.dir)[0]).toMatchObject({ reward: 8, skipped: 0.5 });
  expect(Number(lines(half.dir)[0]?.grad_norm)).toBeCloseTo(Number(lines(full.dir)[0]?.grad_norm) / 2, 5);
});

test("a gradient that is not finite skips the update: weights, moments and average stay", async () => {
  const at: Map<string, Float32Array>[] = [];
  const { dir, state } = await whole(
    { steps: 3 },
    {
      async micro(s, step, index) {
        const result = await micro(s, step, index);
        if (step === 1 && index === 4) result.grads?.get("w")?.fill(Number.NaN, 2, 3);
        return result;
      },
      async afterStep(s) {
        at.push(
          new Map(
            [
              ...s.params,
              ...[...s.adam.m].map(([n, m]) => [`m.${n}`, m] as const),
              ...[...(s.ema ?? [])].map(([n, e]) => [`e.${n}`, e] as const),
            ].map(([n, a]) => [n, a.slice()]),
          ),
        );
        return undefined;
      },
    },
  );
  expect(at[1]).toEqual(at[0]);
  expect(at[2]).not.toEqual(at[1]);
  expect(lines(dir).map((m) => m.skipped_update)).toEqual([0, 1, 0]);
  expect(lines(dir)[1]?.grad_norm).toBeNull();
  expect(state.adam.step).toBe(3);
});

test("the average follows e ← d·e + (1−d)·p, with a d that warms up", async () => {
  const seen: Float32Array[] = [];
  const { state } = await whole(
    { steps: 3 },
    {
      async afterStep(s) {
        seen.push((s.params.get("c") ?? new Float32Array()).slice());
        return undefined;
      },
    },
  );
  let ema = start().params.get("c") ?? new Float32Array();
  for (const [n, p] of seen.entries()) {
    const decay = emaDecayAt(n, 0.5);
    ema = ema.map((e, i) => decay * e + (1 - decay) * (p[i] ?? 0));
  }
  expect(state.ema?.get("c")).toEqual(ema);
  expect((await whole({ steps: 1, emaDecay: 0 })).state.ema).toBeNull();
});

test("a stop finishes the update, saves and continues from there", async () => {
  const abort = new AbortController();
  const ctx = { ...fakeContext(), signal: abort.signal };
  const stopped = await whole(
    {},
    {
      async afterStep(_, step) {
        if (step === 3) abort.abort();
        return undefined;
      },
    },
    ctx,
  );
  expect(stopped.finished).toBe(false);
  expect(lines(stopped.dir)).toHaveLength(3);
  const state = start();
  decodeCheckpoint(stopped.dir.files.get(CHECKPOINT) ?? new Uint8Array(), state, "f", "c");
  expect(state.adam.step).toBe(3);
  await trainLoop(fakeContext(), stopped.dir, start(), options, { micro });
  expect(stopped.dir.files.get(CHECKPOINT)).toEqual((await whole()).dir.files.get(CHECKPOINT));
});

test("a longer constant run continues from a shorter one; a shorter one is refused", async () => {
  const constant = { schedule: "constant", steps: 4 } as const;
  const { dir } = await whole(constant);
  const longer = { ...options, ...constant, steps: 6 };
  await trainLoop(fakeContext(), dir, start(), longer, { micro });
  expect(dir.files.get(CHECKPOINT)).toEqual((await whole(longer)).dir.files.get(CHECKPOINT));
  await expect(trainLoop(fakeContext(), dir, start(), { ...longer, steps: 5 }, { micro })).rejects.toMatchObject({
    code: "TRAIN_CHECKPOINT",
  });
});

test("--resume wants a checkpoint", async () => {
  const ctx = { ...fakeContext(), resume: true };
  await expect(trainLoop(ctx, memoryDirectory(), start(), options, { micro })).rejects.toMatchObject({ code: "TRAIN_RESUME" });
  const { dir } = await whole({ steps: 2, schedule: "constant" });
  expect(await trainLoop(ctx, dir, start(), { ...options, schedule: "constant" }, { micro })).toBe(true);
});

test("checkpoints: there and back; another identity, another shape, another file are refused", () => {
  const state = start();
  state.adam.step = 5;
  state.adam.m.get("w")?.fill(3);
  state.carried.dual = 0.25;
  const bytes = encodeCheckpoint(state, "f");
  const back = start();
  back.carried.old = 1;
  for (const p of [...back.params.values(), ...(back.ema ?? new Map()).values()]) p.fill(0);
  decodeCheckpoint(bytes, back, "f", "out/checkpoint.safetensors");
  expect(back).toEqual(state);
  const refusal = expect.objectContaining({ code: "TRAIN_CHECKPOINT" });
  expect(() => decodeCheckpoint(bytes, start(), "g", "out/checkpoint.safetensors")).toThrow(refusal);
  expect(() => decodeCheckpoint(encodeCheckpoint(start(false), "f"), start(), "f", "out/checkpoint.safetensors")).toThrow(refusal);
  const wider = freshState(new Map([["w", new Float32Array(8)]]), new Map([["w", [8]]]), true);
  expect(() => decodeCheckpoint(bytes, wider, "f", "out/checkpoint.safetensors")).toThrow(refusal);
});

test("a checkpoint with a flipped bit or a missing end is refused, by its name and with what to do", () => {
  const bytes = encodeCheckpoint(start(), "f");
  const refusal = expect.objectContaining({
    code: "TRAIN_CHECKPOINT",
    message: expect.stringMatching(/^out\/checkpoint\.safetensors (is damaged|cannot be read)/),
    hint: expect.stringContaining("checkpoints/"),
  });
  const read = (changed: Uint8Array) => () => decodeCheckpoint(changed, start(), "f", "out/checkpoint.safetensors");
  for (const at of [bytes.length - 1, bytes.length - 50]) {
    const flipped = bytes.slice();
    flipped[at] = (flipped[at] ?? 0) ^ 1;
    expect(read(flipped)).toThrow(refusal);
  }
  expect(read(bytes.slice(0, -7))).toThrow(refusal);
  expect(read(bytes)).not.toThrow();
});

/** NaN in one number of "c" at these updates. */
const spoiled =
  (isBad: (step: number) => boolean): LoopHooks["micro"] =>
  async (state, step, index) => {
    const result = await micro(state, step, index);
    if (isBad(step)) result.grads?.get("c")?.fill(Number.NaN, 2, 3);
    return result;
  };

test("numbers that are not finite end the run after five updates in a row, by the first place", async () => {
  const ctx = fakeContext();
  const dir = memoryDirectory();
  const state = start();
  const before = state.params.get("w")?.slice();
  const run = trainLoop(ctx, dir, state, { ...options, steps: 20 }, { micro: spoiled(() => true) });
  await expect(run).rejects.toMatchObject({
    code: "TRAIN_NAN",
    message: expect.stringMatching(/^5 updates in a row .* first in update 1: the gradient of c is NaN at 2$/),
  });
  expect(state.params.get("w")).toEqual(before);
  expect(ctx.logs).toHaveLength(4);
  // Every fifth: never five in a row.
  const { finished } = await whole({ steps: 20 }, { micro: spoiled((step) => step % 5 !== 4) });
  expect(finished).toBe(true);
});

test("a training that continues gets the earlier alarms, once each", async () => {
  const idle: LoopHooks["micro"] = async (state) => ({
    grads: new Map([...state.params].map(([name, p]) => [name, new Float32Array(p.length)])),
    logs: { loss: 1 },
  });
  const alarms = (ctx: { readonly logs: readonly string[] }) =>
    ctx.logs.filter((line) => /^warn: the gradient has been exactly 0/.test(line));
  const dir = memoryDirectory();
  const [first, second] = [fakeContext(), fakeContext()];
  await trainLoop(first, dir, start(), { ...options, steps: 6 }, { micro: idle });
  await trainLoop(second, dir, start(), { ...options, steps: 9 }, { micro: idle });
  expect([alarms(first).length, alarms(second).length]).toEqual([1, 1]);
});

test("a model's own word on NaN, and on its cause", async () => {
  const hooks = {
    micro: async (state: TrainState, step: number, index: number) => ({
      ...(await micro(state, step, index)),
      notFinite: "the picture is NaN",
    }),
    diagnose: async () => "the weight x is not finite",
  };
  await expect(trainLoop(fakeContext(), memoryDirectory(), start(), options, hooks)).rejects.toThrow(
    "first in update 1: the picture is NaN; the weight x is not finite",
  );
});

test("the average warms up: a short run's is not its start", () => {
  expect([0, 1, 90, 1e6].map((n) => emaDecayAt(n, 0.9999))).toEqual([0.1, 2 / 11, 0.91, 0.9999]);
  expect(emaDecayAt(1000, 0)).toBe(0);
});
