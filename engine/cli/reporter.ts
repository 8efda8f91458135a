// Events as lines for a person: a bar that is redrawn on a terminal, plain lines elsewhere.

import { loggedText } from "../app/logged-text.ts";
import { byteCount } from "../base/byte-count.ts";
import { stringifyJson } from "../base/json.ts";
import type { RunEvent } from "../graph/events.ts";
import type { Plan } from "../graph/plan.ts";
import { duration } from "./format.ts";

export interface Reporter {
  event(event: RunEvent): void;
  /** A line from the CLI itself. */
  line(text: string): void;
}

export interface Terminal {
  readonly isTTY: boolean;
  readonly columns: number;
  write(text: string): void;
}

const BAR = 20;
/** Plain progress lines are at least this far apart. */
const PLAIN_MS = 5000;

/** One JSON object per line and nothing else. */
export function jsonReporter(terminal: Terminal): Reporter {
  return { event: (event) => terminal.write(`${stringifyJson(event)}\n`), line: () => undefined };
}

export function textReporter(terminal: Terminal, plan: Plan): Reporter {
  const names = new Map(plan.steps.map(({ id, type, title }) => [id, title === type ? `${type} (${id})` : `${title} (${id}, ${type})`]));
  const total = plan.steps.length;
  let done = 0;
  let hasBar = false;
  let lastPlain = 0;
  const clear = (): void => {
    if (hasBar) terminal.write("\r\u001b[2K");
    hasBar = false;
  };
  const line = (text: string): void => {
    clear();
    terminal.write(`${printable(text)}\n`);
  };
  const count = (): string => `[${String(done).padStart(String(total).length)}/${total}]`;
  const nameOf = (id: string): string => names.get(id) ?? id;
  const bar = (id: string, value: number, max: number, note: string): void => {
    const filled = max > 0 ? Math.round((Math.min(value, max) / max) * BAR) : 0;
    const amount = max > 0 ? `${"█".repeat(filled)}${"░".repeat(BAR - filled)} ${value}/${max}` : "…";
    const text = printable(`${count()} ${nameOf(id)} ${amount} ${note}`);
    clear();
    terminal.write(text.slice(0, Math.max(20, terminal.columns - 1)));
    hasBar = true;
  };
  const event = (e: RunEvent): void => {
    switch (e.kind) {
      case "node.started":
        lastPlain = e.at;
        if (terminal.isTTY) bar(e.node, 0, 0, "");
        break;
      case "node.progress":
        if (terminal.isTTY) bar(e.node, e.value, e.max, e.note ?? "");
        else if (e.at - lastPlain >= PLAIN_MS) {
          lastPlain = e.at;
          line(`${count()} ${nameOf(e.node)} ${e.value}/${e.max} ${e.note ?? ""}`.trimEnd());
        }
        break;
      case "node.finished":
        done++;
        line(`${count()} ${nameOf(e.node)} ${duration(e.ms)}`);
        break;
      case "node.cached":
        done++;
        line(`${count()} ${nameOf(e.node)} ${e.from === "unneeded" ? "not needed" : "known"}`);
        break;
      case "node.skipped":
        line(`${e.title} (${e.node}) does not run: something it needs is wrong`);
        break;
      case "node.saved":
        line(`      saved ${[e.file.subfolder, e.file.filename].filter((p) => p !== "").join("/")}`);
        break;
      case "node.shown":
        for (const text of e.ui.text ?? []) line(indent(typeof text === "string" ? text : stringifyJson(text)));
        break;
      case "node.logged":
        line(`      ${e.level === "warn" ? `warning: ${nameOf(e.node)}: ` : ""}${loggedText(e)}`);
        break;
      case "node.planned":
        done++;
        for (const text of plannedLines(e, `${count()} ${nameOf(e.node)}`)) line(text);
        break;
      case "run.finished":
      case "run.failed":
      case "run.cancelled":
        clear();
    }
  };
  return { event, line };
}

function plannedLines({ state, estimate, issues }: Extract<RunEvent, { kind: "node.planned" }>, name: string): string[] {
  const { steps, seconds, memoryBytes, diskBytes, notes } = estimate ?? {};
  const parts = [
    { run: "runs", cached: "known", unneeded: "not needed" }[state],
    ...(steps === undefined ? [] : [`${steps} steps`]),
    ...(seconds === undefined ? [] : [`about ${duration(seconds * 1000)}`]),
    ...(memoryBytes === undefined ? [] : [`${byteCount(memoryBytes)} memory`]),
    ...(diskBytes === undefined ? [] : [`${byteCount(diskBytes)} disk`]),
  ];
  const found = issues.flatMap(({ input, message, hint }) => [
    `      issue${input === undefined ? "" : ` at ${input}`}: ${message}`,
    ...(hint === undefined ? [] : [`        ${hint}`]),
  ]);
  return [`${name}: ${parts.join(", ")}`, ...(notes ?? []).map((note) => `      ${note}`), ...found];
}

/** Values and titles come from strangers: of all control characters, only the line break reaches the terminal. */
function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this looks for
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, "·");
}

function indent(text: string): string {
  return text
    .split("\n")
    .map((l) => `      ${l}`)
    .join("\n");
}
