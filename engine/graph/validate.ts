// Every issue of a prompt at once, as data; a prompt without issues becomes a ValidGraph.
import { didYouMean } from "../base/did-you-mean.ts";
import { toAppError } from "../base/errors.ts";
import type { Issue } from "../base/issues.ts";
import { type Catalogue, type CatalogueNode, type CatalogueWidget, isThere } from "./catalogue.ts";
import { inlineKnownValues } from "./inline-known-values.ts";
import { compareIds, isLink, type Link, type Prompt, type PromptNode, unwrapValue } from "./prompt.ts";
import { socketFeedsWidget, socketsMatch, takesAnything } from "./socket-match.ts";
import { sourcesFirst } from "./sources-first.ts";
import { consumersOf, reach, ValidGraph, type ValidNode } from "./valid-graph.ts";
import { isEditorOnly } from "./widget-positions.ts";
import { parseWidget } from "./widget-value.ts";

export interface ValidateOptions {
  /** Only these output nodes are roots. */
  readonly targets?: readonly string[];
}

/** An issue, and the outputs that it stops: ComfyUI's `dependent_outputs`. */
export interface GraphIssue extends Issue {
  readonly outputs: readonly string[];
}

export interface ValidateResult {
  /** Nothing is wrong. A graph with issues may still be run while it has outputs: the issues stop only the others. */
  readonly ok: boolean;
  readonly graph: ValidGraph;
  readonly issues: readonly GraphIssue[];
  readonly warnings: readonly Issue[];
}

/** Findings listed at most; the rest is counted. */
export const MAX_FINDINGS = 200;
/** Nodes of a cycle that its message names. */
const SHOWN = 12;

/**
 * Checks what the output nodes reach: types, links, sockets, values, cycles. As in ComfyUI, an output is run when everything it needs
 * is right, whatever is wrong with others. What no output needs is at most a warning: nodes of unknown type, and the branch that a
 * switch in a known position does not take. Issues carry `path` [node id, input name]; codes are ComfyUI's in upper case where it has one.
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
  for (const issue of inlineKnownValues(nodes)) run.add(issue);
  return run.result(nodes, order, roots);
}

class Validation {
  readonly #prompt: Prompt;
  readonly #catalogue: Catalogue;
  readonly #declarations = new Map<string, CatalogueNode>();
  readonly #issues: Issue[] = [];
  readonly #warnings: Issue[] = [];
  /** Issues with the request itself, not with a node. */
  readonly #general: Issue[] = [];
  #found = 0;
  #uncounted = { issues: 0, warnings: 0 };
  /** Nodes with an issue, whether or not it is listed. */
  readonly #bad = new Set<string>();

  constructor(prompt: Prompt, catalogue: Catalogue) {
    this.#prompt = prompt;
    this.#catalogue = catalogue;
    for (const id of Object.keys(prompt).sort(compareIds)) {
      const declaration = catalogue.get(prompt[id]?.class_type ?? "");
      if (declaration) this.#declarations.set(id, declaration);
    }
  }

  add(issue: Issue): void {
    this.#found++;
    const [id] = issue.path;
    if (typeof id === "string") this.#bad.add(id);
    if (this.#issues.length < MAX_FINDINGS) this.#issues.push(issue);
    else this.#uncounted.issues++;
  }

  #warn(warning: () => Issue): void {
    if (this.#warnings.length < MAX_FINDINGS) this.#warnings.push(warning());
    else this.#uncounted.warnings++;
  }

  /** What can run, and what stops the rest. */
  result(nodes: ReadonlyMap<string, ValidNode>, order: readonly string[], roots: readonly string[]): ValidateResult {
    // An invalid node keeps all its links, because it is unknown which of them it needs.
    const links = new Map(
      order.map((id) => [id, nodes.get(id) ?? { links: new Map(this.sources(id).map((s) => [s, [s, 0] as const])), extra: new Map() }]),
    );
    const consumers = consumersOf(links);
    const sources = new Map([...links].map(([id, n]) => [id, [...n.links.values(), ...n.extra.values()].map(([source]) => source)]));
    const needed = reach(roots, sources);
    const unknown = Object.keys(this.#prompt)
      .sort(compareIds)
      .filter((id) => !this.#declarations.has(id));
    // Without any output, the node of unknown type may be the one.
    const stops = (id: string): boolean => needed.has(id) || roots.length === 0;
    for (const id of unknown)
      if (!needed.has(id) && roots.length > 0) this.#warn(() => this.#unknownType(id, "; nothing that runs needs it"));
    const own = this.#issues.splice(0);
    for (const id of unknown) if (stops(id)) this.add(this.#unknownType(id, ""));
    for (const issue of own) {
      const [id] = issue.path;
      if (typeof id === "string" && needed.has(id)) this.add(issue);
      else this.#warn(() => ({ ...issue, message: `${issue.message}; nothing that runs needs it` }));
    }
    const bad = [...this.#bad].filter((id) => needed.has(id));
    const spoiled = reach(bad, consumers);
    const outputsOf = (id: string): readonly string[] => {
      const reached = reach([id], consumers);
      return roots.filter((root) => reached.has(root));
    };
    const issues: GraphIssue[] = this.#general.map((issue) => ({ ...issue, outputs: [] }));
    for (const issue of this.#issues) issues.push({ ...issue, outputs: outputsOf(String(issue.path[0] ?? "")) });
    const { issues: more, warnings: moreWarnings } = this.#uncounted;
    if (more > 0) issues.push({ ...tooMany("TOO_MANY_ISSUES", more, "issues"), outputs: roots.filter((root) => spoiled.has(root)) });
    const warnings = [...this.#warnings, ...(moreWarnings > 0 ? [tooMany("TOO_MANY_WARNINGS", moreWarnings, "warnings")] : [])];
    const skipped = roots.flatMap((id) => {
      const type = this.#prompt[id]?.class_type ?? "";
      return spoiled.has(id) ? [{ id, type, title: this.#prompt[id]?._meta?.title ?? type }] : [];
    });
    const right = new Map([...nodes].filter(([id]) => needed.has(id) && !this.#bad.has(id)));
    const graph = new ValidGraph(
      right,
      roots.filter((id) => !spoiled.has(id)),
      skipped,
    );
    return { ok: issues.length === 0, graph, issues, warnings };
  }

  #unknownType(id: string, more: string): Issue {
    const type = this.#prompt[id]?.class_type ?? "";
    const near = didYouMean(type, this.#catalogue.types());
    return {
      code: "UNKNOWN_NODE_TYPE",
      path: [id],
      message: `node ${id} is of type ${type}, which does not exist${more}`,
      hint: near ? `did you mean ${near}?` : "list the types with `graph nodes`",
    };
  }

  roots(targets: readonly string[] | undefined): readonly string[] {
    const outputs = [...this.#declarations].filter(([, d]) => d.isOutput).map(([id]) => id);
    for (const id of new Set(targets))
      if (!this.#declarations.get(id)?.isOutput && this.#general.length < MAX_FINDINGS)
        this.#general.push({
          code: "TARGET_NOT_OUTPUT",
          path: [id],
          message: `target ${id} is not an output node of this workflow`,
          hint: `output nodes are ${outputs.slice(0, SHOWN).join(", ")}`,
        });
    const roots = targets ? outputs.filter((id) => targets.includes(id)) : outputs;
    // A node of unknown type may be the missing output.
    if (roots.length === 0 && this.#general.length === 0 && this.#declarations.size === Object.keys(this.#prompt).length)
      this.#general.push({
        code: "PROMPT_NO_OUTPUTS",
        path: [],
        message: "nothing in this workflow is saved or shown",
        hint: "add an output node such as SaveImage or PreviewAny",
      });
    return roots;
  }

  /** Ids a node's links lead to, where they exist. */
  sources(id: string): string[] {
    const inputs = Object.values(this.#prompt[id]?.inputs ?? {});
    return inputs.flatMap((v) => (isLink(v) && Object.hasOwn(this.#prompt, v[0]) ? [v[0]] : []));
  }

  reportCycle(ids: readonly string[]): void {
    const shown = ids.length > SHOWN ? [...ids.slice(0, SHOWN), "…", ...ids.slice(-1)] : ids;
    const path = shown.map((id) => (id === "…" ? id : `${id} (${this.#prompt[id]?.class_type})`)).join(" → ");
    this.#issue("DEPENDENCY_CYCLE", [ids[0] ?? ""], `these nodes wait for each other: ${path}`, "remove one of these links");
  }

  node(id: string): ValidNode | undefined {
    const declaration = this.#declarations.get(id);
    const node = this.#prompt[id];
    if (!declaration || !node) return undefined;
    const before = this.#found;
    // No link is null as well as absent; a value that is null is none, and no reason to take another one.
    const isWidget = (name: string): boolean => declaration.inputs.get(name)?.kind === "widget";
    const given = new Map(Object.entries(node.inputs).filter(([name, v]) => v !== undefined && (v !== null || isWidget(name))));
    const widgets: Record<string, unknown> = {};
    const links = new Map<string, Link>();
    for (const [name, input] of declaration.inputs) {
      const value = given.get(name);
      if (isLink(value)) {
        const fits = (type: string): boolean =>
          input.kind === "socket" ? socketsMatch(type, input.type) : socketFeedsWidget(type, input.type);
        if (this.#checkLink(id, name, value, input.type, fits)) links.set(name, value);
      } else if (input.kind === "widget")
        this.#checkWidget(id, input, isThere(input, (other) => widgets[other]) ? value : undefined, widgets);
      else if (value !== undefined && takesAnything(input.type)) widgets[name] = unwrapValue(value);
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
    if (this.#found > before) return undefined;
    this.#check(id, node, declaration, widgets);
    return { id, declaration, title: node._meta?.title ?? declaration.type, widgets, links, extra };
  }

  #checkWidget(id: string, widget: CatalogueWidget, value: unknown, widgets: Record<string, unknown>): void {
    const result = parseWidget(widget, value);
    if (result.ok) {
      widgets[widget.name] = result.value;
      const { note } = result;
      if (note !== undefined)
        this.#warn(() => ({ code: "VALUE_CHANGED", path: [id, widget.name], message: note, hint: "put that number into the workflow" }));
    } else this.#issue(result.code, [id, widget.name], result.message, result.hint);
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
    // A node of unknown type is reported once, as itself: the link leads to it.
    if (!declaration) return true;
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
    let free: string[] | undefined;
    let undeclared = 0;
    for (const [name, value] of given) {
      if (declaration.inputs.has(name) || isEditorOnly(name, value)) continue;
      const { variadic } = declaration;
      const number = variadic && name.startsWith(variadic.prefix) ? name.slice(variadic.prefix.length) : "";
      if (variadic && isLink(value) && /^\d{1,6}$/.test(number)) {
        if (this.#checkLink(id, name, value, variadic.type, (type) => socketsMatch(type, variadic.type)))
          extra.push([Number(number), name, value]);
        continue;
      }
      free ??= [...declaration.inputs.keys()].filter((n) => !given.has(n));
      // Among thousands of undeclared inputs there is no point in looking for misspellings.
      const near = ++undeclared <= MAX_FINDINGS ? didYouMean(name, free) : undefined;
      const known = [...declaration.inputs.keys()].join(", ") || "none";
      const message = `${describe(id, node)} has no input ${name.slice(0, 80)}`;
      const hint = near ? `did you mean ${near}?` : `its inputs are ${known}`;
      if (isLink(value) || near) this.#issue("UNKNOWN_INPUT", [id, name.slice(0, 256)], message, hint);
      else
        this.#warn(() => ({
          code: "UNKNOWN_INPUT",
          path: [id, name.slice(0, 256)],
          message: `${message}: its value is ignored`,
          hint,
        }));
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
    this.add({ code, path, message, ...(hint !== undefined && { hint }) });
  }
}

function tooMany(code: string, count: number, what: string): Issue {
  return { code, path: [], message: `${count} more ${what} are not listed`, hint: "mend the first ones, then validate again" };
}

function describe(id: string, node: PromptNode): string {
  return `node ${id} (${node._meta?.title ?? node.class_type})`;
}
