// Samples over the updates: one seed in each row. Two pictures are compared by dragging one onto the other, or by choosing both.
import { useState } from "preact/hooks";
import { type FileRef, fileUrl } from "../../../engine/api/files.ts";
import type { Samples } from "../../../engine/api/training.ts";
import { CompareSlider } from "../compare-slider.tsx";
import { type SampleCell, sampleGrid } from "./sample-grid.ts";

interface Props {
  readonly samples: Samples["samples"];
  /** In the heading, when two runs stand side by side. */
  readonly title?: string;
}

export function SampleStrip({ samples, title = "Samples" }: Props) {
  const [chosen, setChosen] = useState<readonly SampleCell[]>([]);
  const grid = sampleGrid(samples);
  if (grid.rows.length === 0)
    return (
      <section class="samples">
        <h3>{title}</h3>
        <p class="dim">No samples yet. They are drawn every sample_every updates, and at the end.</p>
      </section>
    );
  const choose = (cell: SampleCell): void => {
    const rest = chosen.filter((c) => c !== cell);
    setChosen(rest.length < chosen.length ? rest : [...chosen.slice(-1), cell]);
  };
  const [before, after] = chosen;
  return (
    <section class="samples">
      <div class="row">
        <h3 class="grow">{title}</h3>
        <span class="small dimmer">Same seed in one row. Drag one picture onto another to compare them.</span>
      </div>
      <div class="samples-scroll">
        <table>
          <thead>
            <tr>
              {grid.columns.map((c) => (
                <th key={c} scope="col">
                  {c}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {grid.rows.map((row, i) => (
              <tr key={row.row}>
                {row.cells.map((cell, j) => (
                  <td key={grid.columns[j]}>
                    {cell && (
                      <Thumb
                        cell={cell}
                        label={`Row ${i + 1}, ${cell.label}`}
                        isChosen={chosen.includes(cell)}
                        onChoose={() => choose(cell)}
                        onDropOn={(file) => {
                          const other = grid.rows.flatMap((r) => r.cells).find((c) => c && fileUrl(c.file) === file);
                          if (other && other !== cell) setChosen([other, cell]);
                        }}
                      />
                    )}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {before && !after && <p class="small dim">{before.label} chosen. Choose another to compare.</p>}
      {before && after && (
        <CompareSlider
          before={{ file: before.file, label: before.label }}
          after={{ file: after.file, label: after.label }}
          onClose={() => setChosen([])}
        />
      )}
    </section>
  );
}

interface ThumbProps {
  readonly cell: SampleCell;
  readonly label: string;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
  readonly onDropOn: (url: string) => void;
}

const MIME = "application/x-whos-who-sample";

function Thumb({ cell, label, isChosen, onChoose, onDropOn }: ThumbProps) {
  const [isOver, setOver] = useState(false);
  const url = (file: FileRef, width?: number): string => fileUrl(file, width);
  return (
    <button
      type="button"
      class={`sample${isOver ? " over" : ""}`}
      aria-pressed={isChosen}
      aria-label={label}
      draggable
      onClick={onChoose}
      onDragStart={(e) => e.dataTransfer?.setData(MIME, url(cell.file))}
      onDragOver={(e) => {
        if (!e.dataTransfer?.types.includes(MIME)) return;
        e.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(e) => {
        e.preventDefault();
        setOver(false);
        onDropOn(e.dataTransfer?.getData(MIME) ?? "");
      }}
    >
      <img src={url(cell.file, 256)} alt="" loading="lazy" draggable={false} />
    </button>
  );
}
