// What the editor knows about a node type: the declaration, read for people.
import type { CatalogueNode, FileKind, WidgetType } from "../../engine/graph/catalogue.ts";
import type { Registry } from "../../engine/node/registry.ts";
import { describeWidget } from "../../engine/node/widget-type.ts";

export interface WidgetFace {
  readonly kind: "widget";
  readonly name: string;
  readonly type: WidgetType;
  readonly default: unknown;
  readonly min?: number | bigint;
  readonly max?: number | bigint;
  readonly step?: number;
  readonly options?: readonly (string | number)[];
  readonly multiline: boolean;
  readonly slider: boolean;
  readonly file?: FileKind;
  /** A `control_after_generate` entry follows the value. */
  readonly control: boolean;
  readonly tooltip?: string;
  /** It exists only while others have one of these values: it has no entry in the file else. */
  readonly when?: Readonly<Record<string, readonly string[]>>;
  /** It is read only while others have one of these values; it keeps its entry. */
  readonly readWhen?: Readonly<Record<string, readonly string[]>>;
}

export interface SocketFace {
  readonly kind: "socket";
  readonly name: string;
  readonly type: string;
  readonly optional: boolean;
  readonly tooltip?: string;
}

export type InputFace = WidgetFace | SocketFace;

export interface NodeFace {
  readonly type: string;
  readonly category: string;
  readonly summary: string;
  readonly isOutput: boolean;
  readonly stage?: "experimental" | "deprecated";
  /** Only on the canvas: never executed. */
  readonly isVirtual: boolean;
  readonly inputs: readonly InputFace[];
  readonly outputs: readonly { readonly name: string; readonly type: string }[];
  readonly variadic?: { readonly prefix: string; readonly type: string };
  /** What the engine reads the file by; nodes of the canvas have none. */
  readonly entry?: CatalogueNode;
}

export interface NodeFaces {
  get(type: string): NodeFace | undefined;
  /** Every node a person can add, in the order of the palette. */
  all(): readonly NodeFace[];
}

const virtual = (type: string, summary: string, inputs: readonly InputFace[], outputs: NodeFace["outputs"]): NodeFace => ({
  type,
  category: "canvas",
  summary,
  isOutput: false,
  isVirtual: true,
  inputs,
  outputs,
});
const text: WidgetFace = { kind: "widget", name: "text", type: "STRING", default: "", multiline: true, slider: false, control: false };

/** ComfyUI's nodes that exist on the canvas only. A PrimitiveNode's widget comes from what it is connected to. */
const VIRTUAL: readonly NodeFace[] = [
  virtual("Note", "A note to whoever reads the graph.", [text], []),
  virtual("MarkdownNote", "A note in Markdown.", [text], []),
  virtual("Reroute", "A bend in a link.", [{ kind: "socket", name: "", type: "*", optional: true }], [{ name: "", type: "*" }]),
];

/** Reads every declaration once. */
export function nodeFaces(registry: Registry): NodeFaces {
  const faces = new Map<string, NodeFace>();
  for (const type of registry.types()) {
    const node = registry.node(type);
    const entry = registry.get(type);
    if (!node || !entry) continue;
    const inputs = Object.entries(node.inputs).map(([name, spec]): InputFace => {
      if (spec.kind === "socket")
        return {
          kind: "socket",
          name,
          type: spec.socket.name,
          optional: spec.optional,
          ...(spec.tooltip !== undefined && { tooltip: spec.tooltip }),
        };
      const about = describeWidget(spec.schema);
      const { hints } = spec;
      return {
        kind: "widget",
        name,
        type: about?.type ?? "STRING",
        default: plain(about?.default) ?? (about?.type === "COMBO" ? about.options?.[0] : about?.type === "STRING" ? "" : undefined),
        ...(about?.min !== undefined && { min: about.min }),
        ...(about?.max !== undefined && { max: about.max }),
        ...(hints.step !== undefined && { step: hints.step }),
        ...(about?.options && { options: about.options }),
        multiline: hints.multiline ?? false,
        slider: hints.display === "slider",
        ...(hints.file && { file: hints.file }),
        control: hints.controlAfterGenerate ?? false,
        ...(hints.tooltip !== undefined && { tooltip: hints.tooltip }),
        ...(hints.when && { when: hints.when }),
        ...(hints.onlyFor && { readWhen: { [hints.onlyFor.input]: hints.onlyFor.values } }),
      };
    });
    faces.set(type, {
      type,
      category: node.category,
      summary: node.summary,
      isOutput: entry.isOutput,
      ...(node.stage && { stage: node.stage }),
      isVirtual: false,
      inputs,
      outputs: entry.outputs,
      ...(entry.variadic && { variadic: entry.variadic }),
      entry,
    });
  }
  for (const face of VIRTUAL) if (!faces.has(face.type)) faces.set(face.type, face);
  const all = [...faces.values()];
  return { get: (type) => faces.get(type), all: () => all };
}

/** A bigint default is written as a number wherever nothing is lost. */
function plain(value: unknown): unknown {
  return typeof value === "bigint" && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value;
}
