import { describe, expect, it } from "vitest";
import { apartness, runOrt } from "../../test/oracle.ts";
import { randomGraph } from "../../test/random-graph.ts";
import { randomSource } from "../base/random.ts";
import type { RefTensor } from "../ops/define-op.ts";
import { interpret } from "../ops/interpret.ts";
import { grad } from "./grad.ts";

const COUNT = 220;

describe("random compositions of up to 30 ops", () => {
  const seen = new Set<string>();

  it("have the gradient that directional differences give, in float64", () => {
    for (let seed = 1; seed <= COUNT; seed++) {
      const random = randomSource(seed);
      const g = randomGraph(random, 5 + random.below(26));
      for (const op of g.ops) seen.add(op);
      const grads = grad(g.b, g.loss, g.inputs);
      const results = interpret(g.b.graph(Object.fromEntries(grads.map((v, i) => [`d${i}`, v]))), g.feeds);
      g.inputs.forEach((x, i) => {
        const name = `x${i}`;
        const feed = g.feeds[name];
        const dx = results[`d${i}`];
        expect(dx?.shape).toEqual(x.shape);
        if (!feed || !dx) return;
        const direction = feed.data.map(() => random.normal());
        const at = (h: number): number => {
          const moved: RefTensor = { ...feed, data: feed.data.map((v, k) => v + h * (direction[k] ?? 0)) };
          return interpret(g.b.graph({ loss: g.loss }), { ...g.feeds, [name]: moved }).loss?.data[0] ?? Number.NaN;
        };
        const h = 1e-6;
        const numeric = (at(h) - at(-h)) / (2 * h);
        const exact = dx.data.reduce((a, v, k) => a + v * (direction[k] ?? 0), 0);
        expect(Math.abs(exact - numeric) / Math.max(1, Math.abs(numeric)), `seed ${seed} ${name}: ${g.ops.join(" ")}`).toBeLessThanOrEqual(
          1e-5,
        );
      });
    }
    expect(seen.size).toBeGreaterThanOrEqual(40);
  });

  it("run in ONNX Runtime as in the reference, forward and backward", async () => {
    for (let seed = 1; seed <= COUNT; seed++) {
      const random = randomSource(seed);
      const g = randomGraph(random, 5 + random.below(26));
      const grads = grad(g.b, g.loss, g.inputs);
      const graph = g.b.graph({ ...g.graph.outputs, ...Object.fromEntries(grads.map((v, i) => [`d${i}`, v])) });
      const [truth, ours] = [interpret(graph, g.feeds), await runOrt(graph, g.feeds)];
      for (const name of Object.keys(graph.outputs))
        expect(apartness(ours[name], truth[name]), `seed ${seed} ${name}: ${g.ops.join(" ")}`).toBeLessThanOrEqual(
          name.startsWith("d") ? 1e-3 : 1e-4,
        );
    }
  });
});
