// numpy's SeedSequence (numpy/random/bit_generator.pyx, after Melissa O'Neill's seed_seq): independent seeds for the nodes of a tree.
const XSHIFT = 16;
const INIT_A = 0x43b0d7e5;
const MULT_A = 0x931e8875;
const INIT_B = 0x8b51f9dd;
const MULT_B = 0x58f38ded;
const MIX_LEFT = 0xca01f9dd;
const MIX_RIGHT = 0x4973f715;

/**
 * `SeedSequence(entropy, spawn_key=…, pool_size=…).generate_state(count)`.
 * @param entropy 0 … 2^64 − 1
 * @param spawnKey each 0 … 2^53
 * @returns unsigned 32-bit words
 */
export function seedSequence(entropy: bigint, spawnKey: readonly number[], poolSize: number, count: number): Uint32Array {
  const own = words(entropy);
  const spawn = spawnKey.flatMap((key) => words(BigInt(key)));
  const padding = spawn.length > 0 ? new Array<number>(Math.max(0, poolSize - own.length)).fill(0) : [];
  const all = [...own, ...padding, ...spawn];
  const hash = hasher(INIT_A, MULT_A);
  const pool = Uint32Array.from({ length: poolSize }, (_, i) => hash(all[i] ?? 0));
  const mixIn = (to: number, word: number): void => {
    const mixed = (Math.imul(MIX_LEFT, pool[to] ?? 0) - Math.imul(MIX_RIGHT, word)) >>> 0;
    pool[to] = mixed ^ (mixed >>> XSHIFT);
  };
  for (let from = 0; from < poolSize; from++) for (let to = 0; to < poolSize; to++) if (from !== to) mixIn(to, hash(pool[from] ?? 0));
  for (const word of all.slice(poolSize)) for (let to = 0; to < poolSize; to++) mixIn(to, hash(word));
  const out = hasher(INIT_B, MULT_B);
  return Uint32Array.from({ length: count }, (_, i) => out(pool[i % poolSize] ?? 0));
}

/** A hash of 32-bit words whose constant moves on from call to call. */
function hasher(init: number, multiplier: number): (word: number) => number {
  let constant = init;
  return (word) => {
    const mixed = word ^ constant;
    constant = Math.imul(constant, multiplier);
    const hashed = Math.imul(mixed, constant);
    return (hashed ^ (hashed >>> XSHIFT)) >>> 0;
  };
}

/** 32-bit words of a number, the lowest first; of 0, one word. */
function words(value: bigint): number[] {
  const out: number[] = [];
  for (let rest = value; rest > 0n || out.length === 0; rest >>= 32n) out.push(Number(rest & 0xffffffffn));
  return out;
}
