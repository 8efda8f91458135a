// ComfyUI's GET /object_info, made from the declarations.
import type { AnyDeclaration, WidgetInput } from "./define-node.ts";
import type { Registry } from "./registry.ts";
import { describeWidget } from "./widget-type.ts";

/** `[TYPE, options]`. A combo's type is the array of its options, which every client understands. */
export type InputInfo = readonly [string | readonly (string | number)[], Readonly<Record<string, unknown>>];

export interface NodeInfo {
  readonly input: {
    readonly required: Readonly<Record<string, InputInfo>>;
    readonly optional: Readonly<Record<string, InputInfo>>;
    readonly hidden: Readonly<Record<string, never>>;
  };
  readonly input_order: { readonly required: readonly string[]; readonly optional: readonly string[]; readonly hidden: readonly string[] };
  readonly output: readonly string[];
  readonly output_is_list: readonly boolean[];
  readonly output_name: readonly string[];
  readonly name: string;
  readonly display_name: string;
  readonly description: string;
  readonly python_module: string;
  readonly category: string;
  readonly output_node: boolean;
  readonly deprecated?: true;
  readonly experimental?: true;
  readonly search_aliases: readonly string[];
}

/** Every node by type. `files` lists the choices of widgets that name files (`input`, or a model folder). JSON-safe. */
export function objectInfo(registry: Registry, files: (folder: string) => readonly string[] = () => []): Record<string, NodeInfo> {
  const out: Record<string, NodeInfo> = {};
  for (const type of registry.types()) {
    const node = registry.node(type);
    if (node) out[type] = nodeInfo(node, files);
  }
  return out;
}

/** One node of {@link objectInfo}. Widgets count as required, as in ComfyUI, so that their order is kept. */
export function nodeInfo(node: AnyDeclaration, files: (folder: string) => readonly string[] = () => []): NodeInfo {
  const required: Record<string, InputInfo> = {};
  const optional: Record<string, InputInfo> = {};
  for (const [name, spec] of Object.entries(node.inputs)) {
    if (spec.kind === "widget") required[name] = widgetInfo(spec, files);
    else (spec.optional ? optional : required)[name] = [spec.socket.name, spec.tooltip ? { tooltip: spec.tooltip } : {}];
  }
  return {
    input: { required, optional, hidden: {} },
    input_order: { required: Object.keys(required), optional: Object.keys(optional), hidden: [] },
    output: Object.values(node.outputs).map((s) => s.name),
    output_is_list: Object.keys(node.outputs).map(() => false),
    output_name: Object.keys(node.outputs),
    name: node.type,
    display_name: node.type,
    description: node.summary,
    python_module: "nodes",
    category: node.category,
    output_node: node.isOutput ?? false,
    ...(node.stage === "deprecated" && { deprecated: true }),
    ...(node.stage === "experimental" && { experimental: true }),
    search_aliases: [],
  };
}

function widgetInfo({ schema, hints }: WidgetInput<unknown>, files: (folder: string) => readonly string[]): InputInfo {
  const about = describeWidget(schema);
  const { tooltip, multiline, step, display, onlyFor } = hints;
  const options = {
    ...(about?.default !== undefined && { default: jsonSafe(about.default) }),
    ...(about?.min !== undefined && { min: jsonSafe(about.min) }),
    ...(about?.max !== undefined && { max: jsonSafe(about.max) }),
    ...(tooltip && { tooltip }),
    ...(multiline && { multiline }),
    ...(step !== undefined && { step }),
    ...(display && { display }),
    ...(onlyFor && { only_for: onlyFor }),
    ...(hints.controlAfterGenerate && { control_after_generate: true }),
    ...(hints.file?.kind === "input" && { image_upload: true }),
  };
  if (hints.file) return [files(hints.file.kind === "input" ? "input" : hints.file.folder), options];
  return [about?.options ?? about?.type ?? "STRING", options];
}

/** 64-bit bounds are rounded to doubles, as every client's JSON.parse would do. */
function jsonSafe(value: unknown): unknown {
  return typeof value === "bigint" ? Number(value) : value;
}
