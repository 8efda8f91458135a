// The ladder's numbers: of one cell over its seeds, and of the difference between two cells.
import { bootstrapMean, type Interval } from "../../nodes/shared/metrics/bootstrap-mean.ts";
import type { CellRun, Row } from "./cell-run.ts";

export interface Quantity {
  readonly title: string;
  /** Undefined where a picture cannot have the number, such as a swap without a face. */
  readonly of: (row: Row) => number | undefined;
  readonly digits: number;
}

const named = (title: string, key: string, digits: number): Quantity => ({ title, of: (row) => row[key], digits });

export const ID_SIM = named("ID-Sim", "id_sim", 1);
export const ID_CONF = named("ID-Conf", "id_conf", 1);
export const SWAPS = named("swaps", "swap_rate", 3);
export const COPY_PASTE = named("copy-paste", "m_cp", 3);
export const MISSING: Quantity = {
  title: "missing people",
  of: ({ faces_found, faces_wanted }) =>
    faces_found === undefined || !faces_wanted ? undefined : Math.max(0, faces_wanted - faces_found) / faces_wanted,
  digits: 3,
};

/** By the encoder that took no part. */
export const QUANTITIES: readonly Quantity[] = [
  ID_SIM,
  named("ID-Sim, matched", "id_sim_matched", 1),
  ID_CONF,
  SWAPS,
  MISSING,
  named("count right", "count_accuracy", 3),
  COPY_PASTE,
  named("blend", "m_bld", 3),
  named("SSIM", "ssim", 3),
];

/** By the reward's encoder: higher here and not above is a fooled reward. */
export const BY_THE_REWARD: readonly Quantity[] = [
  named("ID-Sim", "id_sim_2", 1),
  named("ID-Sim, matched", "id_sim_matched_2", 1),
  named("ID-Conf", "id_conf_2", 1),
];

export const PEOPLE = [1, 2, 3, 4, 5] as const;

/** Mean over scenes and seeds, with its 95 % interval. @param people only scenes of so many */
export function intervalOf(runs: readonly CellRun[], quantity: Quantity, people?: number): Interval | undefined {
  return bootstrapMean(runs.map(({ rows }) => rows.filter((row) => belongs(row, people)).flatMap((row) => quantity.of(row) ?? [])));
}

/** Of `runs` minus of `base`, scene by scene. A base of one seed stands beside each of several. */
export function changeOf(base: readonly CellRun[], runs: readonly CellRun[], quantity: Quantity): Interval | undefined {
  return bootstrapMean(
    runs.map((run) => {
      const other = base.find((b) => b.seed === run.seed) ?? base[0];
      const known = new Map(other?.examples.map((id, k) => [id, other.rows[k]]));
      return run.examples.flatMap((id, k) => {
        const [before, after] = [known.get(id), run.rows[k]];
        const [a, b] = [before && quantity.of(before), after && quantity.of(after)];
        return a === undefined || b === undefined ? [] : [b - a];
      });
    }),
  );
}

function belongs(row: Row, people: number | undefined): boolean {
  return people === undefined || row.faces_wanted === people;
}
