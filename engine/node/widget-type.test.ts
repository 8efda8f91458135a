import { expect, test } from "vitest";
import { z } from "zod";
import { describeWidget } from "./widget-type.ts";

test("reads type, bounds, options and default through every wrapper", () => {
  expect(describeWidget(z.int().min(1).max(10).default(5))).toEqual({ type: "INT", min: 1, max: 10, required: false, default: 5 });
  expect(describeWidget(z.number().int().min(0))).toMatchObject({ type: "INT", min: 0, required: true, default: undefined });
  expect(
    describeWidget(
      z
        .bigint()
        .min(0n)
        .max(2n ** 64n - 1n)
        .default(3n),
    ),
  ).toEqual({
    type: "INT",
    min: 0n,
    max: 2n ** 64n - 1n,
    required: false,
    default: 3n,
  });
  expect(describeWidget(z.number().min(-1).max(1).optional())).toEqual({
    type: "FLOAT",
    min: -1,
    max: 1,
    required: false,
    default: undefined,
  });
  expect(describeWidget(z.number())).toEqual({ type: "FLOAT", required: true, default: undefined });
  expect(describeWidget(z.string().min(1))).toEqual({ type: "STRING", required: true, default: undefined });
  expect(
    describeWidget(
      z
        .string()
        .trim()
        .transform((s) => s.length)
        .pipe(z.number()),
    ),
  ).toMatchObject({ type: "STRING" });
  expect(describeWidget(z.preprocess((v) => v, z.boolean().default(true)))).toMatchObject({ type: "BOOLEAN" });
  expect(describeWidget(z.enum(["a", "b"]).default("b"))).toEqual({ type: "COMBO", options: ["a", "b"], required: false, default: "b" });
  expect(describeWidget(z.literal([4, 8]))).toMatchObject({ type: "COMBO", options: [4, 8] });
  expect(describeWidget(z.union([z.literal("a"), z.enum(["b", "c"])]))).toMatchObject({ type: "COMBO", options: ["a", "b", "c"] });
  expect(describeWidget(z.union([z.int().min(0), z.bigint().min(0n)]).default(0))).toMatchObject({ type: "INT", min: 0, default: 0 });
});

test("what nobody can type in is not a widget", () => {
  expect(describeWidget(z.array(z.number()))).toBeUndefined();
  expect(describeWidget(z.object({ a: z.string() }))).toBeUndefined();
  expect(describeWidget(z.union([z.string(), z.number()]))).toBeUndefined();
  expect(describeWidget(z.literal(null))).toBeUndefined();
});
