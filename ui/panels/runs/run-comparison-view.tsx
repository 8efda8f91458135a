// Two runs side by side: pictures under a slider, numbers with their differences, settings that are not alike.
import type { ComponentChildren } from "preact";
import type { RunDetail } from "../../../engine/api/runs.ts";
import { CompareSlider } from "../compare-slider.tsx";
import { bytes, duration, short } from "../numbers.ts";
import { type NumberRow, scoreRows, settingRows } from "./run-differences.ts";

interface Props {
  readonly before: RunDetail;
  readonly after: RunDetail;
  readonly beforeName: string;
  readonly afterName: string;
}

export function RunComparisonView({ before, after, beforeName, afterName }: Props) {
  const settings = settingRows(before, after);
  const scores = scoreRows(before.summary, after.summary);
  const pairs = after.summary.pictures.flatMap((file, i) => {
    const other = before.summary.pictures[i];
    return other ? [{ file, other }] : [];
  });
  const cost: readonly (readonly [string, number | null, number | null, (x: number) => string])[] = [
    ["time", before.summary.ms, after.summary.ms, (ms) => duration(ms / 1000)],
    ["peak memory", before.summary.peakMemoryBytes, after.summary.peakMemoryBytes, bytes],
  ];
  return (
    <div class="comparison">
      {pairs.slice(0, 4).map(({ file, other }) => (
        <CompareSlider
          key={`${file.subfolder}/${file.filename}`}
          before={{ file: other, label: "The other run" }}
          after={{ file, label: "This run" }}
        />
      ))}
      <section>
        <h3>Settings that differ</h3>
        {settings.length === 0 ? (
          <p class="dim">Both ran with the same settings.</p>
        ) : (
          <Table head={["Setting", beforeName, afterName]}>
            {settings.map((s) => (
              <tr key={`${s.title} ${s.input}`}>
                <th scope="row">
                  {s.input} <span class="dimmer small">{s.title}</span>
                </th>
                <td>{s.before ?? <span class="dimmer">default</span>}</td>
                <td>{s.after ?? <span class="dimmer">default</span>}</td>
              </tr>
            ))}
          </Table>
        )}
      </section>
      <section>
        <h3>Numbers</h3>
        <Table head={["", beforeName, afterName, "Change"]}>
          {scores.map((r) => (
            <tr key={r.name}>
              <th scope="row">{r.name}</th>
              <td class="number">{cell(r.before)}</td>
              <td class="number">{cell(r.after)}</td>
              <td class="number">{changeOf(r)}</td>
            </tr>
          ))}
          {cost.map(([name, a, b, text]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td class="number">{a === null ? "" : text(a)}</td>
              <td class="number">{b === null ? "" : text(b)}</td>
              <td class="number">{a && b ? `${b >= a ? "+" : "−"}${Math.round(100 * Math.abs(b / a - 1))} %` : ""}</td>
            </tr>
          ))}
        </Table>
      </section>
    </div>
  );
}

function Table({ head, children }: { readonly head: readonly string[]; readonly children: ComponentChildren }) {
  return (
    <div class="matrix-scroll">
      <table class="plain-table">
        <thead>
          <tr>
            {head.map((h) => (
              <th key={h} scope="col">
                {h}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}

function cell(value: number | undefined): string {
  return value === undefined ? "" : short(value);
}

function changeOf({ change }: NumberRow): string {
  if (change === undefined) return "";
  return change === 0 ? "0" : `${change > 0 ? "+" : ""}${short(change)}`;
}
