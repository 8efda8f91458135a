// Two trainings: the same curve of both in one chart, samples side by side, and what was set differently.
import { useId, useMemo, useState } from "preact/hooks";
import type { Curves, Samples } from "../../../engine/api/training.ts";
import { Chart, type Line } from "./chart.tsx";
import type { OtherRun } from "./other-run.ts";
import { SampleStrip } from "./sample-strip.tsx";
import { baseName, chartGroups, mainCurve } from "./series.ts";
import { settingDifferences } from "./setting-differences.ts";

interface Props {
  readonly name: string;
  readonly curves: Curves;
  readonly samples: Samples["samples"];
  readonly other: OtherRun;
  readonly smoothing: number;
}

const OWN = 1;
const OTHER = 2;

export function RunComparison({ name, curves, samples, other, smoothing }: Props) {
  const sync = useId();
  const groups = useMemo(() => chartGroups(curves.curves), [curves]);
  const differences = useMemo(() => settingDifferences(other.curves.settings, curves.settings), [curves, other]);
  return (
    <div class="comparison">
      <p class="legend-pair">
        <i class={`swatch hue-${OWN}`} aria-hidden="true" /> {name} <span class="dimmer">(this run)</span>
        <i class={`swatch hue-${OTHER}`} aria-hidden="true" /> {other.name}
        <span class="small dimmer">held-out dashed</span>
      </p>
      <section aria-label="Settings that differ">
        <h3>Settings that differ</h3>
        {differences.length === 0 ? (
          <p class="dim">Both were trained with the same settings.</p>
        ) : (
          <div class="matrix-scroll">
            <table class="plain-table">
              <thead>
                <tr>
                  <th scope="col">Setting</th>
                  <th scope="col">This run</th>
                  <th scope="col">{other.name}</th>
                </tr>
              </thead>
              <tbody>
                {differences.map((d) => (
                  <tr key={d.name}>
                    <th scope="row">{d.name}</th>
                    <td>{d.after ?? <span class="dimmer">default</span>}</td>
                    <td>{d.before ?? <span class="dimmer">default</span>}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
      <div class="charts">
        {groups.map((g) => (
          <ComparedChart
            key={g.id}
            names={[...new Set([...g.left, ...g.right].map((c) => baseName(c.name)))]}
            title={g.title}
            curves={curves}
            other={other}
            smoothing={smoothing}
            sync={sync}
          />
        ))}
      </div>
      <div class="side-by-side">
        <SampleStrip samples={samples} title={`Samples of ${name}`} />
        <SampleStrip samples={other.samples} title={`Samples of ${other.name}`} />
      </div>
    </div>
  );
}

interface ChartProps {
  readonly title: string;
  /** Without the prefix of held-out ones: both are drawn. */
  readonly names: readonly string[];
  readonly curves: Curves;
  readonly other: OtherRun;
  readonly smoothing: number;
  readonly sync: string;
}

function ComparedChart({ title, names, curves, other, smoothing, sync }: ChartProps) {
  const first = mainCurve(names);
  const [chosen, setChosen] = useState<string>();
  const name = chosen ?? first;
  const lines = useMemo(
    () =>
      [
        { run: "this run", hue: OWN, from: curves },
        { run: other.name, hue: OTHER, from: other.curves },
      ].flatMap(({ run, hue, from }) =>
        from.curves
          .filter((c) => name !== undefined && baseName(c.name) === name && c.x.length > 0)
          .map(
            (curve): Line => ({
              key: `${hue} ${curve.name}`,
              label: `${curve.name}, ${run}`,
              curve,
              scale: "left",
              hue,
              dashed: curve.isHeldOut,
            }),
          ),
      ),
    [name, curves, other],
  );
  if (name === undefined) return null;
  return (
    <div class="chart-group">
      <Chart title={title} lines={lines} smoothing={smoothing} alarms={[]} best={null} sync={sync} />
      {names.length > 1 && (
        <select class="field" aria-label={`Curve of ${title}`} value={name} onChange={(e) => setChosen(e.currentTarget.value)}>
          {names.map((n) => (
            <option key={n} value={n}>
              {n}
            </option>
          ))}
        </select>
      )}
    </div>
  );
}
