export interface PartRow {
  readonly name: string;
  readonly value: number;
  /** Start and length of the bar, each 0..1 of the panel's width. */
  readonly from: number;
  readonly length: number;
}

/** Rows with bars on one common scale through zero. Names in their own order. */
export function partRows(parts: Readonly<Record<string, number>>): readonly PartRow[] {
  const values = Object.values(parts).filter(Number.isFinite);
  const low = Math.min(0, ...values);
  const high = Math.max(0, ...values);
  const span = high - low || 1;
  return Object.entries(parts).map(([name, value]) => {
    const x = Number.isFinite(value) ? value : 0;
    return { name, value, from: (Math.min(0, x) - low) / span, length: Math.abs(x) / span };
  });
}
