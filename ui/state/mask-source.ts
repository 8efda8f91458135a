import { type DocNode, typeName } from "../doc/document.ts";
import { widgetsOf } from "../doc/widgets.ts";
import type { App } from "./app.ts";

/** The picture of a node that gives a mask and names a picture that is there; undefined when it has none to paint on. */
export function maskSource(app: App, node: DocNode): { readonly widget: string; readonly picture: string } | undefined {
  if (!node.outputs.some((o) => typeName(o.type) === "MASK")) return undefined;
  const widget = widgetsOf(app.editor.doc.value, node, app.editor.faces).find((w) => w.face.file?.kind === "input" && !w.linked);
  const picture = widget?.value;
  return widget && typeof picture === "string" && app.library.fileChoices(widget.face.file)?.includes(picture)
    ? { widget: widget.face.name, picture }
    : undefined;
}

/** Opens the mask editor on it. */
export function paintMask(app: App, node: DocNode): void {
  const source = maskSource(app, node);
  if (source) app.dialog.value = { kind: "mask", place: app.editor.place.value, node: node.id, ...source };
}
