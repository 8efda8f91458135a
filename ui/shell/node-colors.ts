import type { App } from "../state/app.ts";

/** Colours for nodes and groups, as ComfyUI's files name them. */
export const NODE_COLORS: readonly { readonly name: string; readonly color: string }[] = [
  { name: "Red", color: "#553333" },
  { name: "Brown", color: "#593930" },
  { name: "Green", color: "#335533" },
  { name: "Blue", color: "#333355" },
  { name: "Pale blue", color: "#3f5159" },
  { name: "Cyan", color: "#335555" },
  { name: "Purple", color: "#553355" },
  { name: "Yellow", color: "#665533" },
];

export function colorSelection(app: App, color: string | undefined): void {
  app.editor.perform([{ name: "node.color", args: { place: app.editor.place.value, ids: app.editor.selection.value.nodes, color } }]);
}
