import type { WidgetBox } from "../doc/node-layout.ts";

/** A number after a drag of so many steps. */
export function scrubbed({ state: { face } }: WidgetBox, value: number, steps: number): number {
  const step = face.step ?? (face.type === "INT" ? 1 : 0.01);
  return bounded(face, value + Math.round(steps) * step, step);
}

/** A number after a slider was taken to this share of its width. */
export function slid({ state: { face } }: WidgetBox, share: number): number {
  const min = Number(face.min ?? 0);
  const max = Number(face.max ?? 1);
  return bounded(face, min + Math.min(1, Math.max(0, share)) * (max - min), face.step ?? (face.type === "INT" ? 1 : (max - min) / 100));
}

function bounded(face: WidgetBox["state"]["face"], value: number, step: number): number {
  const digits = Math.min(10, Math.max(0, Math.ceil(-Math.log10(step)) + 1));
  const whole = face.type === "INT" ? Math.round(value) : Number(value.toFixed(digits));
  return Math.min(Number(face.max ?? Infinity), Math.max(Number(face.min ?? -Infinity), whole));
}
