// Undo and redo. Documents share what did not change, so a step costs little more than what it touched.
import { applyCommand, type Command, describeCommand, mergeKey } from "./commands.ts";
import type { Doc } from "./document.ts";
import type { NodeFaces } from "./node-face.ts";

export interface Step {
  readonly label: string;
  readonly before: Doc;
}

export interface History {
  readonly doc: Doc;
  readonly past: readonly Step[];
  readonly future: readonly { readonly label: string; readonly after: Doc }[];
  /** Merge key of the last command, while nothing else came between. */
  readonly merge: string | undefined;
}

const MAX_STEPS = 500;

export function startHistory(doc: Doc): History {
  return { doc, past: [], future: [], merge: undefined };
}

/** The history after a command; the same object when it changed nothing. @throws RangeError when the command does not apply */
export function perform(history: History, command: Command, faces: NodeFaces, label = describeCommand(command)): History {
  const doc = applyCommand(history.doc, command, faces);
  if (doc === history.doc) return history;
  const merge = mergeKey(command);
  if (merge !== undefined && merge === history.merge && history.past.length > 0) return { ...history, doc, future: [] };
  return { doc, past: [...history.past.slice(-(MAX_STEPS - 1)), { label, before: history.doc }], future: [], merge };
}

/** Several commands as one step: all of them, or none when one does not apply. */
export function performAll(history: History, commands: readonly Command[], faces: NodeFaces, label: string): History {
  const doc = commands.reduce((d, c) => applyCommand(d, c, faces), history.doc);
  if (doc === history.doc) return history;
  return { doc, past: [...history.past.slice(-(MAX_STEPS - 1)), { label, before: history.doc }], future: [], merge: undefined };
}

/** The next command starts a step of its own. */
export function seal(history: History): History {
  return history.merge === undefined ? history : { ...history, merge: undefined };
}

export function undo(history: History): History {
  const step = history.past.at(-1);
  if (!step) return history;
  return {
    doc: step.before,
    past: history.past.slice(0, -1),
    future: [...history.future, { label: step.label, after: history.doc }],
    merge: undefined,
  };
}

export function redo(history: History): History {
  const step = history.future.at(-1);
  if (!step) return history;
  return {
    doc: step.after,
    past: [...history.past, { label: step.label, before: history.doc }],
    future: history.future.slice(0, -1),
    merge: undefined,
  };
}
