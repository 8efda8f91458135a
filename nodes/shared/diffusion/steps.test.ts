import { expect, test } from "vitest";
import { addNoise, checkedState, eulerStep, towards, x0Of } from "./steps.ts";

const f = (...x: number[]) => Float32Array.from(x);
const [x0, noise, sigma] = [f(2, -1), f(0.5, 3), 0.75];
/** The velocity of a flow model that knows the picture: noise − x0. */
const velocity = f(-1.5, 4);

test("noise and picture are mixed by σ, and the velocity leads to both", () => {
  const x = addNoise(x0, noise, sigma);
  expect([...x]).toEqual([0.75 * 0.5 + 0.25 * 2, 0.75 * 3 - 0.25]);
  expect([...addNoise(x0, noise, 1)]).toEqual([...noise]);
  expect([...x0Of(x, velocity, sigma)]).toEqual([...x0]);
  expect([...towards(x, x0, sigma)]).toEqual([...velocity]);
});

test("an Euler step from σ to σ' is on the line between picture and noise", () => {
  expect([...eulerStep(addNoise(x0, noise, sigma), velocity, sigma, 0.25)]).toEqual([...addNoise(x0, noise, 0.25)]);
});

test("a state that is not finite is an error with the step and its σ", () => {
  expect(checkedState(x0, 1, 1)).toBe(x0);
  expect(() => checkedState(f(0, Number.NEGATIVE_INFINITY), 3, 0.5)).toThrow(
    expect.objectContaining({ code: "SAMPLING_NAN", message: expect.stringMatching(/step 3 \(σ 0\.5000\) gave -Infinity/) }),
  );
  expect(() => checkedState(f(Number.NaN, 0), 1, 1)).toThrow(/gave NaN/);
});
