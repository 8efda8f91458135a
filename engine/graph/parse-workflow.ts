// Workflow bytes → document, under limits. Never throws: what is wrong comes back as issues.
import { z } from "zod";
import { AppError, toAppError } from "../base/errors.ts";
import type { Issue } from "../base/issues.ts";
import { parseJson } from "../base/json.ts";
import { isLink, type Prompt } from "./prompt.ts";
import { type UiWorkflow, uiWorkflowSchema } from "./ui-workflow.ts";

export type Workflow =
  | { readonly format: "api"; readonly prompt: Prompt }
  /** `document` is the file as it was, for saving into pictures. */
  | { readonly format: "ui"; readonly ui: UiWorkflow; readonly document: unknown };

export type WorkflowResult = { readonly ok: true; readonly workflow: Workflow } | { readonly ok: false; readonly issues: readonly Issue[] };

export interface WorkflowLimits {
  readonly maxBytes: number;
  readonly maxDepth: number;
  readonly maxNodes: number;
  readonly maxLinks: number;
}

export const WORKFLOW_LIMITS: WorkflowLimits = { maxBytes: 8 << 20, maxDepth: 64, maxNodes: 2000, maxLinks: 10_000 };

/** Issues reported per document at most. */
const MAX_ISSUES = 100;
/** Characters of an id at most: ids appear in messages, paths and cache keys. */
const MAX_ID = 256;

/** Reads workflow JSON: API format (bare or as `{ prompt }`), UI 0.4, UI 1.0. 64-bit seeds stay exact (bigint). */
export function parseWorkflow(source: string | Uint8Array, limits: WorkflowLimits = WORKFLOW_LIMITS): WorkflowResult {
  try {
    if (source.length > limits.maxBytes)
      throw new AppError("WORKFLOW_TOO_LARGE", `the workflow has ${source.length} bytes, the limit is ${limits.maxBytes}`);
    const text = typeof source === "string" ? source : decode(source);
    return readWorkflow(parseJson(text, { maxCharacters: limits.maxBytes, maxDepth: limits.maxDepth }), limits);
  } catch (error) {
    const { code, message, hint } = toAppError(error);
    return refuse([issue(code, [], message, hint)]);
  }
}

/** {@link parseWorkflow} for JSON that is parsed already. */
export function readWorkflow(value: unknown, limits: WorkflowLimits = WORKFLOW_LIMITS): WorkflowResult {
  if (!isRecord(value)) return refuse([unrecognised("a workflow is a JSON object")]);
  try {
    if (Array.isArray(value.nodes)) return readUi(value, limits);
    const inner = value.prompt;
    return readApi(isRecord(inner) && typeof inner.class_type !== "string" ? inner : value, limits);
  } catch (error) {
    // Only an object nested thousands deep gets here: it exhausts the stack.
    return refuse([issue("WORKFLOW_SHAPE", [], `the workflow cannot be read: ${toAppError(error).message}`, undefined)]);
  }
}

function readUi(document: Readonly<Record<string, unknown>>, limits: WorkflowLimits): WorkflowResult {
  const parsed = uiWorkflowSchema.safeParse(document);
  if (!parsed.success) return refuse(fromZod(parsed.error));
  const ui = parsed.data;
  const graphs = [ui, ...ui.subgraphs.values()];
  const issues = [
    ...tooMany(
      "nodes",
      graphs.reduce((n, g) => n + g.nodes.size, 0),
      limits.maxNodes,
    ),
    ...tooMany(
      "links",
      graphs.reduce((n, g) => n + g.links.size, 0),
      limits.maxLinks,
    ),
  ];
  return issues.length > 0 ? refuse(issues) : { ok: true, workflow: { format: "ui", ui, document } };
}

const promptNode = z.looseObject({
  class_type: z.string().max(256),
  inputs: z.record(z.string(), z.unknown()).nullish(),
  _meta: z
    .looseObject({ title: z.string().optional().catch(undefined), name: z.string().optional().catch(undefined) })
    .transform(({ title, name }) => ({ ...(title !== undefined && { title }), ...(name !== undefined && { name }) }))
    .transform((meta) => (Object.keys(meta).length > 0 ? meta : undefined))
    .optional()
    .catch(undefined),
});

function readApi(nodes: Readonly<Record<string, unknown>>, limits: WorkflowLimits): WorkflowResult {
  const entries = Object.entries(nodes);
  if (!entries.some(([, n]) => isRecord(n) && "class_type" in n))
    return refuse([unrecognised("it has neither nodes nor anything with a class_type")]);
  const issues = [...tooMany("nodes", entries.length, limits.maxNodes)];
  const prompt: [string, Prompt[string]][] = [];
  let links = 0;
  for (const [id, node] of entries) {
    if (id.length > MAX_ID) {
      if (issues.length < MAX_ISSUES)
        issues.push(issue("WORKFLOW_SHAPE", [], `a node id has ${id.length} characters, the limit is ${MAX_ID}`, "shorten it"));
      continue;
    }
    const parsed = promptNode.safeParse(node);
    if (!parsed.success) {
      if (issues.length < MAX_ISSUES) issues.push(...fromZod(parsed.error, [id]));
      continue;
    }
    const { class_type, inputs, _meta } = parsed.data;
    links += Object.values(inputs ?? {}).filter(isLink).length;
    prompt.push([id, { class_type, inputs: inputs ?? {}, ...(_meta && { _meta }) }]);
  }
  issues.push(...tooMany("links", links, limits.maxLinks));
  return issues.length > 0 ? refuse(issues) : { ok: true, workflow: { format: "api", prompt: Object.fromEntries(prompt) } };
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new AppError("WORKFLOW_ENCODING", "the workflow is not UTF-8 text", { hint: "save it as UTF-8", cause });
  }
}

function fromZod(error: z.ZodError, at: readonly string[] = []): Issue[] {
  return error.issues.slice(0, MAX_ISSUES).map((i) => {
    const path = [...at, ...i.path.map((p) => (typeof p === "symbol" ? String(p) : p))];
    const message = `${path.join(".")}: ${i.message.replace("received undefined", "but it is missing")}`;
    return issue("WORKFLOW_SHAPE", path, message, "save it again from the editor");
  });
}

function tooMany(what: string, count: number, limit: number): Issue[] {
  return count > limit ? [issue("WORKFLOW_TOO_LARGE", [], `the workflow has ${count} ${what}, the limit is ${limit}`, "split it")] : [];
}

function unrecognised(reason: string): Issue {
  return issue(
    "WORKFLOW_FORMAT",
    [],
    `this is not a workflow: ${reason}`,
    "give a workflow saved by the editor, or a prompt in API format",
  );
}

function issue(code: string, path: readonly (string | number)[], message: string, hint: string | undefined): Issue {
  return { code, path, message, ...(hint !== undefined && { hint }) };
}

function refuse(issues: readonly Issue[]): WorkflowResult {
  return { ok: false, issues };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
