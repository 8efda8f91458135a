import { useMemo, useState } from "preact/hooks";
import type { Curves } from "../../../engine/api/training.ts";
import { short } from "../numbers.ts";
import { Chart, type Line } from "./chart.tsx";
import { baseName, type ChartGroup, type Curve, shownAtFirst } from "./series.ts";

interface Props {
  readonly group: ChartGroup;
  readonly smoothing: number;
  readonly alarms: Curves["alarms"];
  readonly best: Curves["best"];
  readonly sync: string;
  readonly update: number | null;
  readonly onUpdate: (update: number | null) => void;
}

const HUES = [1, 2, 3, 6, 7, 5, 8, 4] as const;

/** A chart with its legend: every curve can be shown and hidden, and has its value under the crosshair, else its last one. */
export function ChartGroupView({ group, smoothing, alarms, best, sync, update, onUpdate }: Props) {
  const all = useMemo(() => [...group.left, ...group.right], [group]);
  const [chosen, setChosen] = useState<ReadonlyMap<string, boolean>>(new Map());
  const first = useMemo(() => new Set([...shownAtFirst(group.left), ...shownAtFirst(group.right)]), [group]);
  const isOn = (c: Curve): boolean => chosen.get(c.name) ?? first.has(c.name);
  const names = [...new Set(all.map((c) => baseName(c.name)))];
  const hueOf = (c: Curve): number => HUES[names.indexOf(baseName(c.name)) % HUES.length] ?? 1;
  const on = all
    .filter(isOn)
    .map((c) => c.name)
    .join(" ");
  const lines = useMemo(
    () =>
      all.filter(isOn).map(
        (curve): Line => ({
          key: curve.name,
          label: curve.name,
          curve,
          scale: group.right.includes(curve) ? "right" : "left",
          hue: hueOf(curve),
          dashed: curve.isHeldOut,
        }),
      ),
    [group, on],
  );
  if (all.length === 0) return null;
  return (
    <div class="chart-group">
      <Chart title={group.title} lines={lines} smoothing={smoothing} alarms={alarms} best={best} sync={sync} onUpdate={onUpdate} />
      <ul class="legend" aria-label={`Curves of ${group.title}`}>
        {all.map((c) => (
          <li key={c.name}>
            <button
              type="button"
              aria-pressed={isOn(c)}
              title={c.isHeldOut ? `${c.name}: on examples that are not trained on` : c.name}
              onClick={() => setChosen(new Map(chosen).set(c.name, !isOn(c)))}
            >
              <svg width="18" height="8" aria-hidden="true">
                <line
                  x1="1"
                  y1="4"
                  x2="17"
                  y2="4"
                  stroke={`var(--hue-${hueOf(c)})`}
                  stroke-width="2"
                  stroke-dasharray={c.isHeldOut ? "5 3" : undefined}
                />
              </svg>
              <span class="cut">{c.isHeldOut ? `${baseName(c.name)}, held out` : c.name}</span>
              <span class="value">{valueAt(c, update)}</span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

function valueAt(curve: Curve, update: number | null): string {
  const at = update === null ? curve.x.length - 1 : curve.x.findLastIndex((x) => x <= update);
  const value = curve.y[at];
  return value === undefined ? "" : value === null ? "not finite" : short(value);
}
