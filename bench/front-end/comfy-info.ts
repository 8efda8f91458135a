import { type InputInfo, type NodeInfo, objectInfo } from "../../engine/node/object-info.ts";
import type { Registry } from "../../engine/node/registry.ts";

export type ComfyInfo = Record<string, NodeInfo & { readonly defaults: Readonly<Record<string, unknown>> }>;

/** Widgets that the published files were saved without: a list by position would shift. */
const LATER: Readonly<Record<string, string>> = { "scale total pixels": "resize_type.multiple" };

/** `/object_info` as ComfyUI's own server words it: without the widgets that only we have, and with the widgets of one choice inside that choice. */
export function comfyInfo(registry: Registry): ComfyInfo {
  const info = objectInfo(registry, (folder) => (folder === "input" ? ["a.png", "b.png"] : ["a.safetensors", "b.safetensors"]));
  return Object.fromEntries(
    Object.entries(info).map(([type, node]) => {
      const widgets = registry.get(type)?.inputs ?? new Map();
      const required = Object.fromEntries(
        Object.entries(node.input.required).flatMap(([name, spec]): [string, InputInfo][] => {
          const widget = widgets.get(name);
          if (widget?.ours || name.includes(".")) return [];
          const own = Object.entries({ ...node.input.required, ...node.input.optional }).filter(([other]) => other.startsWith(`${name}.`));
          if (own.length === 0) return [[name, spec]];
          const options = (Array.isArray(spec[0]) ? spec[0] : []).map((key) => ({
            key,
            inputs: {
              required: Object.fromEntries(
                own.flatMap(([other, inner]): [string, InputInfo][] => {
                  const when: readonly string[] | undefined = widgets.get(other)?.when?.[name];
                  if (LATER[String(key)] === other) return [];
                  return when === undefined || when.includes(String(key)) ? [[other.slice(name.length + 1), inner]] : [];
                }),
              ),
            },
          }));
          return [[name, ["COMFY_DYNAMICCOMBO_V3", { options }]]];
        }),
      );
      const optional = Object.fromEntries(Object.entries(node.input.optional).filter(([name]) => !name.includes(".")));
      const defaults = Object.fromEntries(
        Object.entries(node.input.required).map(([name, [choices, about]]) => [
          name,
          about.default ?? (Array.isArray(choices) ? choices[0] : undefined),
        ]),
      );
      const order = { required: Object.keys(required), optional: Object.keys(optional), hidden: [] };
      return [type, { ...node, input: { required, optional, hidden: {} }, input_order: order, defaults }];
    }),
  );
}
