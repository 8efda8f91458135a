// A NodeContext for unit tests: records what a node does; doors that a test does not open refuse.
import { loggedText } from "../engine/app/logged-text.ts";
import { AppError } from "../engine/base/errors.ts";
import { randomSource } from "../engine/base/random.ts";
import type { Compute } from "../engine/ir/compute.ts";
import type { NodeContext } from "../engine/node/context.ts";

export interface FakeContext extends NodeContext {
  readonly scores: Map<string, unknown>;
  readonly saved: Map<string, Uint8Array>;
  readonly shown: Readonly<Record<string, readonly unknown[]>>[];
  readonly logs: string[];
}

/** @param compute what `ctx.compute` is; none by default. */
export function fakeContext(compute?: Compute): FakeContext {
  const closed = (what: string) => (): never => {
    throw new AppError("TEST_CONTEXT", `this test's context has no ${what}`);
  };
  const scores = new Map<string, unknown>();
  const saved = new Map<string, Uint8Array>();
  const shown: Readonly<Record<string, readonly unknown[]>>[] = [];
  const logs: string[] = [];
  return {
    scores,
    saved,
    shown,
    logs,
    nodeId: "1",
    signal: new AbortController().signal,
    compute: compute ?? {
      device: "cpu",
      memory: { wholeBytes: 2 ** 34, keptWeightBytes: 2 ** 33 },
      compile: closed("compute"),
      grad: closed("compute"),
      run: closed("compute"),
    },
    models: { list: closed("models"), open: closed("models"), bytes: closed("models"), findExternal: closed("models") },
    readInput: closed("input files"),
    listInputs: closed("input folders"),
    save: async (prefix, extension, bytes) => {
      const filename = `${prefix}_00001_.${extension}`;
      saved.set(filename, bytes);
      return { filename, subfolder: "", type: "output" };
    },
    saveAs: async (name, bytes) => {
      saved.set(name, bytes);
      return { filename: name, subfolder: "", type: "output" };
    },
    runDirectory: closed("run directory"),
    workflow: { prompt: {} },
    score: (name, value) => void scores.set(name, value),
    show: (ui) => void shown.push(ui),
    progress: () => undefined,
    log: (level, message, about) =>
      void logs.push(`${level}: ${loggedText({ message, ...(typeof about === "object" && { alarm: about }) })}`),
    random: randomSource,
    memory: () => 0,
    now: () => 0,
  };
}
