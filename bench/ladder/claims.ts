// What the paper's effect and its mending would show, and whether these runs show it.
import type { Interval } from "../../nodes/shared/metrics/bootstrap-mean.ts";
import type { CellRun } from "./cell-run.ts";
import { COPY_PASTE, ID_CONF, ID_SIM, intervalOf, MISSING, type Quantity, SWAPS } from "./statistics.ts";

export interface Claim {
  readonly text: string;
  readonly holds: boolean;
  readonly numbers: string;
}

/** Runs of the five steps by name. Steps that have not run give no claim. */
export function claims(runs: (cell: string) => readonly CellRun[]): Claim[] {
  const of = (cell: string, quantity: Quantity) => intervalOf(runs(cell), quantity);
  const made: Claim[] = [];
  /** One claim about two cells' intervals. */
  const claim = (text: string, quantity: Quantity, cells: readonly [string, string], holds: (a: Interval, b: Interval) => boolean) => {
    if (cells.some((cell) => runs(cell).length === 0)) return;
    const [a, b] = [of(cells[0], quantity), of(cells[1], quantity)];
    const numbers = cells.map((cell, k) => `${cell} ${shown(k === 0 ? a : b, quantity)}`).join(", ");
    made.push({ text, holds: a !== undefined && b !== undefined && holds(a, b), numbers });
  };
  const isAbove = (a: Interval, b: Interval) => b.low > a.high;
  claim("SIR's ID-Sim above SFT's, intervals apart", ID_SIM, ["sft", "sir"], isAbove);
  claim("MIMR's ID-Sim above SIR's, intervals apart", ID_SIM, ["sir", "mimr"], isAbove);
  claim("The corrected form's ID-Sim above MIMR's, intervals apart", ID_SIM, ["mimr", "balanced"], isAbove);
  claim("The corrected form's ID-Sim at least 1.6 times the base's", ID_SIM, ["base", "balanced"], (a, b) => b.mean >= 1.6 * a.mean);
  claim("ID-Conf above the base's, intervals apart", ID_CONF, ["base", "balanced"], isAbove);
  for (const quantity of [SWAPS, MISSING]) {
    claim(`Under half of the base's ${quantity.title}`, quantity, ["base", "balanced"], (a, b) => b.mean < a.mean / 2);
    claim(`Fewer ${quantity.title} than \`umo\``, quantity, ["mimr", "balanced"], (a, b) => b.mean < a.mean);
  }
  claim("Copy-paste at most 0.05 above the base's", COPY_PASTE, ["base", "balanced"], (a, b) => b.mean <= a.mean + 0.05);
  return made;
}

/** `31.8 [30.1, 33.4]`. */
export function shown(interval: Interval | undefined, { digits }: Quantity): string {
  if (!interval) return "not measured";
  const { mean, low, high } = interval;
  const [m, l, h] = [mean, low, high].map((x) => x.toFixed(digits).replace("-", "−"));
  return `${m} [${l}, ${h}]`;
}
