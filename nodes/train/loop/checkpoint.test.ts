import { expect, test } from "vitest";
import { readSafetensors, writeSafetensors } from "../../../engine/formats/safetensors.ts";
import { decodeCheckpoint, encodeCheckpoint, type TrainState } from "./checkpoint.ts";
import { freshState } from "./train-loop.ts";

/** A state whose every number says what it is. */
function stateOf(base: number, { ema = true, learned = true } = {}): TrainState {
  const params = new Map([
    ["a", Float32Array.of(base, base + 1)],
    ["b", Float32Array.of(base + 2)],
  ]);
  const shapes = new Map([
    ["a", [1, 2]],
    ["b", [1]],
  ]);
  const state = freshState(params, shapes, ema, learned ? new Map([["s", Float32Array.of(base + 3)]]) : undefined);
  for (const [k, part] of [state.adam.m, state.adam.v, state.ema ?? new Map<string, Float32Array>()].entries())
    for (const [name, x] of part) x.set(x.map((_, i) => base + 10 * (k + 1) + i + (name === "b" ? 2 : 0)));
  state.adam.step = base;
  state.carried.best = base / 2;
  return state;
}
const read = (bytes: Uint8Array, into: TrainState, fingerprint: string | undefined = "f") => {
  decodeCheckpoint(bytes, into, fingerprint, "c");
  return into;
};

test("everything comes back: numbers, moments, average, what a reward has learned, and what is carried", () => {
  const bytes = encodeCheckpoint(stateOf(100), "f");
  expect(read(bytes, stateOf(0))).toEqual(stateOf(100));
  const { tensors, metadata } = readSafetensors(bytes);
  expect([...tensors.keys()].sort()).toEqual(["ema.a", "ema.b", "learned.s", "m.a", "m.b", "param.a", "param.b", "v.a", "v.b"]);
  expect(tensors.get("param.a")?.shape).toEqual([1, 2]);
  expect(metadata).toMatchObject({ step: "100", fingerprint: "f" });
  expect(metadata).not.toHaveProperty("lora");
  const lora = { layers: [{ target: "t", a: "a", b: "b", scale: 2 }], about: { x: "y" } };
  expect(JSON.parse(readSafetensors(encodeCheckpoint(stateOf(1), "f", lora)).metadata.lora ?? "")).toEqual(lora);
});

test("a fork's average begins with the weights where there was none, and a reward that learns as it is", () => {
  const without = encodeCheckpoint(stateOf(100, { ema: false, learned: false }), "other");
  const fork = stateOf(0);
  decodeCheckpoint(without, fork, undefined, "c");
  expect([...(fork.ema?.get("a") ?? []), ...(fork.ema?.get("b") ?? [])]).toEqual([100, 101, 102]);
  expect([...(fork.learned?.get("s") ?? [])]).toEqual([3]);
  // Where there were both, both are taken.
  const both = stateOf(0);
  decodeCheckpoint(encodeCheckpoint(stateOf(100), "other"), both, undefined, "c");
  expect([...(both.ema?.get("a") ?? []), ...(both.learned?.get("s") ?? [])]).toEqual([130, 131, 103]);
  // A run's own checkpoint must have them.
  const own = encodeCheckpoint(stateOf(100, { ema: false, learned: true }), "f");
  expect(() => read(own, stateOf(0))).toThrow("c lacks ema.a");
  expect(() => read(encodeCheckpoint(stateOf(100, { learned: false }), "f"), stateOf(0))).toThrow("c lacks learned.s");
  expect(read(encodeCheckpoint(stateOf(100), "f"), stateOf(0, { ema: false, learned: false })).ema).toBeNull();
});

test("another run's checkpoint, another file, other sizes and changed numbers are refused, each in its words", () => {
  const bytes = encodeCheckpoint(stateOf(100), "f");
  expect(() => read(bytes, stateOf(0), "g")).toThrow(/written by a run with another model/);
  expect(() => read(writeSafetensors(new Map(), {}), stateOf(0))).toThrow("c is not the checkpoint of a training run");
  expect(() => read(new Uint8Array(3), stateOf(0))).toThrow(/^c cannot be read: /);
  const { tensors, metadata } = readSafetensors(bytes);
  const again = (changes: Readonly<Record<string, string>>) =>
    writeSafetensors(tensors, Object.fromEntries(Object.entries({ ...metadata, ...changes }).map(([k, v]) => [k, String(v)])));
  // What decides the next update is under the checksum: the step, and what is carried.
  for (const changed of [{ step: "99" }, { carried: "{}" }, { fingerprint: "g" }])
    expect(() => read(again(changed), stateOf(0), changed.fingerprint ?? "f")).toThrow(
      "c is damaged: its numbers are not those that were written",
    );
  expect(read(again({}), stateOf(0))).toEqual(stateOf(100));
  // A file of before the checksum is still read.
  const { sha256: _, ...old } = metadata;
  expect(
    read(writeSafetensors(tensors, Object.fromEntries(Object.entries(old).map(([k, v]) => [k, String(v)]))), stateOf(0)).adam.step,
  ).toBe(100);
  const wider = stateOf(0);
  wider.params.set("a", new Float32Array(3));
  expect(() => read(bytes, wider)).toThrow("c lacks param.a");
});
