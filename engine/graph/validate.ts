// Every issue of a prompt at once, as data; a prompt without issues becomes a ValidGraph.
import { didYouMean } from "../base/did-you-mean.ts";
import { toAppError } from "../base/errors.ts";
import type { Issue } from "../base/issues.ts";
import type { Catalogue, CatalogueNode, CatalogueWidget } from "./catalogue.ts";
import { inlineKnownValues } from "./known-values.ts";
import { sourcesFirst } from "./order.ts";
import { compareIds, isLink, type Link, type Prompt, type PromptNode } from "./prompt.ts";
import { socketFeedsWidget, socketsMatch } from "./socket-match.ts";
import { ValidGraph, type ValidNode } from "./valid-graph.ts";
import { parseWidget } from "./widget-value.ts";

export interface ValidateOptions {
  /** Only these output nodes are roots. */
  readonly targets?: readonly string[];
}

export type ValidateResult =
  | { readonly ok: true; readonly graph: ValidGraph; readonly warnings: readonly Issue[] }
  | { readonly ok: false; readonly issues: readonly Issue[]; readonly warnings: readonly Issue[] };

/**
 * Checks what the output nodes reach: types, links, sockets, values, cycles. As in ComfyUI, nodes that no output needs only have to exist.
 * Issues carry `path` [node id, input name]; codes are ComfyUI's in upper case where it has one.
 */
export function validate(prompt: Prompt, catalogue: Catalogue, options: ValidateOptions = {}): ValidateResult {
  const run = new Validation(prompt, catalogue);
  const roots = run.roots(options.targets);
  const { order, cycles } = sourcesFirst(roots, (id) => run.sources(id));
  for (const cycle of cycles) run.reportCycle(cycle);
  const nodes = new Map<string, ValidNode>();
  for (const id of order) {
    const node = run.node(id);
    if (node) nodes.set(id, node);
  }
  if (run.issues.length === 0) run.issues.push(...inlineKnownValues(nodes));
  const warnings = run.warnings;
  if (run.issues.length > 0) return { ok: false, issues: run.issues, warnings };
  return { ok: true, graph: new ValidGraph(nodes, roots), warnings };
}

class Validation {
  readonly issues: Issue[] = [];
  readonly warnings: Issue[] = [];
  readonly #prompt: Prompt;
  readonly #declarations = new Map<string, CatalogueNode>();

  constructor(prompt: Prompt, catalogue: Catalogue) {
    this.#prompt = prompt;
    for (const id of Object.keys(prompt).sort(compareIds)) {
      const type = prompt[id]?.class_type ?? "";
      const declaration = catalogue.get(type);
      if (declaration) this.#declarations.set(id, declaration);
      else {
        const near = didYouMean(type, catalogue.types());
        this.#issue(
          "UNKNOWN_NODE_TYPE",
          [id],
          `node ${id} is of type ${type}, which does not exist`,
          near ? `did you mean ${near}?` : "list the types with `graph nodes`",
        );
      }
    }
  }

  roots(targets: readonly string[] | undefined): readonly string[] {
    const outputs = [...this.#declarations].filter(([, d]) => d.isOutput).map(([id]) => id);
    for (const id of targets ?? [])
      if (!this.#declarations.get(id)?.isOutput)
        this.#issue(
          "TARGET_NOT_OUTPUT",
          [id],
          `target ${id} is not an output node of this workflow`,
          `output nodes are ${outputs.join(", ")}`,
        );
    const roots = targets ? outputs.filter((id) => targets.includes(id)) : outputs;
    // With an unknown type among the nodes the output may just be that one.
    if (roots.length === 0 && this.issues.length === 0)
      this.#issue(
        "PROMPT_NO_OUTPUTS",
        [],
        "nothing in this workflow is saved or shown",
        "add an output node such as SaveImage or PreviewAny",
      );
    return roots;
  }

  /** Ids a node's links lead to, where they exist. */
  sources(id: string): string[] {
    const inputs = Object.values(this.#prompt[id]?.inputs ?? {});
    return inputs.flatMap((v) => (isLink(v) && this.#declarations.has(v[0]) ? [v[0]] : []));
  }

  reportCycle(ids: readonly string[]): void {
    const path = ids.map((id) => `${id} (${this.#prompt[id]?.class_type})`).join(" → ");
    this.#issue("DEPENDENCY_CYCLE", [ids[0] ?? ""], `these nodes wait for each other: ${path}`, "remove one of these links");
  }

  node(id: string): ValidNode | undefined {
    const declaration = this.#declarations.get(id);
    const node = this.#prompt[id];
    if (!declaration || !node) return undefined;
    const before = this.issues.length;
    const given = new Map(Object.entries(node.inputs).filter(([, v]) => v !== null && v !== undefined));
    const widgets: Record<string, unknown> = {};
    const links = new Map<string, Link>();
    for (const [name, input] of declaration.inputs) {
      const value = given.get(name);
      if (isLink(value)) {
        const fits = (type: string): boolean =>
          input.kind === "socket" ? socketsMatch(type, input.type) : socketFeedsWidget(type, input.type);
        if (this.#checkLink(id, name, value, input.type, fits)) links.set(name, value);
      } else if (input.kind === "widget") this.#checkWidget(id, input, value, widgets);
      else if (value !== undefined)
        this.#issue(
          "BAD_LINKED_INPUT",
          [id, name],
          `input ${name} of ${describe(id, node)} takes a link of type ${input.type}, not a value`,
          "connect an output to it",
        );
      else if (!input.optional)
        this.#issue(
          "REQUIRED_INPUT_MISSING",
          [id, name],
          `input ${name} of ${describe(id, node)} is not connected`,
          `connect an output of type ${input.type}`,
        );
    }
    const extra = this.#undeclared(id, node, declaration, given);
    if (this.issues.length > before) return undefined;
    this.#check(id, node, declaration, widgets);
    return { id, declaration, title: node._meta?.title ?? declaration.type, widgets, links, extra };
  }

  #checkWidget(id: string, widget: CatalogueWidget, value: unknown, widgets: Record<string, unknown>): void {
    const result = parseWidget(widget, value);
    if (result.ok) widgets[widget.name] = result.value;
    else this.#issue(result.code, [id, widget.name], result.message, result.hint);
  }

  #checkLink(id: string, name: string, [source, slot]: Link, wanted: string, fits: (type: string) => boolean): boolean {
    const node = this.#prompt[source];
    if (!Object.hasOwn(this.#prompt, source) || !node) {
      this.#issue(
        "LINKED_NODE_MISSING",
        [id, name],
        `input ${name} of node ${id} is linked to node ${source}, which does not exist`,
        "connect it to another node",
      );
      return false;
    }
    const declaration = this.#declarations.get(source);
    // A node of unknown type has been reported already.
    if (!declaration) return false;
    const output = declaration.outputs[slot];
    if (!output) {
      const slots = declaration.outputs.map((o, i) => `${i} ${o.name}`).join(", ");
      this.#issue(
        "LINKED_SLOT_MISSING",
        [id, name],
        `input ${name} of node ${id} asks for output ${slot} of ${describe(source, node)}`,
        `it has ${slots || "no outputs"}`,
      );
      return false;
    }
    if (fits(output.type)) return true;
    this.#issue(
      "RETURN_TYPE_MISMATCH",
      [id, name],
      `input ${name} of node ${id} takes ${wanted}, but ${describe(source, node)} gives ${output.type}`,
      `connect an output of type ${wanted}`,
    );
    return false;
  }

  /** Variadic links; anything else undeclared is an issue where it would change the result, else a warning. */
  #undeclared(id: string, node: PromptNode, declaration: CatalogueNode, given: ReadonlyMap<string, unknown>): ReadonlyMap<string, Link> {
    const extra: [number, string, Link][] = [];
    for (const [name, value] of given) {
      if (declaration.inputs.has(name)) continue;
      const { variadic } = declaration;
      const number = variadic && name.startsWith(variadic.prefix) ? name.slice(variadic.prefix.length) : "";
      if (variadic && isLink(value) && /^\d{1,6}$/.test(number)) {
        if (this.#checkLink(id, name, value, variadic.type, (type) => socketsMatch(type, variadic.type)))
          extra.push([Number(number), name, value]);
        continue;
      }
      const free = [...declaration.inputs.keys()].filter((n) => !given.has(n));
      const near = didYouMean(name, free);
      const known = [...declaration.inputs.keys()].join(", ") || "none";
      const message = `${describe(id, node)} has no input ${name.slice(0, 80)}`;
      const hint = near ? `did you mean ${near}?` : `its inputs are ${known}`;
      if (isLink(value) || near) this.#issue("UNKNOWN_INPUT", [id, name], message, hint);
      else this.warnings.push({ code: "UNKNOWN_INPUT", path: [id, name], message: `${message}: its value is ignored`, hint });
    }
    return new Map(extra.sort((a, b) => a[0] - b[0]).map(([, name, link]) => [name, link]));
  }

  #check(id: string, node: PromptNode, declaration: CatalogueNode, widgets: Readonly<Record<string, unknown>>): void {
    try {
      for (const { input, message, hint } of declaration.check(widgets))
        this.#issue("CUSTOM_VALIDATION_FAILED", [id, input], `${describe(id, node)}: ${message}`, hint);
    } catch (error) {
      this.#issue("EXCEPTION_DURING_VALIDATION", [id], `${describe(id, node)}: its check failed: ${toAppError(error).message}`, undefined);
    }
  }

  #issue(code: string, path: readonly (string | number)[], message: string, hint: string | undefined): void {
    this.issues.push({ code, path, message, ...(hint !== undefined && { hint }) });
  }
}

function describe(id: string, node: PromptNode): string {
  return `node ${id} (${node._meta?.title ?? node.class_type})`;
}
