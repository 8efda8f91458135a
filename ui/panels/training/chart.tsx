// One chart with up to two scales. Its crosshair moves with those of the other charts.
import { useEffect, useMemo, useRef } from "preact/hooks";
import uPlot from "uplot";
import type { Curves } from "../../../engine/api/training.ts";
import { short } from "../numbers.ts";
import { useWidth } from "../use-width.ts";
import { align, type Curve, commonRange, decimate, smooth, withoutOutliers } from "./series.ts";

export interface Line {
  /** Unique in the chart. */
  readonly key: string;
  readonly label: string;
  readonly curve: Curve;
  readonly scale: "left" | "right";
  /** Index into the theme's hues. */
  readonly hue: number;
  readonly dashed: boolean;
}

interface Props {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly smoothing: number;
  readonly alarms: Curves["alarms"];
  readonly best: Curves["best"];
  /** Charts of one key share their crosshair. */
  readonly sync: string;
  readonly height?: number;
  /** Told the update under the crosshair, null when there is none. */
  readonly onUpdate?: (update: number | null) => void;
}

/** Redrawn when the theme, the data or the size changes; all of it is quick, so nothing is kept in step by hand. */
export function Chart({ title, lines, smoothing, alarms, best, sync, height = 180, onUpdate }: Props) {
  const { ref, width } = useWidth<HTMLDivElement>();
  const plot = useRef<uPlot>(undefined);
  const told = useRef(onUpdate);
  told.current = onUpdate;
  const marks = useRef({ alarms, best });
  marks.current = { alarms, best };
  const aligned = useMemo(() => align(lines.map((l) => l.curve)), [lines]);
  const drawn = useMemo(() => {
    const ys = aligned.ys.map((y, i) => (lines[i]?.dashed ? [...y] : smooth(aligned.x, smoothing > 0 ? withoutOutliers(y) : y, smoothing)));
    const range = (scale: Line["scale"]) => commonRange(aligned.ys.filter((_, i) => lines[i]?.scale === scale));
    return { ...decimate(aligned.x, ys, Math.max(64, width)), left: range("left"), right: range("right") };
  }, [aligned, smoothing, width, lines]);
  const ranges = useRef(drawn);
  ranges.current = drawn;
  const shape = lines.map((l) => `${l.key} ${l.hue} ${l.dashed} ${l.scale}`).join("|");
  const theme = document.documentElement.dataset.theme;

  useEffect(() => {
    const element = ref.current;
    if (!element || width === 0) return undefined;
    const style = getComputedStyle(element);
    const color = (name: string): string => style.getPropertyValue(name).trim() || "#888";
    const axis = {
      stroke: color("--t3"),
      font: `11px ${color("--font")}`,
      grid: { stroke: color("--line"), width: 0.5 },
      ticks: { show: false },
    };
    const hasRight = lines.some((l) => l.scale === "right");
    const numbers = (_: uPlot, values: number[]): string[] => values.map(short);
    const made = new uPlot(
      {
        width,
        height,
        legend: { show: false },
        padding: [8, hasRight ? 0 : 24, 0, 0],
        cursor: { sync: { key: sync }, drag: { x: true, y: false }, points: { size: 7 } },
        scales: {
          x: { time: false, range: (_, min, max) => (min === max ? [min - 0.5, max + 0.5] : [min, max]) },
          left: { range: () => bounds(ranges.current.left) },
          right: { range: () => bounds(ranges.current.right) },
        },
        axes: [
          {
            ...axis,
            size: 22,
            values: numbers,
            incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6],
          },
          { ...axis, scale: "left", size: 56, values: numbers },
          { ...axis, scale: "right", side: 1, size: 56, values: numbers, grid: { show: false }, show: hasRight },
        ],
        series: [
          {},
          ...lines.map((l) => ({
            label: l.label,
            scale: l.scale,
            stroke: color(`--hue-${l.hue}`),
            width: l.dashed ? 2.25 : 1.5,
            dash: l.dashed ? [6, 4] : [],
            spanGaps: true,
            points: { show: l.curve.x.length <= 40 || l.dashed, size: 4, fill: color(`--hue-${l.hue}`) },
          })),
        ],
        hooks: {
          draw: [(u) => drawMarks(u, marks.current, color)],
          setCursor: [
            (u) => {
              const at = u.cursor.idx;
              told.current?.(at === null || at === undefined ? null : (u.data[0]?.[at] ?? null));
            },
          ],
        },
      },
      [ranges.current.x, ...ranges.current.ys] as uPlot.AlignedData,
      element,
    );
    plot.current = made;
    return () => {
      plot.current = undefined;
      made.destroy();
    };
  }, [shape, theme, height, sync, width]);

  useEffect(() => {
    plot.current?.setData([drawn.x, ...drawn.ys] as uPlot.AlignedData);
  }, [drawn, alarms, best]);

  const outside = (drawn.left?.outside ?? 0) + (drawn.right?.outside ?? 0);
  return (
    <figure class="chart">
      <figcaption class="row">
        <h3 class="grow">{title}</h3>
        {outside > 0 && (
          <span class="small dimmer" title="The scale follows the bulk of the points; a few lie beyond it.">
            {outside} {outside === 1 ? "point" : "points"} off the scale
          </span>
        )}
      </figcaption>
      <div ref={ref} class="chart-plot" role="img" aria-label={summary(title, lines)} />
    </figure>
  );
}

function bounds(range: { readonly min: number; readonly max: number } | undefined): [number, number] {
  return range ? [range.min, range.max] : [0, 1];
}

/** What a person who can't see it hears: first and last value of each curve. */
function summary(title: string, lines: readonly Line[]): string {
  const told = lines.map(({ label, curve }) => {
    const y = curve.y.filter((v) => v !== null);
    const [first, last] = [y[0], y.at(-1)];
    return first === undefined || last === undefined ? `${label}: no value` : `${label}: from ${short(first)} to ${short(last)}`;
  });
  return `${title}. ${told.join("; ")}.`;
}

/** A line from top to bottom at each alarm, with a triangle at its head; a lighter one where held-out was best. */
function drawMarks(u: uPlot, { alarms, best }: Pick<Curves, "alarms" | "best">, color: (name: string) => string): void {
  const { ctx, bbox } = u;
  const ratio = devicePixelRatio;
  const line = (update: number, stroke: string, head: "triangle" | "dot"): void => {
    const x = Math.round(u.valToPos(update, "x", true)) + 0.5;
    if (x < bbox.left || x > bbox.left + bbox.width) return;
    ctx.save();
    ctx.strokeStyle = stroke;
    ctx.fillStyle = stroke;
    ctx.lineWidth = ratio;
    ctx.setLineDash([2 * ratio, 3 * ratio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    ctx.beginPath();
    const r = 4.5 * ratio;
    if (head === "dot") ctx.arc(x, bbox.top, r * 0.8, 0, 7);
    else {
      ctx.moveTo(x - r, bbox.top - r * 0.6);
      ctx.lineTo(x + r, bbox.top - r * 0.6);
      ctx.lineTo(x, bbox.top + r);
    }
    ctx.fill();
    ctx.restore();
  };
  if (best) line(best.update, color("--good"), "dot");
  for (const { update } of alarms) line(update, color("--warn"), "triangle");
}
