// API workflows (what the saved graphs of this project are) as documents: links become links, values become widgets, and the layout is made.
import { isLink, type Prompt, unwrapValue } from "../../engine/graph/prompt.ts";
import { arrangeGraph } from "./arrange.ts";
import { type Doc, type DocInput, type DocNode, withGraph } from "./document.ts";
import { attach } from "./links.ts";
import { newNode } from "./new-node.ts";
import type { NodeFaces } from "./node-face.ts";
import { emptyDocument } from "./read-document.ts";
import { growVariadic } from "./settle.ts";
import { setWidgetValue } from "./widgets.ts";

/** Ids that are whole numbers stay; others (`5:2`) are kept as text. Unknown nodes keep their values by name. */
export function documentFromPrompt(prompt: Prompt, faces: NodeFaces, uuid: string): Doc {
  const empty = emptyDocument(uuid);
  const nodes = Object.entries(prompt).map(([id, { class_type, inputs, _meta }]): DocNode => {
    const key = /^\d{1,15}$/.test(id) ? Number(id) : id;
    const face = faces.get(class_type);
    let node = newNode(empty, faces, key, class_type, [0, 0]);
    if (_meta?.title !== undefined && _meta.title !== class_type) node = { ...node, title: _meta.title };
    const extra: DocInput[] = [];
    const unknown: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(inputs)) {
      if (isLink(value)) {
        if (!node.inputs.some((i) => i.name === name)) extra.push({ name, type: face?.variadic?.type ?? "*", link: null });
      } else if (face) node = setWidgetValue(empty, node, faces, name, unwrapValue(value));
      else unknown[name] = value;
    }
    // The free socket of a variadic node goes last.
    const declared = node.inputs.filter(
      (i) => !(face?.variadic && i.name.startsWith(face.variadic.prefix) && !face.inputs.some((f) => f.name === i.name)),
    );
    const sockets = [...declared.filter((i) => !i.widget), ...extra, ...declared.filter((i) => i.widget)];
    return {
      ...node,
      inputs: face ? growVariadic(face, sockets) : sockets,
      outputs: face
        ? node.outputs
        : Array.from({ length: outputsUsed(prompt, id) }, (_, i) => ({ name: `output ${i}`, type: "*", links: null })),
      ...(face ? {} : { widgets_values: unknown }),
    };
  });
  const links = Object.entries(prompt).flatMap(([id, { inputs }]) =>
    Object.entries(inputs).flatMap(([name, value]) => {
      const target = nodes.find((n) => String(n.id) === id);
      const slot = target?.inputs.findIndex((i) => i.name === name) ?? -1;
      const source = isLink(value) ? nodes.find((n) => String(n.id) === value[0]) : undefined;
      if (!target || slot < 0 || !isLink(value) || !source) return [];
      return [
        {
          origin_id: source.id,
          origin_slot: value[1],
          target_id: target.id,
          target_slot: slot,
          type: source.outputs[value[1]]?.type ?? "*",
        },
      ];
    }),
  );
  const placed = withGraph(empty, null, { nodes });
  return arrangeGraph(
    attach(
      placed,
      null,
      faces,
      links.map((l, i) => ({ id: i + 1, ...l })),
    ),
    null,
    faces,
  );
}

function outputsUsed(prompt: Prompt, id: string): number {
  const slots = Object.values(prompt).flatMap((n) => Object.values(n.inputs).flatMap((v) => (isLink(v) && v[0] === id ? [v[1] + 1] : [])));
  return Math.max(0, ...slots);
}
