// Subgraphs that a person published: kept among the graphs as `NAME.subgraph`, each a workflow of one instance, and inserted again anywhere.
import { stringifyJson } from "../../engine/base/json.ts";
import { type Clip, copyNodes, writeClip } from "../doc/clipboard.ts";
import type { Doc, DocNode, Point } from "../doc/document.ts";
import { openDocument } from "../doc/tabs.ts";
import { call } from "../net/client.ts";
import type { App } from "./app.ts";
import { say } from "./toasts.ts";

const ENDING = ".subgraph";

/** The name a blueprint goes by; undefined for other graphs. */
export function blueprintName(graph: string): string | undefined {
  return graph.endsWith(ENDING) ? graph.slice(0, -ENDING.length) : undefined;
}
export function graphOfBlueprint(name: string): string {
  return `${name}${ENDING}`;
}

/** Keeps an instance with its definition and those inside it. @returns whether it was kept */
export function publishSubgraph(app: App, node: DocNode, name: string): Promise<boolean> {
  return app.try(async () => {
    const clip = copyNodes(app.editor.doc.value, app.editor.place.value, [node.id]);
    const own: Clip = { ...clip, nodes: clip.nodes.map((n) => ({ ...n, pos: [0, 0], title: name })), incoming: [] };
    await call("saveGraph", { params: { name: graphOfBlueprint(name) }, body: { document: writeClip(own).document } });
    app.library.graphs.value = (await call("graphs", {})).graphs;
    say(`Published ${name}: it is among the nodes now`);
  });
}

/** Puts one in, its top left corner at `pos`. */
export async function insertBlueprint(app: App, name: string, pos: Point): Promise<void> {
  await app.try(async () => {
    const { document } = await call("graph", { params: { name: graphOfBlueprint(name) } });
    const doc = openDocument(document, app.editor.faces, crypto.randomUUID());
    const clip = copyNodes(
      doc,
      null,
      doc.nodes.map((n) => n.id),
    );
    app.editor.paste(pos, false, apartFrom(app.editor.doc.value, clip));
  });
}

/** A definition that was changed here since it was published is another one: both keep what they are. */
function apartFrom(doc: Doc, clip: Clip): Clip {
  const ids = new Map(
    clip.subgraphs.flatMap((s) => {
      const own = doc.subgraphs.find((o) => o.id === s.id);
      return own && stringifyJson({ ...own }) !== stringifyJson({ ...s }) ? [[s.id, crypto.randomUUID()] as const] : [];
    }),
  );
  if (ids.size === 0) return clip;
  // What holds a definition that changes its id changes too.
  const renamed = (n: DocNode): DocNode => ({ ...n, type: ids.get(n.type) ?? n.type });
  return {
    ...clip,
    nodes: clip.nodes.map(renamed),
    subgraphs: clip.subgraphs.map((s) => ({ ...s, id: ids.get(s.id) ?? s.id, nodes: s.nodes.map(renamed) })),
  };
}
