// What a widget accepts, what it makes of it, and how it refuses the rest.
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { defineNode, type WidgetHints, widget } from "../node/define-node.ts";
import { Registry } from "../node/registry.ts";
import type { CatalogueWidget } from "./catalogue.ts";
import { parseWidget } from "./widget-value.ts";

/** The widget `w` of a node whose only input has this schema. */
function declared(schema: z.ZodType, hints: WidgetHints = {}): CatalogueWidget {
  const node = defineNode({
    type: "T",
    version: "1.0.0",
    category: "t",
    summary: "s",
    inputs: { w: widget(schema, hints) },
    outputs: {},
    isOutput: true,
    cache: "pure",
    run: () => ({}),
  });
  const input = new Registry([node]).get("T")?.inputs.get("w");
  if (input?.kind !== "widget") throw new Error("w is no widget");
  return input;
}

const int = declared(
  z
    .int()
    .min(-5)
    .max(2 ** 40)
    .default(1),
);
const float = declared(z.number().min(-1).max(100).default(0.5));
const seed = declared(
  z
    .union([
      z.int().min(0),
      z
        .bigint()
        .min(0n)
        .max(2n ** 64n - 1n),
    ])
    .default(0),
);
const flag = declared(z.boolean().default(false));
const text = declared(z.string().default("x"));
const words = declared(z.string().min(1));
const choice = declared(z.enum(["nearest", "bilinear", "7"]).default("nearest"));
const sizes = declared(z.union([z.literal(2), z.literal(4)]).default(2));
const picture = declared(z.string().min(1), { file: { kind: "input" } });
const weights = declared(z.string().min(1), { file: { kind: "model", folder: "vae" } });

describe("a widget accepts", () => {
  test.each([
    ["a whole number", int, 5, 5],
    ["the least and the most", int, -5, -5],
    ["digits as a whole number", int, "5", 5],
    ["digits with blanks and sign", int, " +5 ", 5],
    ["a negative number as text", int, "-3", -3],
    ["a bigint that a number holds", int, 5n, 5],
    ["true as 1", int, true, 1],
    ["false as 0", int, false, 0],
    ["nothing as the default", int, undefined, 1],
    ["a number", float, 2.5, 2.5],
    ["a number as text", float, "2.5e1", 25],
    ["a whole number as text", float, "7", 7],
    ["a bigint as a number", float, 7n, 7],
    ["a 64-bit seed", seed, 2n ** 63n + 1n, 2n ** 63n + 1n],
    ["a 64-bit seed as text", seed, "9223372036854775809", 2n ** 63n + 1n],
    ["true as text", flag, "True", true],
    ["false as text", flag, "false", false],
    ["1 as true", flag, 1, true],
    ["0 as false", flag, 0, false],
    ["a number as text", text, 7, "7"],
    ["a bigint as text", text, 2n ** 63n, "9223372036854775808"],
    ["true as a word", text, true, "true"],
    ["no text where it may be empty", text, "", ""],
    ["a choice", choice, "bilinear", "bilinear"],
    ["a number whose text is a choice", choice, 7, "7"],
    ["the text of a choice that is a number", sizes, "4", 4],
    ["a name with backslashes", picture, "people\\anna.png", "people/anna.png"],
    ["backslashes in other text", text, "a\\b", "a\\b"],
    ["what ComfyUI's wrapper holds", int, { __value__: 5 }, 5],
  ])("%s", (_, widget, given, value) => {
    expect(parseWidget(widget, given)).toEqual({ ok: true, value });
  });

  test.each([
    [2.7, 2],
    [-2.7, -2],
  ])("%d for a whole number, cut, and says so", (given, value) => {
    expect(parseWidget(int, given)).toEqual({ ok: true, value, note: `w: ${given} is not a whole number: ${value} is used` });
  });
});

describe("a widget refuses", () => {
  test.each([
    ["too small", int, -6, "VALUE_SMALLER_THAN_MIN", "w: -6 is below the minimum of -5", "use -5 or more"],
    ["too big", float, 100.5, "VALUE_BIGGER_THAN_MAX", "w: 100.5 is above the maximum of 100", "use 100 or less"],
    ["too big as text", float, "101", "VALUE_BIGGER_THAN_MAX", 'w: "101" is above the maximum of 100', "use 100 or less"],
    ["a word for a number", int, "many", "INVALID_INPUT_TYPE", 'w: "many" is not a value of type INT', "give a value of type INT"],
    [
      "a fraction as text for a whole number",
      int,
      "2.7",
      "INVALID_INPUT_TYPE",
      'w: "2.7" is not a value of type INT',
      "give a value of type INT",
    ],
    ["blanks for a number", float, "  ", "INVALID_INPUT_TYPE", 'w: "  " is not a value of type FLOAT', "give a value of type FLOAT"],
    [
      "infinity as text",
      float,
      "Infinity",
      "INVALID_INPUT_TYPE",
      'w: "Infinity" is not a value of type FLOAT',
      "give a value of type FLOAT",
    ],
    ["2 for a flag", flag, 2, "INVALID_INPUT_TYPE", "w: 2 is not a value of type BOOLEAN", "give a value of type BOOLEAN"],
    ["yes for a flag", flag, "yes", "INVALID_INPUT_TYPE", 'w: "yes" is not a value of type BOOLEAN', "give a value of type BOOLEAN"],
    ["a list", int, [5], "INVALID_INPUT_TYPE", "w: a list is not a value of type INT", "give a value of type INT"],
    ["an object", text, {}, "INVALID_INPUT_TYPE", "w: an object is not a value of type STRING", "give a value of type STRING"],
    ["null", text, null, "INVALID_INPUT_TYPE", "w: null is not a value of type STRING", "give a value of type STRING"],
    ["a misspelt choice", choice, "bilinaer", "VALUE_NOT_IN_LIST", 'w: "bilinaer" is not a choice', "did you mean bilinear?"],
    ["another choice", choice, "lanczos", "VALUE_NOT_IN_LIST", 'w: "lanczos" is not a choice', "choose one of 7, nearest, bilinear"],
    ["no choice", choice, "", "VALUE_NOT_IN_LIST", 'w: "" is not a choice', "choose one of 7, nearest, bilinear"],
    ["nothing where there is no default", words, undefined, "REQUIRED_INPUT_MISSING", "w has no value", "give a value of type STRING"],
    ["no text", words, "", "REQUIRED_INPUT_MISSING", "w is empty", "type something"],
    ["no file", picture, "", "REQUIRED_INPUT_MISSING", "w is empty", "choose a file of the input folder"],
    ["no model", weights, "", "REQUIRED_INPUT_MISSING", "w is empty", "choose a file of the model folder vae"],
  ])("%s", (_, widget, given, code, message, hint) => {
    expect(parseWidget(widget, given)).toEqual({ ok: false, code, message, hint });
  });

  test("long values are shown in part, long lists of choices are counted", () => {
    const shown = parseWidget(int, "n".repeat(200));
    expect(shown).toMatchObject({ message: `w: "${"n".repeat(76)}… is not a value of type INT` });
    expect(parseWidget(int, "n".repeat(78))).toMatchObject({ message: `w: "${"n".repeat(78)}" is not a value of type INT` });
    const names = (n: number) => Array.from({ length: n }, (_, k) => `choice-${k}`);
    expect(parseWidget(declared(z.enum(names(21))), "zzzzzzzzzzzz")).toMatchObject({ hint: "choose one of 21 choices" });
    expect(parseWidget(declared(z.enum(names(20))), "zzzzzzzzzzzz")).toMatchObject({ hint: `choose one of ${names(20).join(", ")}` });
    expect(parseWidget(declared(z.enum(names(30))), undefined)).toMatchObject({ hint: `choose one of ${names(20).join(", ")}` });
  });
});
