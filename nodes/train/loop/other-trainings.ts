// Trainings in the same output directory: what differs, and whether one can continue from them.

import { z } from "zod";
import { jsonOf } from "../../../engine/base/json.ts";
import type { NodeContext } from "../../../engine/node/context.ts";
import { METRICS } from "./run-log.ts";

/** What a run was started with; written again when it continues. */
export const CONFIG = "config.json";

export type Settings = Readonly<Record<string, unknown>>;

/** Settings that decide no number: runs that differ in nothing else share a folder. */
const WITHOUT_EFFECT = new Set([
  ...["fingerprint", "graph", "node", "version", "forked_from", "fork_from"],
  ...["checkpoint_every", "sample_every", "samples", "on_trouble", "keep_every", "keep_last"],
]);
/** Settings that decide what the trained numbers are: a state of others does not fit. */
const DECIDE_PARAMETERS = ["model", "rank", "alpha", "targets", "init_lora", "init_lora_as"];
/** Settings that are identities, unreadable for a person. */
const IDENTITIES = new Set(["model", "vae", "clip", "dataset", "reward", "constraint", "init_lora"]);
const MAX_SHOWN = 60;

export interface OtherTraining {
  readonly directory: string;
  readonly settings: Settings;
  /** What differs from the run of now, in words: `learning_rate 0.1 → 0.2`. */
  readonly differences: readonly string[];
  /** Names of differing settings that keep its state from fitting. */
  readonly unfit: readonly string[];
}

const record = z.record(z.string(), z.unknown());

/** The trainings beside this one, the most similar first. */
export async function otherTrainings(ctx: NodeContext, own: string, settings: Settings): Promise<readonly OtherTraining[]> {
  const others: OtherTraining[] = [];
  for (const [directory, bytes] of (await ctx.runRecords?.(CONFIG)) ?? []) {
    if (directory === own) continue;
    const parsed = record.safeParse(jsonOf(new TextDecoder().decode(bytes)));
    if (!parsed.success || parsed.data.node !== settings.node) continue;
    const names = differing(parsed.data, settings);
    others.push({
      directory,
      settings: parsed.data,
      differences: names.map((name) => described(name, parsed.data[name], settings[name])),
      unfit: names.filter((name) => DECIDE_PARAMETERS.includes(name)),
    });
  }
  return others.sort((a, b) => a.differences.length - b.differences.length);
}

/** Words about the most similar training that lies there; undefined when there is none. */
export async function aboutOther(ctx: NodeContext, own: string, others: readonly OtherTraining[]): Promise<string | undefined> {
  const [other] = others;
  if (!other) return undefined;
  const done = await updatesOf(ctx, other.directory);
  const also = others.length > 1 ? ` (and ${others.length - 1} more)` : "";
  const what = other.differences.length > 0 ? `with other settings: ${other.differences.join(", ")}` : "by another version of the program";
  const how =
    other.unfit.length > 0
      ? `its state does not fit, because of ${other.unfit.join(", ")}; to start from its LoRA, export it and connect it as init_lora`
      : `to continue from its state with the current settings instead, in a folder of its own: --set ${ctx.nodeId}.fork_from=${other.directory}`;
  return `the output directory holds ${other.directory} already${also}: ${done} of ${other.settings.steps} updates, ${what}. This run starts anew in ${own}; ${how}`;
}

async function updatesOf(ctx: NodeContext, directory: string): Promise<number> {
  const bytes = await (await ctx.runDirectory(directory)).read(METRICS);
  const steps = bytes ? [...new TextDecoder().decode(bytes).matchAll(/^\{"step":(\d+),/gm)] : [];
  return Number(steps.at(-1)?.[1] ?? 0);
}

function differing(a: Settings, b: Settings): string[] {
  return [...new Set([...Object.keys(b), ...Object.keys(a)])].filter(
    (name) => !WITHOUT_EFFECT.has(name) && JSON.stringify(a[name] ?? null) !== JSON.stringify(b[name] ?? null),
  );
}

function described(name: string, before: unknown, now: unknown): string {
  if (IDENTITIES.has(name)) return before === null ? `${name} added` : now === null ? `without ${name}` : `another ${name}`;
  return `${name} ${shown(before)} → ${shown(now)}`;
}

function shown(value: unknown): string {
  const text = typeof value === "string" ? JSON.stringify(value) : String(value ?? "none");
  return text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text;
}
