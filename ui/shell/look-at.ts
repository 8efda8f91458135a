import { type Id, nodeById } from "../doc/document.ts";
import { titleOf } from "../doc/node-layout.ts";
import type { App } from "../state/app.ts";
import { say } from "../state/toasts.ts";

/** Adds a node that shows the first output, and runs to it. */
export function lookAt(app: App, id: Id): void {
  const { editor } = app;
  const node = nodeById(editor.graph.value, id);
  const output = node?.outputs[0];
  if (!node || !output) {
    say("This node has no output to look at.");
    return;
  }
  const shows = ["PreviewImage", "PreviewAny"];
  const existing = editor.graph.value.links.find(
    (l) => String(l.origin_id) === String(id) && shows.includes(nodeById(editor.graph.value, l.target_id)?.type ?? ""),
  );
  let target = existing?.target_id;
  if (target === undefined) {
    const type = output.type === "IMAGE" ? "PreviewImage" : "PreviewAny";
    [target] = editor.add(
      {
        name: "node.add",
        args: { place: editor.place.value, type, pos: [node.pos[0] + node.size[0] + 60, node.pos[1]], from: { node: id, slot: 0 } },
      },
      `Look at ${titleOf(editor.doc.value, node)}`,
    );
  }
  if (target !== undefined) void app.runner.run({ targets: [editor.promptId(target)] });
}
