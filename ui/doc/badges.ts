// What stands above a node's title: its number, where it comes from, whether it is settled.
import { type Doc, type DocNode, INPUT_NODE, OUTPUT_NODE, sameId, subgraphOf } from "./document.ts";
import type { NodeFaces } from "./node-face.ts";

/** `special`: what is out of the ordinary; `ids`: the numbers too, as records and the command line name nodes. */
export const BADGES = ["special", "ids", "none"] as const;
export type Badges = (typeof BADGES)[number];

/** Short words, in the order they are drawn. */
export function badgesOf(doc: Doc, node: DocNode, faces: NodeFaces, shown: Badges): readonly string[] {
  if (shown === "none" || sameId(node.id, INPUT_NODE) || sameId(node.id, OUTPUT_NODE)) return [];
  const face = faces.get(node.type);
  const source = face || subgraphOf(doc, node) ? undefined : sourceOf(node);
  return [...(shown === "ids" ? [`#${node.id}`] : []), ...(source === undefined ? [] : [source]), ...(face?.stage ? [face.stage] : [])];
}

/** The package that a file says a node is from, as ComfyUI writes it; undefined for ComfyUI's own nodes, and where it does not say. */
export function sourceOf({ properties }: Pick<DocNode, "properties">): string | undefined {
  const { cnr_id: registered, aux_id: repository } = properties;
  const named = [registered, repository].find((id): id is string => typeof id === "string" && id !== "");
  return named === "comfy-core" ? undefined : named;
}
