// What is wrong with the graph, while it is drawn: the CLI's own validation, run in the page.
import type { Issue } from "../../engine/base/issues.ts";
import type { Catalogue } from "../../engine/graph/catalogue.ts";
import { readWorkflow } from "../../engine/graph/parse-workflow.ts";
import type { Prompt } from "../../engine/graph/prompt.ts";
import { validate } from "../../engine/graph/validate.ts";
import { workflowToPrompt } from "../../engine/graph/workflow-to-prompt.ts";
import type { Doc } from "../doc/document.ts";
import { writeDocument } from "../doc/read-document.ts";

export interface Problem {
  readonly level: "error" | "warn";
  readonly code: string;
  /** Prompt id of the node, `5:2` inside a subgraph. */
  readonly node: string | undefined;
  readonly input: string | undefined;
  readonly message: string;
  readonly hint: string | undefined;
  readonly source: "check" | "run" | "server";
  /** Of an error that nobody expected: where it was thrown. */
  readonly trace?: string;
}

export interface Check {
  readonly problems: readonly Problem[];
  readonly prompt: Prompt | undefined;
}

export function checkDocument(doc: Doc, catalogue: Catalogue): Check {
  if (doc.nodes.length === 0) return { problems: [], prompt: undefined };
  const read = readWorkflow(writeDocument(doc));
  if (!read.ok) return { problems: read.issues.map((i) => problem(i, "error", "check")), prompt: undefined };
  const converted = workflowToPrompt(read.workflow, catalogue);
  if (!converted.ok) return { problems: converted.issues.map((i) => problem(i, "error", "check")), prompt: undefined };
  const result = validate(converted.prompt, catalogue);
  const errors = result.ok ? [] : result.issues;
  return {
    problems: [
      ...errors.map((i) => problem(i, "error", "check")),
      ...[...converted.warnings, ...result.warnings].map((i) => problem(i, "warn", "check")),
    ],
    prompt: converted.prompt,
  };
}

export function problem(issue: Issue, level: Problem["level"], source: Problem["source"]): Problem {
  const [node, input] = issue.path;
  return {
    level,
    code: issue.code,
    node: node === undefined ? undefined : String(node),
    input: typeof input === "string" ? input : undefined,
    message: issue.message,
    hint: issue.hint,
    source,
  };
}
