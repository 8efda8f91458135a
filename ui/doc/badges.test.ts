import { expect, test } from "vitest";
import { objectInfo } from "../../engine/node/object-info.ts";
import { Registry } from "../../engine/node/registry.ts";
import { nodes } from "../../nodes/index.ts";
import { badgesOf } from "./badges.ts";
import { nodeFaces } from "./node-face.ts";
import { readDocument } from "./read-document.ts";

const registry = new Registry(nodes);
const faces = nodeFaces(registry);
const doc = readDocument({
  version: 0.4,
  nodes: [
    { id: 3, type: "CFGNorm", properties: { cnr_id: "comfy-core" } },
    { id: 4, type: "KSampler", properties: {} },
    { id: 5, type: "FancyNode", properties: { cnr_id: "comfyui-fancy", aux_id: "someone/fancy" } },
    { id: 6, type: "OtherNode", properties: { aux_id: "someone/other" } },
    { id: 7, type: "LostNode", properties: {} },
  ],
  links: [],
});
const all = (shown: "special" | "ids" | "none") => doc.nodes.map((node) => badgesOf(doc, node, faces, shown));

test("what is experimental says so, and an unknown node where it is from; numbers when they are asked for", () => {
  expect(all("special")).toEqual([["experimental"], [], ["comfyui-fancy"], ["someone/other"], []]);
  expect(all("ids")).toEqual([["#3", "experimental"], ["#4"], ["#5", "comfyui-fancy"], ["#6", "someone/other"], ["#7"]]);
  expect(all("none")).toEqual([[], [], [], [], []]);
});

test("/object_info has ComfyUI's flags", () => {
  const info = objectInfo(registry);
  expect(info.CFGNorm).toMatchObject({ experimental: true });
  expect(info.KSampler).not.toHaveProperty("experimental");
});
