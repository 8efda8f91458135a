// A deterministic text of a graph: equal graphs print equally, whatever builder made them.
import { sha256 } from "../base/hash.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { bytesOfTensor } from "../tensor/tensor.ts";
import { attrsText, attrText } from "./attr-text.ts";
import { reach } from "./graph.ts";
import type { Attrs, Graph, Value } from "./value.ts";

export interface PrintOptions {
  /** "identity": weights by name and source; "position": by order of first use, so that equal layers print equally; or what to call each. */
  readonly weights?: "identity" | "position" | ((weight: Value) => string);
  /** False leaves the scopes out. */
  readonly scopes?: boolean;
}

/** Constants up to this many elements are printed in full, larger ones by hash. */
const INLINE = 8;

/**
 * One line per leaf (at its first use) and node, then the outputs:
 * `%2 = MatMul(%0, %1) : float32[4,8]  # transformer_blocks.0`. Values are numbered in that order.
 */
export function printGraph(graph: Graph, options: PrintOptions = {}): string {
  const lines: string[] = [];
  const numbers = new Map<number, string>();
  let positions = 0;
  const define = (v: Value): string => {
    const name = `%${numbers.size}`;
    numbers.set(v.id, name);
    return name;
  };
  const use = (v: Value): string => {
    const known = numbers.get(v.id);
    if (known) return known;
    const name = define(v);
    lines.push(`${name} = ${leafText(v, options.weights === "position" ? () => `#${positions++}` : options.weights)} : ${typeText(v)}`);
    return name;
  };
  for (const node of reach(graph).nodes) {
    const inputs = node.inputs.map((v) => (v ? use(v) : "-")).join(", ");
    const outputs = node.outputs.map(define).join(", ");
    const scope = node.scope !== "" && options.scopes !== false ? `  # ${node.scope}` : "";
    lines.push(`${outputs} = ${node.op}(${inputs})${attributes(node.attrs)} : ${node.outputs.map(typeText).join(", ")}${scope}`);
  }
  const outputs = Object.entries(graph.outputs).map(([name, v]) => `${JSON.stringify(name)}=${use(v)}`);
  return `${[...lines, `return ${outputs.join(", ")}`].join("\n")}\n`;
}

/** SHA-256 of the printed graph without scopes: graphs with equal hashes share sessions and segments. */
export function hashGraph(graph: Graph, options: Pick<PrintOptions, "weights"> = {}): string {
  return sha256(printGraph(graph, { ...options, scopes: false }));
}

function typeText(v: Value): string {
  return `${v.dtype}[${v.shape}]`;
}

function leafText(v: Value, weight: "identity" | ((v: Value) => string) | undefined): string {
  switch (v.def.kind) {
    case "input":
      return `input ${JSON.stringify(v.def.name)}`;
    case "weight": {
      if (typeof weight === "function") return `weight ${weight(v)}`;
      const { source } = v.def;
      const where =
        source.kind === "file"
          ? `${JSON.stringify(source.path)}@${source.offset}+${source.length}${source.packing ? ` ${source.packing}` : ""}`
          : contentHash(source.tensor);
      return `weight ${JSON.stringify(v.def.name)} ${where}`;
    }
    case "constant":
      return `constant ${constantText(v.def.tensor)}`;
    case "node":
      return `node ${v.def.node.id}`;
  }
}

function constantText(t: Tensor): string {
  return t.data.length <= INLINE && !t.dtype.includes("float16")
    ? `(${Array.from(t.data, (x: number | bigint) => (typeof x === "bigint" ? String(x) : attrText(x))).join(",")})`
    : contentHash(t);
}

function attributes(attrs: Attrs): string {
  const text = attrsText(attrs);
  return text === "" ? "" : ` {${text}}`;
}

// Tensors are immutable once in a graph, so one hash each is enough.
const hashes = new WeakMap<Tensor, string>();

function contentHash(t: Tensor): string {
  let hash = hashes.get(t);
  if (hash === undefined) {
    hash = sha256(bytesOfTensor(t)).slice(0, 32);
    hashes.set(t, hash);
  }
  return hash;
}
