import { describe, expect, it } from "vitest";
import { apartness } from "../../test/oracle.ts";
import { reach } from "../ir/graph.ts";
import { interpret } from "../ops/interpret.ts";
import { newBuilder } from "../ops/table.ts";
import { grad, vjp } from "./grad.ts";

const ref = (shape: number[], data: number[]) => ({ shape, data: Float64Array.from(data) });

describe("grad", () => {
  it("sums over what was broadcast, in any order of shapes", () => {
    const b = newBuilder();
    const [x, s] = [b.input("x", "float32", [2, 1, 3]), b.input("s", "float32", [4, 1])];
    const [dx, ds] = grad(b, b.sum(b.mul(x, s), [], false), [x, s]);
    const out = interpret(b.graph(dx && ds ? { dx, ds } : {}), {
      x: ref([2, 1, 3], [1, 2, 3, 4, 5, 6]),
      s: ref([4, 1], [1, 10, 100, 1000]),
    });
    expect(out.dx).toMatchObject({ shape: [2, 1, 3], data: new Float64Array(6).fill(1111) });
    expect(out.ds).toMatchObject({ shape: [4, 1], data: new Float64Array(4).fill(21) });
  });

  it("gives zeros where nothing flows and stops silently at steps", () => {
    const b = newBuilder();
    const [x, y] = [b.input("x", "float32", [2]), b.input("y", "float32", [3])];
    const grads = grad(b, b.sum(b.one("Floor", [x]), [], false), [x, y]);
    const out = interpret(b.graph(Object.fromEntries(grads.map((g, i) => [`${i}`, g]))), { x: ref([2], [1.5, 2.5]) });
    expect(out).toMatchObject({ 0: { shape: [2], data: new Float64Array(2) }, 1: { shape: [3], data: new Float64Array(3) } });
  });

  it("names op and node where there is no rule, and only when the path matters", () => {
    const b = newBuilder();
    const [x, y] = [b.input("x", "float32", [3]), b.input("y", "float32", [1])];
    const product = b.scope("head", () => b.one("ReduceProd", [x], { axes: [0], keepdims: 1 }));
    const loss = b.mul(product, y);
    expect(() => grad(b, loss, [x])).toThrow(/no gradient through ReduceProd \(node \d+ of head\)/);
    expect(() => grad(b, loss, [x])).toThrow(expect.objectContaining({ code: "AUTODIFF_NO_RULE" }));
    expect(grad(b, loss, [y])).toHaveLength(1);
  });

  it("refuses losses that are not one float, and integer variables", () => {
    const b = newBuilder();
    const [x, i] = [b.input("x", "float32", [3]), b.input("i", "int64", [3])];
    expect(() => grad(b, x, [x])).toThrow(expect.objectContaining({ code: "AUTODIFF_LOSS" }));
    expect(() => grad(b, b.sum(x, [], false), [i])).toThrow(expect.objectContaining({ code: "AUTODIFF_WRT" }));
  });

  it("differentiates by an intermediate value without walking behind it", () => {
    const b = newBuilder();
    const x = b.input("x", "float32", [2]);
    const h = b.one("ReduceProd", [x], { axes: [0], keepdims: 1 });
    const [dh] = grad(b, b.sum(b.mul(h, h), [], false), [h]);
    expect(interpret(b.graph(dh ? { dh } : {}), { x: ref([2], [2, 3]) }).dh?.data).toEqual(Float64Array.of(12));
  });

  it("differentiates again: (x⁴)'' = 12x²", () => {
    const b = newBuilder();
    const x = b.input("x", "float32", []);
    const square = b.mul(x, x);
    const [first] = grad(b, b.mul(square, square), [x]);
    const [second] = first ? grad(b, first, [x]) : [];
    expect(interpret(b.graph(second ? { second } : {}), { x: ref([], [3]) }).second?.data[0]).toBeCloseTo(108, 9);
  });

  it("pulls several cotangents back at once", () => {
    const b = newBuilder();
    const x = b.input("x", "float32", [2]);
    const [p = x, q = x] = b.split(x, [1, 1], 0);
    const [dx] = vjp(b, [b.exp(p), b.mul(q, q)], [b.scalar(2), b.input("c", "float32", [1])], [x]);
    const out = interpret(b.graph(dx ? { dx } : {}), { x: ref([2], [0, 3]), c: ref([1], [5]) });
    expect(apartness(out.dx, ref([2], [2, 30]))).toBeLessThan(1e-12);
  });

  it("keeps a gradient small until it must be broadcast", () => {
    const b = newBuilder();
    const x = b.input("x", "float32", [64, 64]);
    const [dx] = grad(b, b.mean(b.mul(x, x), [], false), [x]);
    const ops = dx ? reach(b.graph({ dx })).nodes.map((n) => n.op) : [];
    expect(ops).not.toContain("Expand");
  });
});
