// One node's view of the world: everything it reports becomes an event.
import { AppError } from "../base/errors.ts";
import { randomSource } from "../base/random.ts";
import { type Effect, MAX_PREVIEW, type RunEventBody } from "../graph/events.ts";
import type { Step } from "../graph/plan.ts";
import type { NodeContext } from "../node/context.ts";
import type { AnyDeclaration } from "../node/define-node.ts";
import { withSource } from "./step-source.ts";
import type { World } from "./world.ts";

export interface NodeContextOptions {
  readonly world: World;
  readonly step: Step;
  readonly stop: AnyDeclaration["stop"];
  readonly signal: AbortSignal;
  /** Throws CANCELLED when the run is cancelled. */
  readonly checkCancelled: () => void;
  readonly emit: (event: RunEventBody) => void;
  /** Where one of the step's inputs comes from, in words. */
  readonly sourceOf: (input: string) => string | undefined;
  /** Receives what has to be replayed when the result comes from the cache. */
  readonly effects: Effect[];
}

/** Between two pictures of one node. */
const PREVIEW_MS = 250;
/** Nobody can read progress that changes more often than this. */
const PROGRESS_MS = 50;

export function nodeContext({ world, step, stop, signal, checkCancelled, emit, sourceOf, effects }: NodeContextOptions): NodeContext {
  const of = { node: step.id, type: step.type };
  const tell = (effect: Effect): void => {
    effects.push(effect);
    emit(effect);
  };
  let toldTooLarge = false;
  let lastProgress = Number.NEGATIVE_INFINITY;
  let lastPreview = Number.NEGATIVE_INFINITY;
  // Nodes do not get what only the executor asks for.
  const { compute, identify: _identify, clock: _clock, isWatched, ...shared } = world;
  return {
    ...shared,
    nodeId: step.id,
    signal,
    compute: compute(stop === "finish" ? undefined : checkCancelled),
    async save(prefix, extension, bytes, type) {
      const file = await world.save(prefix, extension, bytes, type);
      emit({ kind: "node.saved", ...of, file });
      return file;
    },
    async saveAs(name, bytes) {
      const file = await world.saveAs(name, bytes);
      emit({ kind: "node.saved", ...of, file });
      return file;
    },
    score: (name, value) => tell({ kind: "node.scored", ...of, name, value: transportable(name, value) }),
    show: (ui) => tell({ kind: "node.shown", ...of, ui: Object.fromEntries(Object.entries(ui).map(([k, list]) => [k, [...list]])) }),
    wantsPreview: () => (isWatched?.() ?? false) && world.now() - lastPreview >= PREVIEW_MS,
    progress(value, max, note, picture) {
      if (stop !== "finish") checkCancelled();
      const now = world.now();
      if (value < max && now - lastProgress < PROGRESS_MS) return;
      lastProgress = now;
      if (picture) lastPreview = now;
      const base64 = picture && Buffer.from(picture.bytes).toString("base64");
      const fits = base64 !== undefined && base64.length <= MAX_PREVIEW;
      if (base64 !== undefined && !fits && !toldTooLarge) {
        toldTooLarge = true;
        emit({
          kind: "node.logged",
          ...of,
          level: "warn",
          message: `a preview of ${picture?.bytes.length} bytes is too large to be shown`,
        });
      }
      const preview = picture && fits && { preview: { mime: picture.mime, base64 } };
      emit({ kind: "node.progress", ...of, value, max, ...(note !== undefined && { note }), ...preview });
    },
    log(level, message, about) {
      const subject = typeof about === "string" ? { input: about } : about && { alarm: about };
      const line: Effect = { kind: "node.logged", ...of, level, message, ...subject };
      if (level === "warn") effects.push(line);
      emit(withSource(line, sourceOf));
    },
    random: randomSource,
  };
}

/** A score is JSON: it goes into run.json. Numbers that JSON lacks are written as text. @throws AppError NODE_SCORE */
function transportable(name: string, value: unknown): unknown {
  try {
    return JSON.parse(
      JSON.stringify(value, (_key, v: unknown) =>
        typeof v === "number" && !Number.isFinite(v) ? String(v) : typeof v === "bigint" ? v.toString() : v,
      ) ?? "null",
    );
  } catch (cause) {
    throw new AppError("NODE_SCORE", `score ${name} is not JSON`, { cause });
  }
}
