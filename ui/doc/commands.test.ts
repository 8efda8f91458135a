import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseJson, stringifyJson } from "../../engine/base/json.ts";
import { readWorkflow } from "../../engine/graph/parse-workflow.ts";
import { validate } from "../../engine/graph/validate.ts";
import { workflowToPrompt } from "../../engine/graph/workflow-to-prompt.ts";
import { Registry } from "../../engine/node/registry.ts";
import { nodes } from "../../nodes/index.ts";
import { copyNodes, pastedIds, readClip, writeClip } from "./clipboard.ts";
import { applyCommand, type Command } from "./commands.ts";
import { type Doc, graphAt, linkById, nodeById } from "./document.ts";
import { documentFromPrompt } from "./from-prompt.ts";
import { type History, perform, redo, startHistory, undo } from "./history.ts";
import { refusal } from "./links.ts";
import { nodeFaces } from "./node-face.ts";
import { emptyDocument, readDocument, writeDocument } from "./read-document.ts";
import { settleDocument } from "./settle.ts";
import { shownWidgets, widgetsOf } from "./widgets.ts";

const registry = new Registry(nodes);
const faces = nodeFaces(registry);
const limits = { maxCharacters: 8 << 20, maxDepth: 64 };
const root = join(import.meta.dirname, "../..");
const load = (path: string): unknown => parseJson(readFileSync(join(root, path), "utf8"), limits);
const templates = readdirSync(join(root, "test/golden/templates")).map((f) => `test/golden/templates/${f}`);
const graphs = readdirSync(join(root, "graphs")).flatMap((f) => (f.endsWith(".json") && f !== "gallery.json" ? [`graphs/${f}`] : []));

function open(path: string): Doc {
  const value = load(path);
  const read = readWorkflow(value);
  if (!read.ok) throw new Error(read.issues[0]?.message);
  return read.workflow.format === "api"
    ? documentFromPrompt(read.workflow.prompt, faces, "test")
    : settleDocument(readDocument(value), faces);
}
const save = (doc: Doc): string => stringifyJson(writeDocument(doc));
const promptOf = (doc: Doc) => {
  const read = readWorkflow(JSON.parse(save(doc)));
  if (!read.ok) throw new Error(read.issues[0]?.message);
  const result = workflowToPrompt(read.workflow, registry);
  if (!result.ok) throw new Error(result.issues[0]?.message);
  return result.prompt;
};
const run = (doc: Doc, ...commands: Command[]): Doc => commands.reduce((d, c) => applyCommand(d, c, faces), doc);

/** Both ends of every link know it, and nothing else. */
function consistent(doc: Doc): void {
  for (const graph of [doc, ...doc.subgraphs]) {
    for (const n of graph.nodes) {
      for (const [slot, i] of n.inputs.entries())
        if (i.link !== null) expect(linkById(graph, i.link)).toMatchObject({ target_id: n.id, target_slot: slot });
      for (const [slot, o] of n.outputs.entries())
        for (const id of o.links ?? []) expect(linkById(graph, id)).toMatchObject({ origin_id: n.id, origin_slot: slot });
    }
    for (const l of graph.links) {
      const target = nodeById(graph, l.target_id);
      if (target) expect(target.inputs[l.target_slot]?.link).toBe(l.id);
      const origin = nodeById(graph, l.origin_id);
      if (origin) expect(origin.outputs[l.origin_slot]?.links).toContain(l.id);
    }
    expect(new Set(graph.nodes.map((n) => String(n.id))).size).toBe(graph.nodes.length);
    expect(new Set(graph.links.map((l) => String(l.id))).size).toBe(graph.links.length);
  }
}

describe("files", () => {
  test.each(templates)("%s is read and written without loss", (path) => {
    const raw = load(path);
    const doc = readDocument(raw);
    expect(JSON.parse(save(doc))).toMatchObject(JSON.parse(stringifyJson(raw)));
    expect(save(readDocument(JSON.parse(save(doc))))).toBe(save(doc));
  });

  test("unknown nodes, unknown keys and both versions survive", () => {
    const node = {
      id: 7,
      type: "NeverHeardOf",
      pos: [1, 2],
      size: [3, 4],
      flags: {},
      order: 0,
      mode: 0,
      odd: { deep: [1] },
      widgets_values: { a: [1, 2] },
      properties: { x: 1 },
    };
    const old = {
      last_node_id: 9,
      last_link_id: 4,
      version: 0.4,
      future: { kept: true },
      nodes: [node],
      links: [],
      groups: [],
      config: {},
      extra: { ds: { scale: 2, offset: [3, 4] }, mine: 1 },
    };
    expect(JSON.parse(save(settleDocument(readDocument(old), faces)))).toMatchObject(old);
    const one = {
      version: 1,
      state: { lastNodeId: 7, lastLinkId: 3 },
      nodes: [node],
      links: [],
      groups: [],
      reroutes: [],
      config: {},
      extra: {},
    };
    expect(JSON.parse(save(settleDocument(readDocument(one), faces)))).toMatchObject(one);
  });

  test("reroutes of version 0.4 come from extra and go back there", () => {
    const raw = {
      last_node_id: 2,
      last_link_id: 1,
      version: 0.4,
      nodes: [
        { id: 1, type: "A", pos: [0, 0], size: [9, 9], outputs: [{ name: "o", type: "X", links: [1] }] },
        { id: 2, type: "B", pos: [0, 0], size: [9, 9], inputs: [{ name: "i", type: "X", link: 1 }] },
      ],
      links: [[1, 1, 0, 2, 0, "X"]],
      groups: [],
      extra: { reroutes: [{ id: 1, pos: [5, 5], linkIds: [1] }], linkExtensions: [{ id: 1, parentId: 1 }] },
    };
    const doc = readDocument(raw);
    expect(doc.links[0]?.parentId).toBe(1);
    expect(JSON.parse(save(doc))).toMatchObject(raw);
    const cut = run(doc, { name: "link.remove", args: { place: null, ids: [1] } });
    expect(cut.reroutes).toEqual([]);
  });

  test.each(templates)("settling %s changes no value and is done once", (path) => {
    const doc = readDocument(load(path));
    const settled = settleDocument(doc, faces);
    expect(settleDocument(settled, faces)).toEqual(settled);
    expect(promptOf(settled)).toMatchObject(promptOf(doc));
  });

  test.each(graphs)("%s opens with the same prompt, laid out without overlap", (path) => {
    const read = readWorkflow(load(path));
    if (!read.ok || read.workflow.format !== "api") throw new Error("expected an API workflow");
    const doc = open(path);
    const prompt = promptOf(doc);
    for (const [id, node] of Object.entries(read.workflow.prompt))
      expect(prompt[id]?.inputs).toMatchObject(JSON.parse(stringifyJson(node.inputs)));
    expect(validate(prompt, registry).ok).toBe(true);
    consistent(doc);
    for (const a of doc.nodes)
      for (const b of doc.nodes)
        if (a !== b) {
          const apart =
            a.pos[0] + a.size[0] <= b.pos[0] ||
            b.pos[0] + b.size[0] <= a.pos[0] ||
            a.pos[1] + a.size[1] <= b.pos[1] - 30 ||
            b.pos[1] + b.size[1] <= a.pos[1] - 30;
          expect(apart, `${a.id} ${b.id}`).toBe(true);
        }
  });

  test("a 64-bit seed keeps its digits", () => {
    const doc = run(emptyDocument("x"), {
      name: "node.add",
      args: { place: null, type: "KSampler", pos: [0, 0], values: { seed: 18446744073709551615n } },
    });
    expect(save(doc)).toContain("18446744073709551615");
    expect(save(settleDocument(readDocument(parseJson(save(doc), limits)), faces))).toBe(save(doc));
  });
});

describe("editing", () => {
  const two = run(
    emptyDocument("x"),
    { name: "node.add", args: { place: null, type: "LoadImage", pos: [0, 0], values: { image: "person-1.png" } } },
    { name: "node.add", args: { place: null, type: "SaveImage", pos: [400, 0], from: { node: 1, slot: 0 } } },
  );

  test("adding from a released link joins the first socket that fits", () => {
    expect(two.links).toHaveLength(1);
    expect(promptOf(two)["2"]?.inputs.images).toEqual(["1", 0]);
    consistent(two);
  });

  test("a refused link names both types", () => {
    const doc = run(two, { name: "node.add", args: { place: null, type: "VAELoader", pos: [0, 0] } });
    expect(refusal(doc, { node: 3, slot: 0 }, { node: 2, slot: 0 })).toBe("VAE does not fit IMAGE");
    expect(() => run(doc, { name: "link.connect", args: { place: null, from: { node: 3, slot: 0 }, to: { node: 2, slot: 0 } } })).toThrow(
      "VAE does not fit IMAGE",
    );
  });

  test("a circle is refused", () => {
    const doc = run(
      emptyDocument("x"),
      { name: "node.add", args: { place: null, type: "ImageScale", pos: [0, 0] } },
      { name: "node.add", args: { place: null, type: "ImageScale", pos: [300, 0], from: { node: 1, slot: 0 } } },
    );
    expect(refusal(doc, { node: 2, slot: 0 }, { node: 1, slot: 0 })).toMatch(/wait for each other/);
  });

  test("a variadic node always has one free socket", () => {
    let doc = run(emptyDocument("x"), { name: "node.add", args: { place: null, type: "WeightedSumReward", pos: [0, 0] } });
    const before = nodeById(doc, 1)?.inputs.filter((i) => !i.widget).length ?? 0;
    for (let i = 0; i < before + 2; i++) {
      doc = run(doc, { name: "node.add", args: { place: null, type: "SIRReward", pos: [0, 0] } });
      const slot = nodeById(doc, 1)?.inputs.findIndex((x) => x.link === null && x.type === "REWARD") ?? -1;
      expect(slot).toBeGreaterThanOrEqual(0);
      doc = run(doc, {
        name: "link.connect",
        args: { place: null, from: { node: doc.nodes.at(-1)?.id ?? 0, slot: 0 }, to: { node: 1, slot } },
      });
    }
    consistent(doc);
    expect(nodeById(doc, 1)?.inputs.filter((i) => i.link === null && i.type === "REWARD")).toHaveLength(1);
  });

  test("a value is set by name where a control entry follows a seed", () => {
    const doc = run(
      emptyDocument("x"),
      { name: "node.add", args: { place: null, type: "KSampler", pos: [0, 0] } },
      { name: "widget.control", args: { place: null, id: 1, name: "seed", control: "randomize", value: 7 } },
      { name: "widget.set", args: { place: null, id: 1, name: "steps", value: 33 } },
    );
    expect(promptOf(doc)["1"]?.inputs).toMatchObject({ seed: 7, steps: 33 });
    expect(widgetsOf(doc, doc.nodes[0] ?? expect.fail(), faces).find((w) => w.face.name === "seed")?.control).toBe("randomize");
  });

  test("copy and paste keep links among the copied, with links those to outside too", () => {
    const clip = copyNodes(two, null, [2]);
    const plain = run(two, { name: "clip.paste", args: { place: null, clip, pos: [0, 300] } });
    expect(plain.links).toHaveLength(1);
    const linked = run(two, { name: "clip.paste", args: { place: null, clip, pos: [0, 300], withLinks: true } });
    expect(linked.links).toHaveLength(2);
    const both = run(two, { name: "clip.paste", args: { place: null, clip: copyNodes(two, null, [1, 2]), pos: [0, 300] } });
    expect(both.links).toHaveLength(2);
    expect(pastedIds(two, both)).toHaveLength(2);
    for (const d of [plain, linked, both]) consistent(d);
    const travelled = readClip(JSON.parse(stringifyJson(writeClip(clip))));
    expect(travelled && run(two, { name: "clip.paste", args: { place: null, clip: travelled, pos: [0, 300], withLinks: true } })).toEqual(
      linked,
    );
  });

  test("dragging one node onto another joins the sockets that fit best", () => {
    const doc = run(
      two,
      { name: "link.remove", args: { place: null, ids: two.links.map((l) => l.id) } },
      { name: "link.best", args: { place: null, from: 2, to: 1 } },
    );
    expect(doc.links).toMatchObject([{ origin_id: 1, target_id: 2 }]);
  });
});

describe("subgraphs", () => {
  test.each(graphs)("%s: nodes into a subgraph and back give the same prompt", (path) => {
    const doc = open(path);
    const movable = doc.nodes.slice(0, Math.ceil(doc.nodes.length / 2)).map((n) => n.id);
    const made = run(doc, { name: "subgraph.create", args: { place: null, ids: movable, name: "Part", uuid: "sub-1" } });
    consistent(made);
    const instance = made.nodes.find((n) => n.type === "sub-1");
    const prompt = promptOf(made);
    expect(Object.keys(prompt)).toHaveLength(doc.nodes.length);
    const inner = (id: string): string => (movable.some((m) => String(m) === id) ? `${instance?.id}:${id}` : id);
    for (const [id, node] of Object.entries(promptOf(doc)))
      for (const [name, value] of Object.entries(node.inputs))
        expect(prompt[inner(id)]?.inputs[name]).toEqual(Array.isArray(value) ? [inner(String(value[0])), value[1]] : value);
    const back = run(made, { name: "subgraph.unpack", args: { place: null, id: instance?.id ?? 0 } });
    consistent(back);
    expect(back.subgraphs).toEqual([]);
    const sorted = (d: Doc) =>
      Object.values(promptOf(d))
        .map((n) =>
          JSON.stringify({
            type: n.class_type,
            values: Object.entries(n.inputs).filter(([, v]) => !Array.isArray(v)),
            links: Object.entries(n.inputs)
              .filter(([, v]) => Array.isArray(v))
              .map(([k]) => k)
              .sort(),
          }),
        )
        .sort();
    expect(sorted(back)).toEqual(sorted(doc));
  });

  test("a subgraph can't be pasted into itself", () => {
    const doc = run(open("graphs/match.json"), {
      name: "subgraph.create",
      args: { place: null, ids: [1, 2, 3], name: "Part", uuid: "sub-1" },
    });
    const instance = doc.nodes.find((n) => n.type === "sub-1")?.id ?? 0;
    expect(run(doc, { name: "clip.paste", args: { place: "sub-1", clip: copyNodes(doc, null, [instance]), pos: [0, 0] } })).toBe(doc);
  });
});

/** A command that may or may not apply, made from what the document holds and three dice. */
function randomCommand(doc: Doc, [kind, a, b]: readonly [number, number, number]): Command {
  const place = doc.subgraphs.length > 0 && a % 4 === 3 ? (doc.subgraphs[b % doc.subgraphs.length]?.id ?? null) : null;
  const graph = graphAt(doc, place);
  const at = <T>(list: readonly T[], n: number): T | undefined => list[n % Math.max(1, list.length)];
  const id = at(graph.nodes, a)?.id ?? 1;
  const other = at(graph.nodes, b)?.id ?? 1;
  const types = faces.all();
  switch (kind % 16) {
    case 0:
    case 1:
      return { name: "node.add", args: { place, type: at(types, a)?.type ?? "Note", pos: [a, b] } };
    case 2:
      return { name: "items.remove", args: { place, nodes: [id] } };
    case 3:
      return { name: "items.move", args: { place, nodes: [{ id, to: [a, b] }] } };
    case 4:
    case 5:
    case 6:
      return { name: "link.best", args: { place, from: id, to: other } };
    case 7:
      return { name: "link.connect", args: { place, from: { node: id, slot: b % 3 }, to: { node: other, slot: a % 5 } } };
    case 8:
      return { name: "link.remove", args: { place, ids: [at(graph.links, a)?.id ?? 1] } };
    case 9: {
      const node = at(graph.nodes, a);
      const name = node ? (at(widgetsOf(doc, node, faces), b)?.face.name ?? "x") : "x";
      return { name: "widget.set", args: { place, id, name, value: b } };
    }
    case 10:
      return { name: "node.mode", args: { place, ids: [id], mode: [0, 2, 4][b % 3] ?? 0 } };
    case 11:
      return { name: "clip.paste", args: { place, clip: copyNodes(doc, place, [id, other]), pos: [a, b], withLinks: a % 2 === 0 } };
    case 12:
      return { name: "reroute.add", args: { place, link: at(graph.links, a)?.id ?? 1, pos: [a, b] } };
    case 13:
      return { name: "subgraph.create", args: { place, ids: [id, other], name: "S", uuid: `s${a}-${b}` } };
    case 14:
      return {
        name: "subgraph.unpack",
        args: { place, id: graph.nodes.find((n) => doc.subgraphs.some((s) => s.id === n.type))?.id ?? id },
      };
    default:
      return { name: "group.around", args: { place, ids: [id, other], title: "G" } };
  }
}

describe("undo", () => {
  const die = fc.nat({ max: 400 });
  test.each([...graphs.slice(0, 3), ...templates])(
    "%s: any commands, then undo everything, gives the same bytes; redo gives the others",
    (path) => {
      const doc = open(path);
      const first = save(doc);
      fc.assert(
        fc.property(fc.array(fc.tuple(die, die, die), { maxLength: 30 }), (dice) => {
          let history: History = startHistory(doc);
          for (const d of dice) {
            try {
              history = perform(history, randomCommand(history.doc, d), faces);
            } catch (error) {
              if (!(error instanceof RangeError)) throw error;
            }
            consistent(history.doc);
          }
          const last = save(history.doc);
          // What was made can be saved, read and settled without a change.
          expect(save(settleDocument(readDocument(JSON.parse(last)), faces))).toBe(last);
          const steps = history.past.length;
          for (let i = 0; i < steps; i++) history = undo(history);
          expect(save(history.doc)).toBe(first);
          for (let i = 0; i < steps; i++) history = redo(history);
          expect(save(history.doc)).toBe(last);
        }),
        { numRuns: Number(process.env.RUNS ?? 40), seed: Number(process.env.SEED ?? 1) },
      );
    },
  );

  test("typing into one widget is one step", () => {
    let history = startHistory(run(emptyDocument("x"), { name: "node.add", args: { place: null, type: "PrimitiveString", pos: [0, 0] } }));
    for (const value of ["a", "ab", "abc"])
      history = perform(history, { name: "widget.set", args: { place: null, id: 1, name: "value", value } }, faces);
    expect(history.past).toHaveLength(1);
  });
});

describe("widgets that depend on others", () => {
  const add = (type: string, values: Readonly<Record<string, unknown>> = {}): Doc =>
    run(emptyDocument("x"), { name: "node.add", args: { place: null, type, pos: [0, 0], values } });
  const first = (doc: Doc) => doc.nodes[0] ?? expect.fail();
  const shown = (doc: Doc): string[] => shownWidgets(doc, first(doc), faces).map((w) => w.face.name);

  test("what a mode does not read is not shown, keeps its value, and makes the node shorter", () => {
    const rerefl = add("TrainReReFL");
    const sft = run(
      rerefl,
      { name: "widget.set", args: { place: null, id: 1, name: "window_end", value: 7 } },
      { name: "widget.set", args: { place: null, id: 1, name: "mode", value: "sft" } },
    );
    expect(shown(rerefl)).toContain("window_end");
    expect(shown(rerefl)).not.toContain("k");
    expect(shown(sft)).not.toContain("window_end");
    expect(first(sft).size[1]).toBeLessThan(first(rerefl).size[1]);
    const back = run(sft, { name: "widget.set", args: { place: null, id: 1, name: "mode", value: "rerefl" } });
    expect(first(back).size).toEqual(first(rerefl).size);
    expect(widgetsOf(back, first(back), faces).find((w) => w.face.name === "window_end")?.value).toBe(7);
    expect(first(back).widgets_values).toHaveLength(first(sft).widgets_values?.length as number);
  });

  test("values of a choice that is not there have no entry in the file, and both readers agree", () => {
    const doc = run(add("ResizeImageMaskNode"), {
      name: "widget.set",
      args: { place: null, id: 1, name: "resize_type", value: "scale total pixels" },
    });
    expect(shown(doc)).toEqual(["resize_type", "resize_type.megapixels", "resize_type.multiple", "scale_method"]);
    expect(first(doc).widgets_values).toEqual(["scale total pixels", 1, 1, "area"]);
    const set = run(doc, { name: "widget.set", args: { place: null, id: 1, name: "resize_type.megapixels", value: 2 } });
    expect(promptOf(set)["1"]?.inputs).toMatchObject({ "resize_type.megapixels": 2, scale_method: "area" });
  });

  test("ComfyUI's upload button stays where it is, and is no value of ours", () => {
    const inputs = [
      { name: "image", type: "COMBO", widget: { name: "image" }, link: null },
      { name: "upload", type: "IMAGEUPLOAD", widget: { name: "upload" }, link: null },
    ];
    const node = {
      id: 1,
      type: "LoadImage",
      pos: [0, 0],
      size: [300, 300],
      mode: 0,
      flags: {},
      inputs,
      widgets_values: ["a.png", "image"],
    };
    const doc = settleDocument(readDocument({ version: 0.4, nodes: [{ ...node, outputs: [], properties: {} }], links: [] }), faces);
    const profile = (d: Doc): unknown => widgetsOf(d, first(d), faces).find((w) => w.face.name === "color_profile")?.value;
    expect(profile(doc)).toBe("ignore");
    const set = run(doc, { name: "widget.set", args: { place: null, id: 1, name: "color_profile", value: "convert" } });
    expect(profile(set)).toBe("convert");
    expect(promptOf(set)["1"]?.inputs).toMatchObject({ image: "a.png", color_profile: "convert" });
  });
});
