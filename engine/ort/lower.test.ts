import { describe, expect, it } from "vitest";
import { apartness } from "../../test/oracle.ts";
import { grad } from "../autodiff/grad.ts";
import { randomSource } from "../base/random.ts";
import { reach } from "../ir/graph.ts";
import { interpret } from "../ops/interpret.ts";
import { newBuilder, opRow } from "../ops/table.ts";
import { cpuLowerings } from "./cpu-lowerings.ts";
import { type Lowerings, lower } from "./lower.ts";
import { webgpuLowerings } from "./webgpu-gaps.ts";

const random = randomSource(4);
const rng = () => random.uniform();

describe.each(
  Object.entries({ cpu: cpuLowerings, webgpu: webgpuLowerings }).flatMap(([device, lowerings]) =>
    Object.keys(lowerings).map((op): [string, string, Lowerings] => [device, op, lowerings]),
  ),
)("%s: %s", (_, op, lowerings) => {
  it.each(opRow(op).samples(rng))("has the op's outputs and gradients, sample %#", (sample) => {
    const b = newBuilder();
    const feeds = Object.fromEntries(sample.inputs.flatMap((t, i) => (t ? [[`x${i}`, t] as const] : [])));
    const inputs = sample.inputs.map((t, i) => t && b.input(`x${i}`, "float32", t.shape));
    const outputs = b.op(op, inputs, sample.attrs ?? {});
    const terms = outputs.map((y, i) => b.sum(b.mul(y, b.one("Cos", [b.mul(y, i + 1)])), [], false));
    const loss = terms.reduce((a, t) => b.add(a, t));
    const grads = grad(
      b,
      loss,
      inputs.flatMap((x) => (x ? [x] : [])),
    );
    const graph = b.graph(Object.fromEntries([...outputs, ...grads].map((v, i) => [String(i), v])));
    const lowered = lower(graph, lowerings);
    expect(reach(lowered).nodes.map((n) => n.op)).not.toContain(op);
    const [ours, truth] = [interpret(lowered, feeds), interpret(graph, feeds)];
    expect(Object.keys(ours)).toEqual(Object.keys(truth));
    // Constants of one are float32, attributes of the other float64.
    for (const name of Object.keys(truth)) expect(apartness(ours[name], truth[name]), name).toBeLessThanOrEqual(1e-6);
  });
});

it("leaves a graph without such nodes as it is", () => {
  const b = newBuilder();
  const graph = b.graph({ y: b.relu(b.input("x", "float32", [2])) });
  expect(lower(graph, cpuLowerings)).toBe(graph);
});
