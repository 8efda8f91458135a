// Two sides, turn by turn, so that whatever else the machine does hits both alike; the minimum of each is what it can do.
import { type findPeer, ourSide, peerSide, type Side } from "./side.ts";
import type { Task } from "./task.ts";

export interface Score {
  /** Fastest of all runs, milliseconds. */
  readonly ms: number;
  /** Largest resident memory of the whole process, bytes; 0 = unknown. */
  readonly peak: number;
}

export interface Contest {
  readonly ours: Score;
  readonly peer: Score | null;
  /** Largest relative difference between the sides' numbers; null without a peer. */
  readonly apart: number | null;
}

/** Repetitions stop here, or after `MIN_ROUNDS` when `BUDGET_MS` is spent. */
const MAX_ROUNDS = 40;
const MIN_ROUNDS = 5;
const BUDGET_MS = 30_000;

export async function contest(task: Task, threads: number, peer: ReturnType<typeof findPeer>): Promise<Contest> {
  const sides: Side[] = [ourSide(), ...(peer ? [peerSide(peer.python, threads)] : [])];
  try {
    const checks: (readonly number[])[] = [];
    for (const side of sides) checks.push(await side.prepare(task, threads));
    const scores: { ms: number; peak: number }[] = sides.map(() => ({ ms: Infinity, peak: 0 }));
    const started = performance.now();
    for (let round = 0; round < MAX_ROUNDS && (round < MIN_ROUNDS || performance.now() - started < BUDGET_MS); round++)
      for (const [i, side] of sides.entries()) {
        const { ms, peak } = await side.run();
        const score = scores[i];
        if (score) Object.assign(score, { ms: Math.min(score.ms, ms), peak });
      }
    const [ours = { ms: Infinity, peak: 0 }, theirs = null] = scores;
    const [a = [], b] = checks;
    return { ours, peer: theirs, apart: b ? Math.max(...a.map((x, i) => Math.abs(x - (b[i] ?? NaN)) / Math.abs(b[i] ?? NaN))) : null };
  } finally {
    for (const side of sides) side.end();
  }
}
