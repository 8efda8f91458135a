// PyTorch's CPU generator and randn, number for number: a seed in a workflow means the same noise as in ComfyUI.
// Algorithms: at/src/ATen/core/MT19937RNGEngine.h and aten/src/ATen/native/cpu/DistributionTemplates.h (normal_fill, normal_kernel).

/** 32-bit Mersenne twister (Matsumoto and Nishimura 1998), seeded as `init_genrand`. */
export function mt19937(seed: number): () => number {
  const N = 624;
  const state = new Uint32Array(N);
  state[0] = seed >>> 0;
  for (let i = 1; i < N; i++) {
    const s = (state[i - 1] ?? 0) ^ ((state[i - 1] ?? 0) >>> 30);
    state[i] = Math.imul(s, 1812433253) + i;
  }
  let at = N;
  const advance = (i: number): void => {
    const y = ((state[i] ?? 0) & 0x80000000) | ((state[(i + 1) % N] ?? 0) & 0x7fffffff);
    state[i] = (state[(i + 397) % N] ?? 0) ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
  };
  return () => {
    if (at === N) {
      for (let i = 0; i < N; i++) advance(i);
      at = 0;
    }
    let y = state[at++] ?? 0;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
}

const TWO_PI = 2 * Math.PI;
/** float(2π), as the vectorised float32 path multiplies with. */
const TWO_PI_F32 = Math.fround(TWO_PI);

/**
 * `torch.Generator().manual_seed(seed)`, whose numbers go on from call to call. For 16 numbers or more at a time; smaller draws keep
 * half a pair for the next call in PyTorch, and lose it here.
 */
export function torchGenerator(seed: bigint | number): (n: number) => Float32Array {
  const next = mt19937(Number(BigInt.asUintN(32, BigInt(seed))));
  return (n) => (n < 16 ? oneByOne(next, n) : inBlocks(next, n));
}

/**
 * `torch.manual_seed(seed); torch.randn(n)` on the CPU in float32. Equal to PyTorch within a few float32 roundings (its own
 * builds differ among each other by as much: log, sin and cos come from different vector libraries).
 * @param seed 0 … 2^64 − 1; only the low 32 bits reach the generator, as in PyTorch.
 * @param n element count; shape does not matter, elements come in row-major order.
 */
export function torchRandn(seed: bigint | number, n: number): Float32Array {
  return torchGenerator(seed)(n);
}

function inBlocks(next: () => number, n: number): Float32Array {
  const out = new Float32Array(n);
  const uniform = () => (next() & 0xffffff) / 2 ** 24;
  /** Box-Muller on 16 uniforms in place: element j pairs with j + 8. */
  const transform = (i: number): void => {
    for (let j = i; j < i + 8; j++) {
      const radius = Math.fround(Math.sqrt(Math.fround(-2 * Math.fround(Math.log(1 - (out[j] ?? 0))))));
      const theta = Math.fround(TWO_PI_F32 * (out[j + 8] ?? 0));
      out[j] = radius * Math.fround(Math.cos(theta));
      out[j + 8] = radius * Math.fround(Math.sin(theta));
    }
  };
  for (let i = 0; i < n; i++) out[i] = uniform();
  for (let i = 0; i + 16 <= n; i += 16) transform(i);
  if (n % 16 !== 0) {
    // The last sixteen are drawn again, so they overlap the last whole block.
    for (let i = n - 16; i < n; i++) out[i] = uniform();
    transform(n - 16);
  }
  return out;
}

/** Below 16 elements: float64 Box-Muller on 53-bit uniforms, the sine kept for the next call. */
function oneByOne(next: () => number, n: number): Float32Array {
  const out = new Float32Array(n);
  const uniform = () => {
    const high = next();
    const low = next();
    return ((high & 0x1fffff) * 2 ** 32 + low) / 2 ** 53;
  };
  for (let i = 0; i < n; i += 2) {
    const theta = TWO_PI * uniform();
    const radius = Math.sqrt(-2 * Math.log1p(-uniform()));
    out[i] = radius * Math.cos(theta);
    if (i + 1 < n) out[i + 1] = radius * Math.sin(theta);
  }
  return out;
}
