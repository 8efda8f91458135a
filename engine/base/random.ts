// A counter-based generator (SplitMix64 over a seed): the state is one number, so a checkpoint can hold it exactly.

/** Deterministic random numbers. `state` can be saved and restored. */
export interface RandomSource {
  /** Uniform in [0, 1) with 53 bits. */
  uniform(): number;
  /** Integer in [0, n). */
  below(n: number): number;
  /** Standard normal (Box-Muller, one value per two uniforms). */
  normal(): number;
  /** Fills and returns the array with standard normals. */
  normals(out: Float32Array): Float32Array;
  /** The counter: seed and position in one. */
  state: bigint;
}

const MASK = (1n << 64n) - 1n;
const GOLDEN = 0x9e3779b97f4a7c15n;

/**
 * SplitMix64's output function. Without it the stream of seed 1 would be that of seed 0 from its second number on:
 * the counter goes up by the same constant that seeds are told apart by.
 */
function scrambled(seed: bigint): bigint {
  let z = (seed * GOLDEN + GOLDEN) & MASK;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK;
  return z ^ (z >> 31n);
}

/** SplitMix64 (Steele, Lea, Flood 2014). @param seed any integer; taken modulo 2^64. */
export function randomSource(seed: bigint | number): RandomSource {
  // The 64-bit arithmetic is done on two 32-bit halves: BigInt would be 50 times slower.
  let hi = 0;
  let lo = 0;
  const set = (s: bigint): void => {
    const v = BigInt.asUintN(64, s);
    hi = Number(v >> 32n) | 0;
    lo = Number(v & 0xffffffffn) | 0;
  };
  set(scrambled(BigInt(seed)));
  let outHi = 0;
  let outLo = 0;
  const multiply = (aHi: number, aLo: number, bHi: number, bLo: number): void => {
    const a0 = aLo & 0xffff;
    const a1 = aLo >>> 16;
    const b0 = bLo & 0xffff;
    const b1 = bLo >>> 16;
    const p00 = a0 * b0;
    const p01 = a0 * b1;
    const p10 = a1 * b0;
    const mid = (p00 >>> 16) + (p01 & 0xffff) + (p10 & 0xffff);
    outLo = (mid << 16) | (p00 & 0xffff) | 0;
    const carry = (mid >>> 16) + (p01 >>> 16) + (p10 >>> 16) + a1 * b1;
    outHi = (carry + Math.imul(aHi, bLo) + Math.imul(aLo, bHi)) | 0;
  };
  const next = (): void => {
    const sum = (lo >>> 0) + 0x7f4a7c15;
    lo = sum | 0;
    hi = (hi + 0x9e3779b9 + (sum > 0xffffffff ? 1 : 0)) | 0;
    let zHi = hi ^ (hi >>> 30);
    let zLo = lo ^ ((lo >>> 30) | (hi << 2));
    multiply(zHi, zLo, 0xbf58476d, 0x1ce4e5b9);
    zHi = outHi ^ (outHi >>> 27);
    zLo = outLo ^ ((outLo >>> 27) | (outHi << 5));
    multiply(zHi, zLo, 0x94d049bb, 0x133111eb);
    const h = outHi;
    const l = outLo;
    outHi = h ^ (h >>> 31);
    outLo = l ^ ((l >>> 31) | (h << 1));
  };
  const uniform = (): number => {
    next();
    return ((outHi >>> 0) * 2097152 + ((outLo >>> 0) >>> 11)) / 9007199254740992;
  };
  const normal = (): number => {
    const u = 1 - uniform();
    const v = uniform();
    return Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v);
  };
  return {
    uniform,
    normal,
    below: (n) => Math.floor(uniform() * n),
    normals(out) {
      for (let i = 0; i < out.length; i++) out[i] = normal();
      return out;
    },
    get state() {
      return (BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0);
    },
    set state(s: bigint) {
      set(s);
    },
  };
}
