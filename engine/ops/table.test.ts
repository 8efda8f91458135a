// Walks the whole table: types, values and gradients of every row, against ONNX Runtime and central differences.
import { describe, expect, it } from "vitest";
import { apartness, centralDifferences, runOrt } from "../../test/oracle.ts";
import { grad } from "../autodiff/grad.ts";
import { randomSource } from "../base/random.ts";
import type { Graph, Value } from "../ir/value.ts";
import { isFloat } from "../tensor/dtype.ts";
import type { OpRow, OpSample, RefTensor } from "./define-op.ts";
import { uniform } from "./draw.ts";
import { interpret } from "./interpret.ts";
import { newBuilder, OPS } from "./table.ts";

interface Case {
  readonly forward: Graph;
  readonly backward: Graph | null;
  /** A random combination of the gradients, and its own gradients. */
  readonly second: { readonly forward: Graph; readonly backward: Graph } | null;
  readonly feeds: Record<string, RefTensor>;
  /** Feeds to differentiate. */
  readonly diff: readonly string[];
}

/** One sample as a graph: its outputs, a loss weighing every float output at random, and the loss's gradient graph. */
function caseOf(row: OpRow, sample: OpSample, rng: () => number): Case {
  const b = newBuilder();
  const feeds: Record<string, RefTensor> = {};
  const inputs = sample.inputs.map((t, i) => {
    if (!t) return null;
    feeds[`x${i}`] = t;
    return b.input(`x${i}`, t.dtype ?? "float32", t.shape);
  });
  const outputs = b.op(row.name, inputs, sample.attrs ?? {});
  const named: Record<string, Value> = Object.fromEntries(outputs.map((y, i) => [`y${i}`, y]));
  const floats = outputs.filter((y) => isFloat(y.dtype));
  const wrt = inputs.filter((x, i) => x && isFloat(x.dtype) && (sample.diff?.includes(i) ?? true)).flatMap((x) => (x ? [x] : []));
  if (typeof row.vjp !== "function" && row.vjp.kind === "error") wrt.length = 0;
  const terms = floats.map((y, i) => {
    feeds[`w${i}`] = uniform(rng, y.shape);
    return b.sum(b.mul(b.cast(y, "float32"), b.input(`w${i}`, "float32", y.shape)), [], false);
  });
  const [first, ...rest] = terms;
  if (!first || wrt.length === 0) return { forward: b.graph(named), backward: null, second: null, feeds, diff: [] };
  const loss = rest.reduce((a, t) => b.add(a, t), first);
  const diff = wrt.map((x) => (x.def.kind === "input" ? x.def.name : ""));
  const grads = grad(b, loss, wrt);
  const named2 = (of: readonly Value[]) => Object.fromEntries(of.map((g, i) => [`d${diff[i]}`, g]));
  const mixed = grads.map((g, i) => b.sum(b.mul(g, Math.cos(i + 1)), [], false)).reduce((a, t) => b.add(a, b.mul(t, t)), b.scalar(0));
  return {
    forward: b.graph({ ...named, loss }),
    backward: b.graph({ ...named, ...named2(grads) }),
    second: { forward: b.graph({ loss: mixed }), backward: b.graph(named2(grad(b, mixed, wrt))) },
    feeds,
    diff,
  };
}

const SEEDS = [1, 2];

describe.each([...OPS.values()].map((row) => ({ name: row.name, row })))("$name", ({ name, row }) => {
  const cases = SEEDS.flatMap((seed) => {
    const random = randomSource(BigInt(seed) * 1000n + BigInt(name.length));
    const rng = () => random.uniform();
    return row.samples(rng).map((sample) => ({ seed, label: JSON.stringify(sample.attrs ?? {}), ...caseOf(row, sample, rng) }));
  });

  it("has samples", () => {
    expect(cases.length).toBeGreaterThanOrEqual(2 * SEEDS.length);
    // A rule that no case exercises would be an untested rule.
    const gradients = cases.flatMap(({ backward, feeds, diff }) => {
      const results = backward ? interpret(backward, feeds) : {};
      return diff.map((key) => results[`d${key}`]);
    });
    if (typeof row.vjp === "function") expect(gradients.some((g) => g?.data.some((x) => x !== 0))).toBe(true);
  });

  it("gives the reference's values and ONNX Runtime's shapes, forward and backward", async () => {
    for (const c of cases.filter((k) => k.seed === 1)) {
      const graph = c.backward ?? c.forward;
      const [truth, ours] = [interpret(graph, c.feeds), await runOrt(graph, c.feeds)];
      for (const [key, value] of Object.entries(graph.outputs)) {
        expect(ours[key]?.shape, `${c.label} ${key}`).toEqual(value.shape);
        expect(apartness(ours[key], truth[key]), `${c.label} ${key}`).toBeLessThanOrEqual(row.tol ?? 1e-5);
      }
    }
  });

  it("has the gradient that central differences give", () => {
    for (const c of cases) {
      if (!c.backward) continue;
      const grads = interpret(c.backward, c.feeds);
      for (const key of c.diff) {
        const truth = centralDifferences(c.forward, "loss", c.feeds, key);
        expect(apartness(grads[`d${key}`], truth), `seed ${c.seed} ${c.label} d${key}`).toBeLessThanOrEqual(1e-7);
      }
    }
  });
  it("has the second derivative that central differences of the gradient give", () => {
    for (const c of cases) {
      if (!c.second || c.seed !== 1) continue;
      const grads = interpret(c.second.backward, c.feeds);
      for (const key of c.diff) {
        const truth = centralDifferences(c.second.forward, "loss", c.feeds, key);
        expect(apartness(grads[`d${key}`], truth), `${c.label} d${key}`).toBeLessThanOrEqual(1e-6);
      }
    }
  });
});
