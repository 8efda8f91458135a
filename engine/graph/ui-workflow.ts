// The file that ComfyUI's editor saves (0.4, 1.0, subgraphs), in one form. What the engine does not need stays in the raw document.
import { z } from "zod";
import { parseJson } from "../base/json.ts";

export interface UiInput {
  readonly name: string;
  readonly type: string;
  /** Link id; null when nothing is connected. */
  readonly link: string | null;
  /** The widget that this input is a socket for. */
  readonly widget: string | undefined;
}

export interface UiNode {
  readonly id: string;
  readonly type: string;
  /** 0 always, 2 mute, 4 bypass. */
  readonly mode: number;
  readonly title: string | undefined;
  /** What `%NAME.widget%` in file names calls it, where that is not its type. */
  readonly name: string | undefined;
  readonly inputs: readonly UiInput[];
  /** Types, by slot. */
  readonly outputs: readonly string[];
  readonly widgetsValues: readonly unknown[] | Readonly<Record<string, unknown>>;
  /** The same values by widget name, in files that have them; they are the more reliable ones. */
  readonly namedValues: ReadonlyMap<string, unknown> | undefined;
  /** For a subgraph instance: [inner node id, widget name]; id "-1" = the subgraph's own input of that name. */
  readonly proxyWidgets: readonly (readonly [id: string, name: string])[] | undefined;
  /** For a subgraph instance: values by input name that the editor could not place when it last opened the file, and kept. */
  readonly quarantined: ReadonlyMap<string, unknown>;
}

export interface UiLink {
  readonly origin: string;
  readonly originSlot: number;
  readonly target: string;
  readonly targetSlot: number;
}

export interface UiGraph {
  readonly nodes: ReadonlyMap<string, UiNode>;
  readonly links: ReadonlyMap<string, UiLink>;
}

export interface UiSubgraph extends UiGraph {
  readonly name: string;
  /** By slot. */
  readonly inputs: readonly { readonly name: string; readonly type: string }[];
}

export interface UiWorkflow extends UiGraph {
  /** By id, nested ones included. */
  readonly subgraphs: ReadonlyMap<string, UiSubgraph>;
}

/** Ids of a subgraph's boundary nodes. */
export const SUBGRAPH_INPUT = "-10";
export const SUBGRAPH_OUTPUT = "-20";

const id = z.union([z.string().max(256), z.int(), z.bigint()]).transform(String);
const slot = z.int().min(0);
const socketType = z
  .unknown()
  .optional()
  .transform((t) => (typeof t === "string" ? t : Array.isArray(t) ? "COMBO" : "*"));
const list = <T extends z.ZodType>(item: T) =>
  z
    .array(item)
    .nullish()
    .transform((v) => v ?? []);

const uiInput = z
  .looseObject({ name: z.string().nullish(), type: socketType, link: id.nullish(), widget: z.looseObject({ name: z.string() }).nullish() })
  .transform((i): UiInput => ({ name: i.name ?? "", type: i.type, link: i.link ?? null, widget: i.widget?.name }));

/** A third entry says which node further inside is meant. */
const proxyWidget = z.tuple([id, z.string()], z.unknown()).transform(([inner, name, further]): readonly [string, string] => {
  const deeper = z.union([z.string(), z.int()]).safeParse(further);
  return [inner, deeper.success ? `${deeper.data}: ${name}` : name];
});
const proxyWidgets = z.array(proxyWidget);
const jsonText = z.string().transform((text, ctx) => {
  try {
    return parseJson(text, { maxCharacters: 1 << 20, maxDepth: 8 });
  } catch {
    ctx.addIssue("not JSON");
    return z.NEVER;
  }
});
/** The first entry for an input wins, as in the editor. */
const quarantine = z
  .array(z.looseObject({ originalEntry: z.tuple([id, z.string()], z.unknown()), hostValue: z.unknown().optional() }))
  .transform((entries) => {
    const values = entries.flatMap(({ originalEntry: [node, name], hostValue }) =>
      node === "-1" && hostValue !== undefined && hostValue !== null ? [[name, hostValue] as const] : [],
    );
    return new Map<string, unknown>(values.reverse());
  });
/** Some properties are written as JSON inside a string. */
const property = <T>(schema: z.ZodType<T>, value: unknown): T | undefined => z.union([jsonText.pipe(schema), schema]).safeParse(value).data;

const uiNode = z
  .looseObject({
    id,
    type: z.string().max(256),
    mode: z.int().nullish(),
    title: z.string().nullish(),
    inputs: list(uiInput),
    outputs: list(z.looseObject({ type: socketType }).transform((o) => o.type)),
    widgets_values: z.union([z.array(z.unknown()), z.record(z.string(), z.unknown())]).nullish(),
    widgets_values_named: z.record(z.string(), z.unknown()).nullish().catch(undefined),
    properties: z.looseObject({ proxyWidgets: z.unknown().optional(), proxyWidgetErrorQuarantine: z.unknown().optional() }).nullish(),
  })
  .transform((n): UiNode => {
    const named = Object.entries(n.widgets_values_named ?? {}).filter(([, value]) => value !== null && value !== undefined);
    return {
      id: n.id,
      type: n.type,
      mode: n.mode ?? 0,
      title: n.title ?? undefined,
      name: property(z.string().max(256), n.properties?.["Node name for S&R"]),
      inputs: n.inputs,
      outputs: n.outputs,
      widgetsValues: n.widgets_values ?? [],
      namedValues: named.length > 0 ? new Map(named) : undefined,
      proxyWidgets: property(proxyWidgets, n.properties?.proxyWidgets),
      quarantined: property(quarantine, n.properties?.proxyWidgetErrorQuarantine) ?? new Map(),
    };
  });

const linkArray = z
  .tuple([id, id, slot, id, slot], z.unknown())
  .transform(([link, origin, originSlot, target, targetSlot]) => [link, { origin, originSlot, target, targetSlot }] as const);
const linkObject = z
  .looseObject({ id, origin_id: id, origin_slot: slot, target_id: id, target_slot: slot })
  .transform((l) => [l.id, { origin: l.origin_id, originSlot: l.origin_slot, target: l.target_id, targetSlot: l.target_slot }] as const);
/** The editor writes null for a link that was deleted. */
const links = list(z.union([linkArray, linkObject]).nullable()).transform((all) => new Map<string, UiLink>(all.filter((l) => l !== null)));

const graph = z.looseObject({ nodes: z.array(uiNode), links });

type Definitions = { readonly subgraphs: ReadonlyMap<string, UiSubgraph> };
const noDefinitions: Definitions = { subgraphs: new Map() };

const definitions: z.ZodType<Definitions> = z.lazy(() =>
  z.looseObject({ subgraphs: list(subgraph) }).transform((d): Definitions => ({ subgraphs: new Map(d.subgraphs.flat()) })),
);
const subgraph = graph
  .extend({
    id,
    name: z.string().nullish(),
    inputs: list(z.looseObject({ name: z.string().nullish(), type: socketType }).transform((i) => ({ name: i.name ?? "", type: i.type }))),
    definitions: definitions.nullish(),
  })
  .transform((s): [string, UiSubgraph][] => [
    [s.id, { name: s.name ?? s.id, nodes: byId(s.nodes), links: s.links, inputs: s.inputs }],
    ...(s.definitions ?? noDefinitions).subgraphs,
  ]);

/** Reads either version; unknown keys are ignored. */
export const uiWorkflowSchema: z.ZodType<UiWorkflow> = graph
  .extend({ definitions: definitions.nullish() })
  .transform((w): UiWorkflow => ({ nodes: byId(w.nodes), links: w.links, subgraphs: (w.definitions ?? noDefinitions).subgraphs }));

function byId(nodes: readonly UiNode[]): ReadonlyMap<string, UiNode> {
  return new Map(nodes.map((n) => [n.id, n]));
}
