// A workflow of any size: copies of the editing workflow side by side, as somebody would have saved it.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { stringifyJson } from "../../engine/base/json.ts";
import { parseWorkflow } from "../../engine/graph/parse-workflow.ts";
import { Registry } from "../../engine/node/registry.ts";
import { nodes } from "../../nodes/index.ts";
import { boundsOf } from "../../ui/doc/arrange.ts";
import type { Doc, Id } from "../../ui/doc/document.ts";
import { documentFromPrompt } from "../../ui/doc/from-prompt.ts";
import { nodeFaces } from "../../ui/doc/node-face.ts";
import { writeDocument } from "../../ui/doc/read-document.ts";

const SOURCE = join(import.meta.dirname, "../../graphs/edit.json");
const GAP = 120;

/** @param count nodes @returns UI-format JSON */
export function bigWorkflow(count: number): string {
  const read = parseWorkflow(readFileSync(SOURCE, "utf8"));
  if (!read.ok || read.workflow.format !== "api") throw new Error(`${SOURCE} is no workflow in API format`);
  const one = documentFromPrompt(read.workflow.prompt, nodeFaces(new Registry(nodes)), "00000000-0000-4000-8000-000000000000");
  const bounds = boundsOf(one.nodes);
  if (!bounds) throw new Error(`${SOURCE} is empty`);
  const copies = Math.ceil(count / one.nodes.length);
  const columns = Math.ceil(Math.sqrt((copies * bounds.height * 1.6) / bounds.width));
  const stride = 1000;
  const moved = (id: Id, copy: number): number => copy * stride + Number(id);
  const all = Array.from({ length: copies }, (_, copy) => {
    const kept = new Set(one.nodes.slice(0, count - copy * one.nodes.length).map((n) => n.id));
    const links = one.links.filter((l) => kept.has(l.origin_id) && kept.has(l.target_id));
    const joined = new Set(links.map((l) => l.id));
    const [dx, dy] = [(copy % columns) * (bounds.width + GAP), Math.floor(copy / columns) * (bounds.height + GAP)];
    return {
      nodes: one.nodes
        .filter((n) => kept.has(n.id))
        .map((n) => ({
          ...n,
          id: moved(n.id, copy),
          pos: [n.pos[0] + dx, n.pos[1] + dy] as const,
          inputs: n.inputs.map((i) => ({ ...i, link: i.link !== null && joined.has(i.link) ? moved(i.link, copy) : null })),
          outputs: n.outputs.map((o) => ({ ...o, links: (o.links ?? []).filter((l) => joined.has(l)).map((l) => moved(l, copy)) })),
        })),
      links: links.map((l) => ({
        ...l,
        id: moved(l.id, copy),
        origin_id: moved(l.origin_id, copy),
        target_id: moved(l.target_id, copy),
      })),
    };
  });
  const doc: Doc = { ...one, nodes: all.flatMap((c) => c.nodes), links: all.flatMap((c) => c.links) };
  return stringifyJson(writeDocument(doc));
}
