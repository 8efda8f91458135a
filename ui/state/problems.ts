// What is wrong with the graph in view: by the page's own checks, by the server's, by the last run.
import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import type { Doc } from "../doc/document.ts";
import { saveDocument } from "../doc/tabs.ts";
import { call } from "../net/client.ts";
import { type Check, checkDocument, type Problem, problem } from "./checks.ts";
import type { Page } from "./page.ts";

export class Problems {
  readonly #page: Page;
  readonly check = signal<Check>({ problems: [], prompt: undefined });
  /** What the server finds beyond that: files and models that are not there. */
  readonly ofServer = signal<{ readonly doc: Doc; readonly problems: readonly Problem[] } | undefined>(undefined);
  /** What a run could not be started for. */
  readonly ofRefusedRun = signal<{ readonly tab: string; readonly problems: readonly Problem[] } | undefined>(undefined);

  /** All of them, each once. */
  readonly all: ReadonlySignal<readonly Problem[]> = computed(() => {
    const doc = this.#page.editor.doc.value;
    const live = this.check.value.problems;
    const server = this.ofServer.value?.doc === doc ? this.ofServer.value.problems : [];
    const refused = this.ofRefusedRun.value?.tab === this.#page.editor.tabId.value ? this.ofRefusedRun.value.problems : [];
    const run = this.ofRun.value;
    const seen = new Set<string>();
    return [...run, ...live, ...server, ...refused].filter((p) => {
      const key = `${p.code} ${p.node} ${p.input} ${p.message}`;
      if (seen.has(key)) return false;
      seen.add(key);
      return true;
    });
  });

  readonly ofRun: ReadonlySignal<readonly Problem[]> = computed(() => {
    const tab = this.#page.editor.tabId.value;
    const summary = this.#page.runs.summaryOf(tab);
    const { nodes } = this.#page.runs.tabRun(tab);
    const warnings = [...nodes].flatMap(([id, n]) =>
      n.logs.flatMap((l): Problem[] =>
        l.level === "warn"
          ? [{ level: "warn", code: "NODE_WARNING", node: id, input: undefined, message: l.message, hint: undefined, source: "run" }]
          : [],
      ),
    );
    if (summary?.state !== "failed" && summary?.state !== "interrupted") return warnings;
    const { error } = summary;
    const told: Problem = error
      ? {
          level: "error",
          code: error.code,
          node: error.node,
          input: inputOf(error.details),
          message: error.message,
          hint: error.hint,
          source: "run",
          ...(typeof error.details?.trace === "string" && { trace: error.details.trace }),
        }
      : {
          level: "error",
          code: "RUN_INTERRUPTED",
          node: undefined,
          input: undefined,
          message: "The server ended while this ran.",
          hint: "Run again: what was done is kept.",
          source: "run",
        };
    return [told, ...warnings];
  });

  /** @param checked called when the server finds nothing against a document that is still in view */
  constructor(page: Page, checked: () => void) {
    this.#page = page;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let later: ReturnType<typeof setTimeout> | undefined;
    let last: Doc | undefined;
    effect(() => {
      const doc = page.editor.doc.value;
      if (doc === last) return;
      clearTimeout(timer);
      clearTimeout(later);
      timer = setTimeout(() => {
        last = doc;
        this.check.value = checkDocument(doc, page.registry);
        this.ofRefusedRun.value = undefined;
        later = setTimeout(() => void this.#askServer(doc, checked), 400);
      }, 60);
    });
  }

  async #askServer(doc: Doc, checked: () => void): Promise<void> {
    const { editor, runs } = this.#page;
    if (doc.nodes.length === 0 || runs.isConnected.value !== true) return;
    try {
      const report = await call("validate", { body: { workflow: saveDocument(editor.tab.value) } });
      if (editor.doc.value !== doc) return;
      this.ofServer.value = {
        doc,
        problems: [...report.issues.map((i) => problem(i, "error", "server")), ...report.warnings.map((i) => problem(i, "warn", "server"))],
      };
      if (report.ok) checked();
    } catch {
      // The banner says that the server is gone; the page's own checks stand.
    }
  }
}

function inputOf(details: Readonly<Record<string, unknown>> | undefined): string | undefined {
  return typeof details?.input === "string" ? details.input : undefined;
}
