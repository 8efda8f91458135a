import type { FileRef } from "../../../engine/api/files.ts";
import type { Samples } from "../../../engine/api/training.ts";

export interface SampleCell {
  readonly label: string;
  readonly file: FileRef;
}

export interface SampleGrid {
  readonly columns: readonly string[];
  readonly rows: readonly { readonly row: number; readonly cells: readonly (SampleCell | undefined)[] }[];
}

/** References, target, before training, then every sample: what belongs to one update stands in one column. */
export function sampleGrid(samples: Samples["samples"]): SampleGrid {
  const rows = [...new Set(samples.map((s) => s.row))].sort((a, b) => a - b);
  const updates = [...new Set(samples.flatMap((s) => (s.kind === "sample" && s.update !== null ? [s.update] : [])))].sort((a, b) => a - b);
  const references = Math.max(0, ...rows.map((r) => samples.filter((s) => s.row === r && s.kind === "reference").length));
  const hasTarget = samples.some((s) => s.kind === "target");
  const columns = [
    ...Array.from({ length: references }, (_, k) => (references === 1 ? "reference" : `reference ${k + 1}`)),
    ...(hasTarget ? ["target"] : []),
    ...updates.map((u) => (u === 0 ? "before" : `update ${u}`)),
  ];
  return {
    columns,
    rows: rows.map((row) => {
      const own = samples.filter((s) => s.row === row);
      const cell = (file: FileRef | undefined, label: string): SampleCell | undefined => file && { file, label };
      const refs = own.filter((s) => s.kind === "reference");
      return {
        row,
        cells: [
          ...Array.from({ length: references }, (_, k) => cell(refs[k]?.file, columns[k] ?? "reference")),
          ...(hasTarget ? [cell(own.find((s) => s.kind === "target")?.file, "target")] : []),
          ...updates.map((u) => cell(own.find((s) => s.kind === "sample" && s.update === u)?.file, u === 0 ? "before" : `update ${u}`)),
        ],
      };
    }),
  };
}
