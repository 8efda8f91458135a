import { roundHalfEven } from "../../../engine/base/round-half-even.ts";
import { seedSequence } from "../../../engine/tensor/seed-sequence.ts";
import { torchRandn } from "../../../engine/tensor/torch-random.ts";

/** Times are whole numbers of these parts of 1. */
const TICKS = 1e6;
const POOL = 24;
/** Nodes of the tree that are kept: the way from the root to one step, and back. */
const KEPT = 48;

interface Node {
  readonly start: number;
  readonly end: number;
  /** Its place among the nodes of its depth. */
  readonly index: number;
  readonly depth: number;
}

/** Noise of a step from σ to σ′: standard normal, and the same for the same σ and σ′ whatever other steps there are. */
export type BrownianNoise = (sigma: number, next: number) => Float32Array;

/**
 * torchsde's BrownianTree on the CPU, as k-diffusion asks it: one path of Brownian motion between two noise levels, halved until it
 * knows both ends of a step; every half has its own seed. Equal to torchsde within float32 roundings.
 * @param seed 0 … 2^64 − 1
 * @param count numbers of the state
 */
export function brownianTree(seed: bigint, sigmaMin: number, sigmaMax: number, count: number): BrownianNoise {
  const f = Math.fround;
  const root: Node = { start: ticked(f(sigmaMin)), end: ticked(f(sigmaMax)), index: 0, depth: 0 };
  const [rootSeed = 0] = seedSequence(seed, [], POOL, 3);
  const whole = scaled(torchRandn(rootSeed, count), Math.sqrt(f(sigmaMax) - f(sigmaMin)));
  const kept = new Map<string, Float32Array>();

  /** How far the path goes on the way through a node. */
  const increments = (
    { start, end, index, depth }: Node,
    way: Float32Array,
  ): readonly [left: Node, Float32Array, right: Node, Float32Array] => {
    const middle = ticked(0.5 * (start + end));
    const left: Node = { start, end: middle, index: 2 * index, depth: depth + 1 };
    const right: Node = { start: middle, end, index: 2 * index + 1, depth: depth + 1 };
    const key = `${left.depth}:${left.index}`;
    let first = kept.get(key);
    kept.delete(key);
    if (!first) {
      const [own = 0] = seedSequence(seed, [index, depth], POOL, 4);
      const noise = torchRandn(own, count);
      const whole = 1 / (end - start);
      const [l, r] = [middle - start, end - middle];
      const [share, part, spread] = [f(l), f(whole), f(Math.sqrt(l * r * whole))];
      first = noise.map((z, i) => f(f(share * (way[i] ?? 0)) * part) + f(spread * z));
    }
    kept.set(key, first);
    const [oldest] = kept.keys();
    if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest);
    const taken = first;
    return [left, first, right, way.map((w, i) => w - (taken[i] ?? 0))];
  };

  const between = (node: Node, way: Float32Array, from: number, to: number): Float32Array => {
    if (from <= node.start && to >= node.end) return way;
    const [left, first, right, second] = increments(node, way);
    if (to <= left.end) return between(left, first, from, to);
    if (from >= left.end) return between(right, second, from, to);
    const rest = between(right, second, left.end, to);
    return between(left, first, from, left.end).map((w, i) => w + (rest[i] ?? 0));
  };

  return (sigma, next) => {
    const [from, to] = [ticked(f(next)), ticked(f(sigma))];
    const inside = (time: number): number => Math.min(root.end, Math.max(root.start, time));
    // A step goes down in σ, the path goes up.
    return scaled(between(root, whole, inside(from), inside(to)), -1 / f(Math.sqrt(f(f(sigma) - f(next)))));
  };
}

function scaled(values: Float32Array, factor: number): Float32Array {
  return values.map((x) => x * factor);
}

/** Python's round(x, 6): the nearest decimal number, of two equally near ones that with the even last digit. */
function ticked(x: number): number {
  return (x * 128) % 2 === 1 ? roundHalfEven(x * TICKS) / TICKS : Number(x.toFixed(6));
}
