import { expect, test } from "vitest";
import { Pulse, PulseWatch } from "./pulse.ts";

function pair() {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  return { pulse: new Pulse(cell), watch: new PulseWatch(cell, 1000, 0) };
}

test("a thread whose timers run is alive, unless something computes elsewhere", () => {
  const { pulse, watch } = pair();
  for (let s = 1; s <= 100; s++) {
    pulse.tick();
    expect(watch.still(s * 1000)).toBe(0);
  }
  pulse.computing(true);
  expect(watch.still(101_000)).toBe(0);
  for (let s = 1; s <= 100; s++) {
    pulse.tick();
    expect(watch.still(101_000 + s * 1000)).toBe(s * 1000);
  }
  // Two computations at once: silence counts again when both have ended.
  pulse.computing(true);
  pulse.computing(false);
  expect(watch.still(202_000)).toBe(0);
  pulse.tick();
  expect(watch.still(203_000)).toBe(1000);
  pulse.computing(false);
  watch.still(204_000);
  pulse.tick();
  expect(watch.still(205_000)).toBe(0);
});

test("a thread whose timers do not run is stuck, and each beat starts the count anew", () => {
  const { pulse, watch } = pair();
  expect([watch.still(1000), watch.still(2000)]).toEqual([1000, 2000]);
  pulse.beat();
  expect([watch.still(3000), watch.still(4000)]).toEqual([0, 1000]);
});

test("a process that was stopped as a whole is not stuck", () => {
  const { watch } = pair();
  expect(watch.still(1000)).toBe(1000);
  expect(watch.still(3_600_000)).toBe(0);
  expect(watch.still(3_601_000)).toBe(1000);
});
