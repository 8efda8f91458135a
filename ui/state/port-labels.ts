// Names that a model file gives to the sockets of the nodes it feeds.
import { computed, type ReadonlySignal, signal } from "@preact/signals";
import { type DocGraph, type DocNode, linkById, nodeById } from "../doc/document.ts";
import { widgetsOf } from "../doc/widgets.ts";
import { call } from "../net/client.ts";
import type { Editor } from "./editor.ts";

export interface PortLabels {
  readonly inputLabels: Readonly<Record<string, string>>;
  readonly outputLabels: Readonly<Record<string, string>>;
}

/** Read when a node first asks for them. */
export class ModelPorts {
  readonly #editor: Editor;
  readonly #known = signal<ReadonlyMap<string, PortLabels | undefined>>(new Map());
  readonly labels: ReadonlySignal<(node: DocNode) => PortLabels | undefined>;

  constructor(editor: Editor) {
    this.#editor = editor;
    this.labels = computed(() => {
      const known = this.#known.value;
      return (node) => this.#portsOf(node, editor.graph.value, known);
    });
  }

  /** ApplyOnnx shows the inputs and outputs of the file that feeds it; a node that names an .onnx itself shows its own. */
  #portsOf(node: DocNode, graph: DocGraph, known: ReadonlyMap<string, PortLabels | undefined>): PortLabels | undefined {
    const named = onnxFile(node, this.#editor) ?? (node.type === "ApplyOnnx" ? feeding(node, graph, this.#editor) : undefined);
    if (!named) return undefined;
    const key = `${named.folder}/${named.name}`;
    if (!known.has(key)) void this.#readPorts(named, key);
    return known.get(key);
  }

  async #readPorts(file: { readonly folder: string; readonly name: string }, key: string): Promise<void> {
    await Promise.resolve();
    if (this.#known.value.has(key)) return;
    this.#known.value = new Map(this.#known.value).set(key, undefined);
    try {
      const { inputs, outputs } = await call("model", { params: file });
      const named = (ports: typeof inputs, prefix: string): Record<string, string> =>
        Object.fromEntries(ports.map((p, i) => [`${prefix}_${i + 1}`, `${p.name} · ${p.dtype} ${p.shape.join("×")}`]));
      this.#known.value = new Map(this.#known.value).set(key, {
        inputLabels: named(inputs, "input"),
        outputLabels: named(outputs, "output"),
      });
    } catch {
      // The check says that the file is missing.
    }
  }
}

function onnxFile(node: DocNode, editor: Editor): { readonly folder: string; readonly name: string } | undefined {
  const widget = editor.faces.get(node.type)?.inputs.find((i) => i.kind === "widget" && i.file?.kind === "model");
  if (widget?.kind !== "widget" || widget.file?.kind !== "model") return undefined;
  const value = widgetsOf(editor.doc.peek(), node, editor.faces).find((w) => w.face.name === widget.name)?.value;
  return typeof value === "string" && value.endsWith(".onnx") ? { folder: widget.file.folder, name: value } : undefined;
}

function feeding(node: DocNode, graph: DocGraph, editor: Editor): { readonly folder: string; readonly name: string } | undefined {
  for (const input of node.inputs) {
    const link = linkById(graph, input.link);
    const source = link && nodeById(graph, link.origin_id);
    const file = source && onnxFile(source, editor);
    if (file) return file;
  }
  return undefined;
}
