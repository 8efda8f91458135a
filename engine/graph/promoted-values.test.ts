// Values typed on a subgraph's node reach the inputs and widgets they stand for, in every generation of files.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Registry } from "../node/registry.ts";
import { parseWorkflow } from "./parse-workflow.ts";
import type { PromptNode } from "./prompt.ts";
import { type Instance, workflowToPrompt } from "./workflow-to-prompt.ts";

const file = (name: string): string => readFileSync(join(import.meta.dirname, "../../test/fixtures/workflows", name), "utf8");

function convert(document: string | object): {
  readonly prompt: Readonly<Record<string, PromptNode>>;
  readonly warnings: readonly string[];
} {
  const parsed = parseWorkflow(typeof document === "string" ? document : JSON.stringify(document));
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  const result = workflowToPrompt(parsed.workflow, new Registry([]));
  if (!result.ok) throw new Error(JSON.stringify(result.issues));
  return { prompt: result.prompt, warnings: result.warnings.map((w) => w.code) };
}

interface Inner {
  readonly id: number;
  readonly type?: string;
  readonly widgets: Readonly<Record<string, unknown>>;
  /** Widget → slot of the subgraph's inputs. */
  readonly fed?: Readonly<Record<string, number>>;
  readonly [key: string]: unknown;
}

/** A subgraph of nodes with widgets, some fed by its inputs. */
function definition(id: string, inputs: readonly string[], nodes: readonly Inner[], links: readonly object[] = []): object {
  const all: object[] = [...links];
  return {
    id,
    inputs: inputs.map((name) => ({ name, type: "*" })),
    outputs: [],
    nodes: nodes.map(({ id: node, type = "T", widgets, fed = {}, ...rest }) => ({
      id: node,
      type,
      mode: 0,
      widgets_values: Object.values(widgets),
      inputs: Object.keys(widgets).map((name, slot) => {
        const link = fed[name] === undefined ? null : 1000 + node * 10 + slot;
        if (link !== null) all.push({ id: link, origin_id: -10, origin_slot: fed[name], target_id: node, target_slot: slot });
        return { name, type: "*", link, widget: { name } };
      }),
      ...rest,
    })),
    links: all,
  };
}
const root = (subgraphs: readonly object[], instance: object, nodes: readonly object[] = [], links: readonly unknown[] = []): object => ({
  version: 0.4,
  nodes: [{ id: 1, type: "sg", mode: 0, inputs: [], ...instance }, ...nodes],
  links,
  definitions: { subgraphs },
});

const simple = definition(
  "sg",
  ["image", "seed", "mode", "text"],
  [{ id: 5, widgets: { seed: 1, mode: "a", text: "inner" }, fed: { seed: 1, mode: 2, text: 3 } }],
);
const inner = (document: object, node = "1:5") => convert(document).prompt[node]?.inputs;

describe("values of promoted widgets", () => {
  test.each(["subgraph_promoted_omitted.json", "subgraph_promoted_all_listed.json", "subgraph_named_values.json"])(
    "%s: one value for each promoted input of the definition",
    (name) => {
      expect(convert(file(name)).prompt["2:5"]?.inputs).toMatchObject({
        upscale_method: "bilinear",
        width: 64,
        height: 96,
      });
    },
  );

  test("a control entry is skipped when the list is longer, and is a value when it is not", () => {
    expect(inner(root([simple], { widgets_values: [7, "randomize", "b", "c"] }))).toMatchObject({ seed: 7, mode: "b", text: "c" });
    expect(inner(root([simple], { widgets_values: [7, "fixed", "c"] }))).toMatchObject({ seed: 7, mode: "fixed", text: "c" });
  });

  test("a list that fits neither way gives a warning", () => {
    expect(convert(root([simple], { widgets_values: [7, "b", "c", "d"] })).warnings).toEqual(["WIDGET_COUNT"]);
    expect(convert(root([simple], { widgets_values: [7, "b", "c"] })).warnings).toEqual([]);
  });

  test("names win over positions, and a difference gives a warning", () => {
    const both = { widgets_values: ["x", 7, "b"], widgets_values_named: { text: "c", seed: 7, mode: "b" } };
    expect(inner(root([simple], both))).toMatchObject({ seed: 7, mode: "b", text: "c" });
    const plain = { id: 2, type: "T", mode: 0, inputs: ["a", "b"].map((name) => ({ name, type: "*", link: null, widget: { name } })) };
    const document = root([simple], {}, [{ ...plain, widgets_values: [1, 2], widgets_values_named: { a: 1, b: 3 } }]);
    expect(convert(document).prompt["2"]?.inputs).toEqual({ a: 1, b: 3 });
    expect(convert(document).warnings).toEqual(["WIDGET_TWO_VALUES"]);
    const reordered = root([simple], {}, [{ ...plain, widgets_values: [2, 1], widgets_values_named: { a: 1, b: 2 } }]);
    expect(convert(reordered)).toMatchObject({ prompt: { 2: { inputs: { a: 1, b: 2 } } }, warnings: [] });
  });

  test("a value the editor set aside wins; the first of two", () => {
    const entry = (name: string, hostValue: unknown, node = "-1") => ({
      originalEntry: [node, name],
      reason: "x",
      attemptedAtVersion: 1,
      hostValue,
    });
    const quarantine = [entry("text", "kept"), entry("text", "later"), entry("seed", 9, "5"), entry("mode", undefined)];
    for (const proxyWidgetErrorQuarantine of [quarantine, JSON.stringify(quarantine)])
      expect(inner(root([simple], { widgets_values: [7, "b", "c"], properties: { proxyWidgetErrorQuarantine } }))).toMatchObject({
        seed: 7,
        mode: "b",
        text: "kept",
      });
  });

  test("null is no value", () => {
    expect(inner(root([simple], { widgets_values: [null, "b", null] }))).toMatchObject({ seed: 1, mode: "b", text: "inner" });
  });

  test("proxyWidgets: a widget that an input of the definition feeds gives its value to all that the input feeds", () => {
    const fan = definition(
      "sg",
      ["text"],
      [
        { id: 5, widgets: { text: "a" }, fed: { text: 0 } },
        { id: 6, widgets: { text: "b", other: 1 }, fed: { text: 0 } },
      ],
    );
    const instance = {
      properties: {
        proxyWidgets: [
          ["5", "text"],
          ["6", "other"],
        ],
      },
      widgets_values: ["both", 2],
    };
    expect(inner(root([fan], instance))).toEqual({ text: "both" });
    expect(inner(root([fan], instance), "1:6")).toEqual({ text: "both", other: 2 });
    const asText = { ...instance, properties: { proxyWidgets: JSON.stringify(instance.properties.proxyWidgets) } };
    expect(inner(root([fan], asText), "1:6")).toEqual({ text: "both", other: 2 });
  });

  test("proxyWidgets: promoted inputs that the list leaves out stand before it", () => {
    const proxies = { properties: { proxyWidgets: [["5", "text"]] }, widgets_values: [7, "b", "c"] };
    expect(inner(root([simple], proxies))).toMatchObject({ seed: 7, mode: "b", text: "c" });
    // As many values as the list has entries: none is left for the others.
    expect(inner(root([simple], { ...proxies, widgets_values: ["c"] }))).toMatchObject({ seed: 1, mode: "a", text: "c" });
  });

  test("proxyWidgets: a primitive inside gives its value to every widget it feeds", () => {
    const fed = definition(
      "sg",
      [],
      [
        { id: 4, type: "PrimitiveNode", widgets: { value: 1 } },
        {
          id: 5,
          widgets: { width: 3, height: 4 },
          inputs: [
            { name: "width", type: "INT", link: 1, widget: { name: "width" } },
            { name: "height", type: "INT", link: 2, widget: { name: "height" } },
          ],
        },
      ],
      [
        { id: 1, origin_id: 4, origin_slot: 0, target_id: 5, target_slot: 0 },
        { id: 2, origin_id: 4, origin_slot: 0, target_id: 5, target_slot: 1 },
      ],
    );
    const instance = {
      properties: {
        proxyWidgets: [
          ["4", "value"],
          ["4", "control_after_generate"],
        ],
      },
      widgets_values: [64, "fixed"],
    };
    expect(inner(root([fed], instance))).toEqual({ width: 64, height: 64 });
  });
});

describe("nested instances", () => {
  const nested = (middle: object) => [
    simple,
    {
      id: "outer",
      inputs: [
        { name: "seed", type: "*" },
        { name: "caption", type: "*" },
      ],
      outputs: [],
      nodes: [
        {
          id: 3,
          type: "sg",
          mode: 0,
          inputs: [
            { name: "seed", type: "*", link: 50, widget: { name: "seed" } },
            { name: "text", type: "*", link: 51, widget: { name: "text" } },
          ],
          ...middle,
        },
      ],
      links: [
        { id: 50, origin_id: -10, origin_slot: 0, target_id: 3, target_slot: 0 },
        { id: 51, origin_id: -10, origin_slot: 1, target_id: 3, target_slot: 1 },
      ],
    },
  ];

  test("the outermost value wins; where it is silent, the next one inwards speaks", () => {
    const subgraphs = nested({ widgets_values: [2, "m", "middle"] });
    expect(inner(root(subgraphs, { type: "outer", widgets_values: [8, "outer"] }), "1:3:5")).toMatchObject({
      seed: 8,
      mode: "m",
      text: "outer",
    });
    expect(inner(root(subgraphs, { type: "outer" }), "1:3:5")).toMatchObject({ seed: 2, mode: "m", text: "middle" });
    expect(inner(root(subgraphs, { type: "outer", widgets_values: [8, null] }), "1:3:5")).toMatchObject({ seed: 8, text: "middle" });
  });

  test("two instances of one definition keep their own values", () => {
    const second = { id: 2, type: "sg", mode: 0, inputs: [], widgets_values: [20, "b", "two"] };
    const { prompt } = convert(root([simple], { widgets_values: [10, "a", "one"] }, [second]));
    expect([prompt["1:5"]?.inputs.text, prompt["2:5"]?.inputs.text]).toEqual(["one", "two"]);
  });

  test.each([
    ["by the input's name", ["3", "text"]],
    ["by the widget's name with its node's id before it", ["3", "5: text"]],
    ["by the widget's name with its node's id behind it", ["3", "text", "5"]],
  ])("a widget from further inside, named %s", (_name, entry) => {
    const subgraphs = nested({ inputs: [], widgets_values: [2, "m", "middle"] });
    const instance = { type: "outer", properties: { proxyWidgets: [entry] }, widgets_values: ["far"] };
    expect(inner(root(subgraphs, instance), "1:3:5")).toMatchObject({ seed: 2, mode: "m", text: "far" });
  });

  test("a name from outside whose node is gone goes to the input of that name, else to the one that feeds such a widget", () => {
    const given = (entry: readonly string[], inputs: readonly string[]) => {
      const definitions = [
        definition("sg", inputs, [{ id: 5, widgets: { seed: 1, text: "inner" }, fed: { seed: 0, text: 1 } }]),
        { id: "outer", inputs: [], outputs: [], nodes: [{ id: 3, type: "sg", mode: 0 }], links: [] },
      ];
      return inner(root(definitions, { type: "outer", properties: { proxyWidgets: [entry] }, widgets_values: ["far"] }), "1:3:5");
    };
    expect(given(["3", "9: text"], ["seed", "text"])).toEqual({ seed: 1, text: "far" });
    expect(given(["3", "9: text"], ["number", "caption"])).toEqual({ seed: 1, text: "far" });
    expect(given(["3", "9: caption"], ["number", "caption"])).toEqual({ seed: 1, text: "far" });
  });

  test("two widgets of one name from further inside are kept apart", () => {
    const two = definition(
      "sg",
      ["text", "text_1"],
      [
        { id: 5, widgets: { text: "a" }, fed: { text: 0 } },
        { id: 6, widgets: { text: "b" }, fed: { text: 1 } },
      ],
    );
    const outer = { id: "outer", inputs: [], outputs: [], nodes: [{ id: 3, type: "sg", mode: 0 }], links: [] };
    const proxyWidgets = [
      ["3", "text", "6"],
      ["3", "text", "5"],
    ];
    const document = root([two, outer], { type: "outer", properties: { proxyWidgets }, widgets_values: ["six", "five"] });
    expect([inner(document, "1:3:5"), inner(document, "1:3:6")]).toEqual([{ text: "five" }, { text: "six" }]);
  });
});

test("the conversion tells what a promoted input feeds, for those who set it by name", () => {
  const parsed = parseWorkflow(file("subgraph_promoted_omitted.json"));
  const result = parsed.ok ? workflowToPrompt(parsed.workflow, new Registry([])) : undefined;
  const instances = result?.ok ? result.instances : new Map<string, Instance>();
  expect([...instances.keys()]).toEqual(["2"]);
  expect(instances.get("2")?.title).toBe("scale");
  expect([...(instances.get("2")?.inputs ?? [])]).toEqual([
    ["upscale_method", [["2:5", "upscale_method"]]],
    ["width", [["2:5", "width"]]],
    ["height", [["2:5", "height"]]],
  ]);
});

describe("Set and Get nodes", () => {
  test("a Get passes on what the Set of its name takes in", () => {
    expect(convert(file("ui_get_set.json"))).toMatchObject({ prompt: { "2": { inputs: { image: ["1", 0] } } }, warnings: [] });
    expect(Object.keys(convert(file("ui_get_set.json")).prompt)).toEqual(["1", "2", "3"]);
  });

  const source = { id: 7, type: "Source", mode: 0, outputs: [{ type: "DATA" }] };
  const set = { id: 8, type: "SetNode", mode: 0, inputs: [{ name: "x", type: "*", link: 1 }], widgets_values: ["pic"] };
  const links = [[1, 7, 0, 8, 0, "DATA"]];

  test("a Set's own output passes it on too; a Get inside a subgraph finds a Set around it; Sets and Gets chain", () => {
    const sink = { id: 9, type: "Sink", mode: 0, inputs: [{ name: "x", type: "DATA", link: 2 }] };
    expect(inner(root([simple], {}, [source, set, sink], [...links, [2, 8, 0, 9, 0, "DATA"]]), "9")).toEqual({ x: ["7", 0] });
    const getter = {
      id: "sg",
      inputs: [],
      outputs: [],
      nodes: [
        { id: 4, type: "GetNode", mode: 0, outputs: [{ type: "DATA" }], widgets_values: ["again"] },
        { id: 5, type: "Sink", mode: 0, inputs: [{ name: "x", type: "DATA", link: 3 }] },
      ],
      links: [{ id: 3, origin_id: 4, origin_slot: 0, target_id: 5, target_slot: 0 }],
    };
    const chain = [
      { id: 20, type: "GetNode", mode: 0, outputs: [{ type: "DATA" }], widgets_values: ["pic"] },
      { id: 21, type: "SetNode", mode: 0, inputs: [{ name: "x", type: "*", link: 4 }], widgets_values: ["again"] },
    ];
    const document = root([getter], {}, [source, set, ...chain], [...links, [4, 20, 0, 21, 0, "DATA"]]);
    expect(inner(document)).toEqual({ x: ["7", 0] });
  });

  test("a Get that nothing sets gives a warning; a loop has no source", () => {
    const get = { id: 10, type: "GetNode", mode: 0, outputs: [{ type: "DATA" }], widgets_values: ["other"] };
    const sink = { id: 9, type: "Sink", mode: 0, inputs: [{ name: "x", type: "DATA", link: 2 }] };
    const lost = root([simple], {}, [source, set, get, sink], [...links, [2, 10, 0, 9, 0, "DATA"]]);
    expect(convert(lost)).toMatchObject({ prompt: { "9": { inputs: {} } }, warnings: ["SETTER_MISSING"] });
    const own = { ...set, inputs: [{ name: "x", type: "*", link: 5 }] };
    const round = root(
      [simple],
      {},
      [own, { ...get, widgets_values: ["pic"] }, sink],
      [
        [2, 10, 0, 9, 0, "DATA"],
        [5, 10, 0, 8, 0, "DATA"],
      ],
    );
    expect(inner(round, "9")).toEqual({});
  });
});

test("a bypassed instance passes on by the slot of its definition, which its own list may leave out", () => {
  const two = {
    id: "sg",
    inputs: [
      { name: "a", type: "INT" },
      { name: "b", type: "DATA" },
      { name: "c", type: "DATA" },
    ],
    outputs: [
      { name: "o", type: "X" },
      { name: "p", type: "X" },
      { name: "DATA", type: "DATA" },
    ],
    nodes: [],
    links: [],
  };
  const source = (id: number) => ({ id, type: "Source", mode: 0, outputs: [{ type: "DATA" }] });
  const inputs = [
    { name: "b", type: "DATA", link: 1 },
    { name: "c", type: "DATA", link: 2 },
  ];
  const sink = { id: 9, type: "Sink", mode: 0, inputs: [{ name: "x", type: "DATA", link: 3 }] };
  const document = root(
    [two],
    { mode: 4, inputs, outputs: [{ type: "X" }, { type: "X" }, { type: "DATA" }] },
    [source(7), source(8), sink],
    [
      [1, 7, 0, 1, 1, "DATA"],
      [2, 8, 0, 1, 2, "DATA"],
      [3, 1, 2, 9, 0, "DATA"],
    ],
  );
  expect(inner(document, "9")).toEqual({ x: ["8", 0] });
});
