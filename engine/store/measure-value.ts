import { heldBy } from "../node/holding.ts";

/** What a value weighs, and whether it is data alone. */
export interface Measure {
  /** Typed arrays exactly, everything else roughly; what was declared with `holding` counts too. Shared memory counts once. */
  readonly bytes: number;
  /** The part of `bytes` in array buffers, by buffer: values may share them. */
  readonly buffers: ReadonlyMap<object, number>;
  /** Nothing but numbers, text, typed arrays, lists, plain objects, maps and sets: it can be written down and read back. */
  readonly isPlain: boolean;
}

const OBJECT_BYTES = 48;

/** Walks a value without recursion; cycles are followed once. */
export function measureValue(value: unknown): Measure {
  let bytes = 0;
  let isPlain = true;
  const seen = new Set<object>();
  const buffers = new Map<object, number>();
  const stack: unknown[] = [value];
  const take = (buffer: ArrayBufferLike): void => {
    if (!buffers.has(buffer)) bytes += buffer.byteLength;
    buffers.set(buffer, buffer.byteLength);
  };
  while (stack.length > 0) {
    const v = stack.pop();
    if (typeof v === "string") bytes += 2 * v.length;
    else if (typeof v === "function" || typeof v === "symbol") isPlain = false;
    if ((typeof v !== "object" && typeof v !== "function") || v === null) {
      bytes += 8;
      continue;
    }
    if (seen.has(v)) continue;
    seen.add(v);
    bytes += OBJECT_BYTES;
    stack.push(...heldBy(v));
    if (typeof v === "function") continue;
    // A view keeps its whole buffer alive.
    if (ArrayBuffer.isView(v)) take(v.buffer);
    else if (v instanceof ArrayBuffer || v instanceof SharedArrayBuffer) take(v);
    else if (Array.isArray(v)) for (const x of v) stack.push(x);
    else if (v instanceof Map) for (const [k, x] of v) stack.push(k, x);
    else if (v instanceof Set) for (const x of v) stack.push(x);
    else {
      const prototype: unknown = Object.getPrototypeOf(v);
      if (prototype !== Object.prototype && prototype !== null) isPlain = false;
      // A getter could compute anything, so it is not called.
      for (const d of Object.values(Object.getOwnPropertyDescriptors(v)))
        if ("value" in d) stack.push(d.value);
        else isPlain = false;
    }
  }
  return { bytes, buffers, isPlain };
}
