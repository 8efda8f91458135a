// Open workflows: tabs, what is saved, and what survives a crash. No storage of its own: it is dumped to JSON and restored.
import { z } from "zod";
import { readWorkflow } from "../../engine/graph/parse-workflow.ts";
import type { Doc, Id } from "./document.ts";
import { documentFromPrompt } from "./from-prompt.ts";
import { type History, startHistory } from "./history.ts";
import type { NodeFaces } from "./node-face.ts";
import { readDocument, writeDocument } from "./read-document.ts";
import { settleDocument } from "./settle.ts";

/** What part of a graph is in view. */
export interface View {
  readonly scale: number;
  readonly offset: readonly [number, number];
}

export interface Tab {
  readonly id: string;
  readonly name: string;
  /** What the server holds: its revision; null = never saved there. */
  readonly revision: string | null;
  readonly history: History;
  /** The document as it is on the server; undefined when this one has never been saved. */
  readonly saved: Doc | undefined;
  /** Ids of the subgraph instances entered, from the outside in. */
  readonly path: readonly Id[];
  /** By path. */
  readonly views: Readonly<Record<string, View>>;
}

export interface Tabs {
  readonly tabs: readonly Tab[];
  readonly active: string;
}

/** `isSaved`: the document came from the server as it is. */
export function openTab(
  id: string,
  name: string,
  doc: Doc,
  options: { readonly revision?: string | null; readonly isSaved?: boolean } = {},
): Tab {
  return {
    id,
    name,
    revision: options.revision ?? null,
    history: startHistory(doc),
    saved: options.isSaved ? doc : undefined,
    path: [],
    views: viewOf(doc),
  };
}

/** There is work in it that is nowhere else. An empty canvas is not worth asking about. */
export function isDirty(tab: Tab): boolean {
  const { doc } = tab.history;
  return doc !== tab.saved && (tab.saved !== undefined || doc.nodes.length > 0 || doc.groups.length > 0);
}

/** The subgraph a tab shows; null for the workflow itself. A path that no longer exists leads to its last part that does. */
export function placeOf(tab: Tab): { readonly place: string | null; readonly path: readonly Id[] } {
  let graph: Pick<Doc, "nodes"> = tab.history.doc;
  let place: string | null = null;
  const path: Id[] = [];
  for (const id of tab.path) {
    const node = graph.nodes.find((n) => String(n.id) === String(id));
    const next = node && tab.history.doc.subgraphs.find((s) => s.id === node.type);
    if (!next) break;
    graph = next;
    place = next.id;
    path.push(id);
  }
  return { place, path };
}

/** Any workflow JSON, in either format, as a document. @throws AppError when it is none */
export function openDocument(value: unknown, faces: NodeFaces, uuid: string): Doc {
  const read = readWorkflow(value);
  if (read.ok && read.workflow.format === "api") return documentFromPrompt(read.workflow.prompt, faces, uuid);
  return settleDocument(readDocument(value), faces);
}

/** The document as it is saved, with the view it is looked at in. */
export function saveDocument(tab: Tab): Record<string, unknown> {
  const json = writeDocument(tab.history.doc);
  const view = tab.views[""];
  const extra = typeof json.extra === "object" && json.extra !== null ? json.extra : {};
  return view ? { ...json, extra: { ...extra, ds: { scale: view.scale, offset: view.offset } } } : json;
}

const view = z.object({ scale: z.number().positive(), offset: z.tuple([z.number(), z.number()]) });

function viewOf(doc: Doc): Readonly<Record<string, View>> {
  const found = z.looseObject({ ds: view }).safeParse(doc.source.extra);
  return found.success ? { "": found.data.ds } : {};
}

const dumped = z.object({
  version: z.literal(1),
  active: z.string(),
  tabs: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      revision: z.string().nullable(),
      isSaved: z.boolean(),
      document: z.unknown(),
      path: z.array(z.union([z.string(), z.number()])),
      views: z.record(z.string(), view),
    }),
  ),
});
export type Dumped = z.infer<typeof dumped>;

/** Everything that has to survive, as plain JSON (with bigint: write it with `stringifyJson`). */
export function dumpTabs({ tabs, active }: Tabs): Dumped {
  return {
    version: 1,
    active,
    tabs: tabs.map((t) => ({
      id: t.id,
      name: t.name,
      revision: t.revision,
      isSaved: !isDirty(t) && t.saved !== undefined,
      document: writeDocument(t.history.doc),
      path: [...t.path],
      views: Object.fromEntries(
        Object.entries(t.views).map(([k, v]) => [k, { scale: v.scale, offset: [v.offset[0], v.offset[1]] as [number, number] }]),
      ),
    })),
  };
}

export interface Restored {
  readonly tabs: Tabs | undefined;
  /** A sentence for each tab that could not be read. */
  readonly lost: readonly string[];
}

/** Never throws: a tab that can't be read is named, the others are restored. */
export function restoreTabs(value: unknown, faces: NodeFaces): Restored {
  const parsed = dumped.safeParse(value);
  if (!parsed.success) return { tabs: undefined, lost: value === undefined ? [] : ["What was kept of the last session can't be read."] };
  const lost: string[] = [];
  const tabs = parsed.data.tabs.flatMap((t): Tab[] => {
    try {
      const doc = settleDocument(readDocument(t.document), faces);
      return [
        {
          id: t.id,
          name: t.name,
          revision: t.revision,
          history: startHistory(doc),
          saved: t.isSaved ? doc : undefined,
          path: t.path,
          views: t.views,
        },
      ];
    } catch (error) {
      lost.push(`${t.name} can't be restored: ${error instanceof Error ? error.message : String(error)}`);
      return [];
    }
  });
  const first = tabs[0];
  if (!first) return { tabs: undefined, lost };
  return { tabs: { tabs, active: tabs.some((t) => t.id === parsed.data.active) ? parsed.data.active : first.id }, lost };
}
