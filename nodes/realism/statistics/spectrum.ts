// How much power lies at which frequency. Sees blur, noise and checkerboards; plastic skin with sharp edges passes.
import type { Builder } from "../../../engine/ir/builder.ts";
import type { Value } from "../../../engine/ir/value.ts";
import { f32 } from "../../../engine/tensor/tensor.ts";

/** A larger window's middle is transformed: products of matrices grow with the third power of the side. */
export const MAX_SPECTRUM_SIDE = 256;
/** Rings, from and to, in cycles per pixel. */
export const RINGS = { count: 16, from: 0.04, to: 0.35 } as const;
/** A bin's power is the variance per pixel there: this is a hundredth of what rounding to 8 bits leaves. */
export const POWER_FLOOR = 1e-8;

/**
 * `slope`: least squares of ln power on ln frequency over 16 soft rings, spaced evenly in ln r (Gaussian weights of 0.75 spacings). `nyquist`: ln of
 * the share of power beyond 0.42 cycles per pixel (a sigmoid of width 0.01). Power is |FFT₂(hann·(Y − mean))|²/Σhann².
 * @param luma [1, 1, S, S]
 */
export function buildSpectrum(b: Builder, luma: Value): { readonly slope: Value; readonly nyquist: Value } {
  const [, , whole = 1] = luma.shape;
  const side = Math.min(whole, MAX_SPECTRUM_SIDE);
  const start = Math.floor((whole - side) / 2);
  const middle = side === whole ? luma : b.slice(b.slice(luma, 2, start, start + side), 3, start, start + side);
  const plane = b.reshape(middle, [side, side]);
  const hann = Float64Array.from({ length: side }, (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / side));
  const norm = hann.reduce((s, h) => s + h * h, 0);
  const taper = b.constant(
    f32(
      [side, side],
      Float32Array.from({ length: side * side }, (_, i) => ((hann[Math.floor(i / side)] ?? 0) * (hann[i % side] ?? 0)) / norm),
    ),
  );
  const tapered = b.mul(b.sub(plane, b.mean(plane)), taper);

  // The transform of real numbers is symmetric: columns 0 … S/2 say it all, those between count twice.
  const columns = Math.floor(side / 2) + 1;
  const wave = (of: (x: number) => number, n: number) =>
    b.constant(
      f32(
        [side, n],
        Float32Array.from({ length: side * n }, (_, i) => of((2 * Math.PI * ((Math.floor(i / n) * (i % n)) % side)) / side)),
      ),
    );
  const [cosX, sinX] = [wave(Math.cos, columns), wave(Math.sin, columns)];
  const [cosY, sinY] = [wave(Math.cos, side), wave(Math.sin, side)];
  const [even, odd] = [b.matmul(tapered, cosX), b.matmul(tapered, sinX)];
  const real = b.sub(b.matmul(cosY, even), b.matmul(sinY, odd));
  const imaginary = b.add(b.matmul(sinY, even), b.matmul(cosY, odd));
  const power = b.reshape(b.add(b.mul(real, real), b.mul(imaginary, imaginary)), [side * columns, 1]);

  const radius = Float64Array.from({ length: side * columns }, (_, i) => {
    const fy = Math.floor(i / columns);
    return Math.hypot((i % columns) / side, Math.min(fy, side - fy) / side);
  });
  const twice = (i: number) => (i % columns === 0 || 2 * (i % columns) === side ? 1 : 2);
  const spacing = Math.log(RINGS.to / RINGS.from) / (RINGS.count - 1);
  const rings = new Float32Array(RINGS.count * radius.length);
  for (let k = 0; k < RINGS.count; k++) {
    const weights = radius.map((r, i) =>
      r === 0 ? 0 : twice(i) * Math.exp(-0.5 * ((Math.log(r / RINGS.from) - k * spacing) / (0.75 * spacing)) ** 2),
    );
    const sum = weights.reduce((s, w) => s + w, 0);
    rings.set(
      weights.map((w) => w / sum),
      k * radius.length,
    );
  }
  const logs = b.log(b.add(b.matmul(b.constant(f32([RINGS.count, radius.length], rings)), power), POWER_FLOOR));
  // Σ(a − ā)p / Σ(a − ā)² with a = ln r evenly spaced.
  const centred = Array.from({ length: RINGS.count }, (_, k) => (k - (RINGS.count - 1) / 2) * spacing);
  const squares = centred.reduce((s, a) => s + a * a, 0);
  const slope = b.sum(
    b.mul(
      logs,
      b.constant(
        f32(
          [RINGS.count, 1],
          centred.map((a) => a / squares),
        ),
      ),
    ),
    [],
    false,
  );

  const total = (of: (r: number) => number) =>
    b.sum(
      b.mul(
        power,
        b.constant(
          f32(
            [radius.length, 1],
            Float32Array.from(radius, (r, i) => twice(i) * of(r)),
          ),
        ),
      ),
      [],
      false,
    );
  const high = total((r) => 1 / (1 + Math.exp(-(r - 0.42) / 0.01)));
  const all = total(() => 1);
  return { slope, nyquist: b.sub(b.log(b.add(high, POWER_FLOOR)), b.log(b.add(all, POWER_FLOOR))) };
}
