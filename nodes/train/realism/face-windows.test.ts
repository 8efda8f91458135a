import { expect, test } from "vitest";
import { f32 } from "../../../engine/tensor/tensor.ts";
import { fakeContext } from "../../../test/fake-context.ts";
import { fakeDetector, noiseImage } from "../../../test/fake-face-models.ts";
import { fakeFace } from "../../../test/fake-faces.ts";
import { windowPixels } from "../../shared/realism/face-pixels.ts";
import type { JudgedPicture, PreferencePair, Preferences } from "../../shared/realism/preferences.ts";
import { facePairs } from "./face-windows.ts";

const [a, b, small] = [fakeFace(30, 30, 32), fakeFace(80, 30, 32), fakeFace(30, 30, 20)];
const picture = (seed: number, ...faces: (typeof a)[]): JudgedPicture => ({ image: noiseImage(seed, 64, 120), faces });
const pairOf = (changes: Partial<PreferencePair>): PreferencePair => ({
  id: "p",
  win: picture(1, a),
  lose: picture(2, a),
  weight: 1,
  labelled: false,
  ...changes,
});
const set = (train: readonly PreferencePair[], heldOut: readonly PreferencePair[] = []): Preferences => ({
  id: "set",
  train: train.length,
  heldOut: heldOut.length,
  pair: async (split, index) => (split === "train" ? train : heldOut)[index] ?? Promise.reject(new Error("no such pair")),
});
const pixels = ({ image }: JudgedPicture, x: number) => windowPixels(image, { x, y: 14, side: 32 }).data;

test("face k of the better picture against face k of the worse one, in native pixels", async () => {
  const [win, lose] = [picture(1, a, b), picture(2, a, b)];
  const pairs = await facePairs(fakeContext(), [set([pairOf({ win, lose, weight: 3, labelled: true })])], "train", undefined, 32);
  expect(pairs).toEqual([
    { win: { data: pixels(win, 14), side: 32 }, lose: { data: pixels(lose, 14), side: 32 }, weight: 3, labelled: true },
    { win: { data: pixels(win, 64), side: 32 }, lose: { data: pixels(lose, 64), side: 32 }, weight: 3, labelled: true },
  ]);
});

test("a face without a counterpart is left out; where there is no worse picture it stands alone", async () => {
  const count = async (pair: PreferencePair, logs: string[] = []) => {
    const ctx = fakeContext();
    const pairs = await facePairs(ctx, [set([pair])], "train", undefined, 32);
    logs.push(...ctx.logs);
    return pairs.map(({ lose }) => lose !== null);
  };
  expect(await count(pairOf({ win: picture(1, a, b), lose: picture(2, a) }))).toEqual([true]);
  expect(await count(pairOf({ win: picture(1, a), lose: picture(2, a, b) }))).toEqual([true]);
  expect(await count(pairOf({ win: picture(1, a, b), lose: null }))).toEqual([false, false]);
  const logs: string[] = [];
  expect(await count(pairOf({ win: picture(1, small) }), logs)).toEqual([]);
  expect(await count(pairOf({ lose: picture(2, small) }), logs)).toEqual([]);
  expect(logs).toEqual(new Array(2).fill("warn: 1 of 1 training pairs have no two faces of at least 32 pixels"));
});

test("a face whose window is smaller than asked for, for want of room, is left out", async () => {
  const narrow: JudgedPicture = { image: f32([1, 30, 120, 3], new Float32Array(30 * 120 * 3).fill(0.5)), faces: [fakeFace(30, 15, 40)] };
  expect(await facePairs(fakeContext(), [set([pairOf({ win: narrow, lose: null })])], "train", undefined, 32)).toEqual([]);
  expect(await facePairs(fakeContext(), [set([pairOf({ win: narrow, lose: null })])], "train", undefined, 24)).toHaveLength(1);
});

test("each split has its own pairs; progress counts those of all sets, and warnings say which", async () => {
  const done: unknown[] = [];
  const ctx = { ...fakeContext(), progress: (...args: unknown[]) => void done.push(args) };
  const sets = [set([pairOf({})], [pairOf({}), pairOf({ win: picture(1, small) })]), set([pairOf({}), pairOf({})], [pairOf({})])];
  expect(await facePairs(ctx, sets, "train", undefined, 32)).toHaveLength(3);
  expect(await facePairs(ctx, sets, "heldOut", undefined, 32)).toHaveLength(2);
  expect(done).toEqual([
    ...[1, 2, 3].map((n) => [n, 3, "faces of training pairs"]),
    ...[1, 2, 3].map((n) => [n, 3, "faces of held-out pairs"]),
  ]);
  expect(ctx.logs).toEqual(["warn: 1 of 3 held-out pairs have no two faces of at least 32 pixels"]);
});

test("a pair that cannot be read is left out aloud, and is not counted as one without faces", async () => {
  const ctx = fakeContext();
  const broken = {
    ...set([pairOf({}), pairOf({})]),
    pair: async (_: string, k: number) => (k === 0 ? Promise.reject(new Error("gone")) : pairOf({})),
  };
  expect(await facePairs(ctx, [broken], "train", undefined, 32)).toHaveLength(1);
  expect(ctx.logs).toEqual(["warn: a pair was left out: gone"]);
});

test("faces are looked for where the pair does not say them, and a detector is then needed", async () => {
  const bare = { image: noiseImage(1, 64, 120) };
  const detector = fakeDetector([a, b]);
  expect(await facePairs(fakeContext(), [set([pairOf({ win: bare, lose: picture(2, a) })])], "train", detector, 32)).toHaveLength(1);
  expect(detector.calls).toBe(1);
  await expect(facePairs(fakeContext(), [set([pairOf({ win: bare })])], "train", undefined, 32)).rejects.toMatchObject({
    code: "REALISM_FACES",
    message: "p does not say where its faces are",
  });
});

test("a cancel is looked at before each pair", async () => {
  const stop = new AbortController();
  let asked = 0;
  const stopping: Preferences = {
    ...set([pairOf({}), pairOf({}), pairOf({})]),
    pair: async () => {
      if (++asked === 2) stop.abort();
      return pairOf({});
    },
  };
  await expect(facePairs({ ...fakeContext(), signal: stop.signal }, [stopping], "train", undefined, 32)).rejects.toMatchObject({
    name: "AbortError",
  });
  expect(asked).toBe(2);
});
