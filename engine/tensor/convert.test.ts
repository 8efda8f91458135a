import { describe, expect, test } from "vitest";
import {
  bfloat16FromFloat32,
  float8FromFloat32,
  float16FromFloat32,
  float32FromBfloat16,
  float32FromFloat8,
  float32FromFloat16,
  fromFloat32,
  toFloat32,
} from "./convert.ts";
import { tensor } from "./tensor.ts";

const all = (n: number) => Array.from({ length: n }, (_, i) => i);

/** The textbook formula, for any format: bits to value. */
function formulaOf(bits: number, exponentBits: number, mantissaBits: number, hasInfinity = true): number {
  const sign = bits >> (exponentBits + mantissaBits) ? -1 : 1;
  const e = (bits >> mantissaBits) & (2 ** exponentBits - 1);
  const m = bits & (2 ** mantissaBits - 1);
  const bias = 2 ** (exponentBits - 1) - 1;
  if (e === 2 ** exponentBits - 1) {
    if (hasInfinity) return m ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    if (m === 2 ** mantissaBits - 1) return Number.NaN;
  }
  return sign * (e ? 1 + m / 2 ** mantissaBits : m / 2 ** mantissaBits) * 2 ** ((e || 1) - bias);
}

const FORMATS = {
  float16: { e: 5, m: 10, infinity: true },
  bfloat16: { e: 8, m: 7, infinity: true },
  float8e4m3fn: { e: 4, m: 3, infinity: false },
  float8e5m2: { e: 5, m: 2, infinity: true },
} as const;

describe.each(Object.entries(FORMATS))("%s", (name, { e, m, infinity }) => {
  const bits = 1 + e + m;
  const count = 2 ** bits;
  const decode = (data: number[]): Float32Array => {
    if (name === "float16") return float32FromFloat16(Uint16Array.from(data));
    if (name === "bfloat16") return float32FromBfloat16(Uint16Array.from(data));
    return float32FromFloat8(Uint8Array.from(data), name === "float8e5m2" ? "float8e5m2" : "float8e4m3fn");
  };
  const encode = (data: Float32Array): Uint16Array | Uint8Array => {
    if (name === "float16") return float16FromFloat32(data);
    if (name === "bfloat16") return bfloat16FromFloat32(data);
    return float8FromFloat32(data, name === "float8e5m2" ? "float8e5m2" : "float8e4m3fn");
  };

  test("every bit pattern decodes to its value and encodes back", () => {
    const values = decode(all(count));
    const back = encode(values);
    for (let i = 0; i < count; i++) {
      const expected = formulaOf(i, e, m, infinity);
      if (!Object.is(values[i], expected)) throw new Error(`pattern ${i} is ${values[i]}, not ${expected}`);
      if (Number.isNaN(expected)) expect(Number.isNaN(decode([back[i] ?? 0])[0])).toBe(true);
      else if (back[i] !== i) throw new Error(`pattern ${i} came back as ${back[i]}`);
    }
  });

  test("encoding takes the nearest, ties to even, at every midpoint and beside it", () => {
    // Magnitudes of the non-negative patterns below infinity or NaN, and the one above them had the format gone on.
    const last = infinity ? (2 ** e - 1) * 2 ** m - 1 : 2 ** (e + m) - 2;
    // e4m3fn has nothing above: it saturates.
    const next = formulaOf(last, e, m, infinity) + (formulaOf(last, e, m, infinity) - formulaOf(last - 1, e, m, infinity));
    const values = [...all(last + 1).map((b) => formulaOf(b, e, m, infinity)), next];
    const inputs: number[] = [];
    for (let b = 0; b < values.length - 1; b += bits === 16 ? 37 : 1) {
      const middle = ((values[b] ?? 0) + (values[b + 1] ?? 0)) / 2;
      const near = new Float32Array([middle]);
      const bitsOf = new Uint32Array(near.buffer);
      inputs.push(middle);
      bitsOf[0] = (bitsOf[0] ?? 0) + 1;
      inputs.push(near[0] ?? 0);
      bitsOf[0] = (bitsOf[0] ?? 0) - 2;
      if (middle > 1e-44) inputs.push(near[0] ?? 0);
    }
    const exact = inputs.filter((x) => Math.fround(x) === x && Number.isFinite(x));
    const positive = encode(Float32Array.from(exact));
    const negative = encode(Float32Array.from(exact, (x) => -x));
    exact.forEach((x, i) => {
      // Binary search by value; the list is sorted.
      let lo = 0;
      let hi = values.length - 1;
      while (hi - lo > 1) {
        const mid = (lo + hi) >> 1;
        if ((values[mid] ?? 0) <= x) lo = mid;
        else hi = mid;
      }
      const [a, b] = [values[lo] ?? 0, values[hi] ?? 0];
      const expected = (!infinity && hi === last + 1) || x - a < b - x || (x - a === b - x && lo % 2 === 0) ? lo : hi;
      if (positive[i] !== expected) throw new Error(`${x} became ${positive[i]}, not ${expected}`);
      if (negative[i] !== expected + 2 ** (bits - 1)) throw new Error(`${-x} became ${negative[i]}`);
    });
    expect(exact.length).toBeGreaterThan(100);
  });

  test("too large, infinite, NaN, and far below the smallest", () => {
    const [big, inf, minusInf, nan, tiny, minusTiny] = encode(
      new Float32Array([3.4e38, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN, 1e-45, -1e-45]),
    );
    const value = (b: number | undefined) => decode([b ?? 0])[0];
    // e4m3fn has no infinity and saturates.
    const over = infinity ? Number.POSITIVE_INFINITY : 448;
    expect([value(big), value(inf), value(minusInf), value(nan)]).toEqual([over, over, -over, Number.NaN]);
    expect([value(tiny), value(minusTiny)]).toEqual([0, -0]);
  });
});

test("float16 bits are read where they lie: a view into a file's buffer, at an even offset", () => {
  const file = Uint16Array.of(0x7e00, 0x3c00, 0xc000, 0x0001, 0x7e00);
  expect([...float32FromFloat16(file.subarray(1, 4))]).toEqual([1, -2, 2 ** -24]);
});

test("toFloat32 and fromFloat32 over the other dtypes", () => {
  const of = (dtype: Parameters<typeof fromFloat32>[1]) => fromFloat32(new Float32Array([-2.7, 0, 1.5, 300, Number.NaN]), dtype);
  expect([...of("int8")]).toEqual([-2, 0, 1, 127, 0]);
  expect([...of("uint8")]).toEqual([0, 0, 1, 255, 0]);
  expect([...of("int64")]).toEqual([-2n, 0n, 1n, 300n, 0n]);
  expect([...of("bool")]).toEqual([1, 0, 1, 1, 1]);
  expect([...of("float64")]).toEqual([Math.fround(-2.7), 0, 1.5, 300, Number.NaN]);
  expect([...fromFloat32(new Float32Array([1e30, -1e30]), "int64")]).toEqual([2n ** 63n - 1n, -(2n ** 63n)]);
  expect([...toFloat32(tensor("int64", [2], new BigInt64Array([-5n, 2n ** 40n])))]).toEqual([-5, 2 ** 40]);
  expect([...toFloat32(tensor("float64", [1], new Float64Array([0.1])))]).toEqual([Math.fround(0.1)]);
  const same = new Float32Array(2);
  expect(toFloat32(tensor("float32", [2], same))).toBe(same);
});
