// Files that are dropped, pasted or chosen: workflows are opened, pictures become inputs, or the workflow inside them is opened.
import { parseJson } from "../../engine/base/json.ts";
import type { Target } from "../canvas/stage-types.ts";
import { readClip } from "../doc/clipboard.ts";
import { nodeById, type Point } from "../doc/document.ts";
import { ApiFailure, call } from "../net/client.ts";
import type { App } from "../state/app.ts";
import { say } from "../state/toasts.ts";

const LIMITS = { maxCharacters: 8 << 20, maxDepth: 64 };

/** `target`: what they were dropped on. On a node with a picture widget the picture goes there. */
export async function receiveFiles(app: App, files: readonly File[], pos: Point, target?: Target): Promise<void> {
  let at = pos;
  for (const file of files) {
    if (file.type === "application/json" || file.name.endsWith(".json")) openText(app, await file.text(), file.name.replace(/\.json$/, ""));
    else if (file.type.startsWith("image/")) {
      const into = imageWidget(app, target);
      if (into) await fill(app, into, file);
      else if (!(await openWorkflowIn(app, file))) {
        const image = await app.library.upload(file);
        if (image !== undefined) {
          app.editor.add({ name: "node.add", args: { place: app.editor.place.value, type: "LoadImage", pos: at, values: { image } } });
          at = [at[0] + 40, at[1] + 40];
        }
      }
    } else say(`${file.name} is neither a picture nor a workflow.`);
  }
}

/** JSON: a clip of nodes is pasted, a workflow opened. Returns whether it was either. */
export function openText(app: App, text: string, name: string, pos?: Point): boolean {
  try {
    const value = parseJson(text, LIMITS);
    const clip = readClip(value);
    if (clip && pos) app.editor.paste(pos, false, clip);
    else if (clip) return false;
    else app.editor.open(value, name);
    return true;
  } catch (error) {
    say(`${name} can't be opened: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

async function openWorkflowIn(app: App, file: File): Promise<boolean> {
  try {
    const { document } = await call("readWorkflow", { body: new Uint8Array(await file.arrayBuffer()) });
    app.editor.open(document, file.name.replace(/\.\w+$/, ""));
    say(`Opened the workflow that made ${file.name}`);
    return true;
  } catch (error) {
    if (error instanceof ApiFailure && error.code === "WORKFLOW_NONE") return false;
    say(error instanceof Error ? error.message : String(error));
    return error instanceof ApiFailure && error.code === "SERVER_GONE";
  }
}

function imageWidget(app: App, target: Target | undefined): { readonly id: string | number; readonly name: string } | undefined {
  if (!target || !("id" in target) || target.kind === "link") return undefined;
  const node = nodeById(app.editor.graph.value, target.id);
  const widget = node && app.editor.faces.get(node.type)?.inputs.find((i) => i.kind === "widget" && i.file?.kind === "input");
  return node && widget ? { id: node.id, name: widget.name } : undefined;
}

async function fill(app: App, { id, name }: { readonly id: string | number; readonly name: string }, file: File): Promise<void> {
  const value = await app.library.upload(file);
  if (value !== undefined) app.editor.perform([{ name: "widget.set", args: { place: app.editor.place.value, id, name, value } }]);
}

/** What the system clipboard holds: nodes, a workflow, or a picture for the selected node. */
export async function receivePaste(app: App, e: ClipboardEvent, pos: Point, withLinks: boolean): Promise<void> {
  const files = [...(e.clipboardData?.files ?? [])];
  if (files.length > 0) {
    const [id] = app.editor.selection.value.nodes;
    await receiveFiles(app, files, pos, id === undefined ? undefined : { kind: "node", id, part: "body" });
    return;
  }
  const text = e.clipboardData?.getData("text/plain") ?? "";
  if (text.trimStart().startsWith("{")) {
    try {
      const clip = readClip(parseJson(text, LIMITS));
      if (clip) {
        app.editor.paste(pos, withLinks, clip);
        return;
      }
    } catch {
      say("What was copied is not a workflow.");
      return;
    }
    openText(app, text, "pasted");
  } else app.editor.paste(pos, withLinks);
}
