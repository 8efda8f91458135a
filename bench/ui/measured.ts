import { textTable } from "../text-table.ts";

/** One line of a section. */
export interface Measured {
  readonly name: string;
  readonly value: number;
  readonly unit: "ms" | "fps" | "KB";
  /** Absent where a number only explains others. */
  readonly goal?: { readonly most: number } | { readonly least: number };
}

/** Name, number, goal, and how far from the goal it is: up to 1.00 the goal is met. */
export function measuredTable(lines: readonly Measured[]): string {
  return textTable(
    ["", "measured", "goal", "ratio (≤ 1 is met)"],
    lines.map(({ name, value, unit, goal }) => {
      const text = `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`;
      if (!goal) return [name, text, "", ""];
      return "most" in goal
        ? [name, text, `≤ ${goal.most} ${unit}`, (value / goal.most).toFixed(2)]
        : [name, text, `≥ ${goal.least} ${unit}`, (goal.least / value).toFixed(2)];
    }),
  );
}

/** @param share 0.5 = the median @throws RangeError when there are no values */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const found = sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  if (found === undefined) throw new RangeError("nothing was measured");
  return found;
}
