import { z } from "zod";
import { implementNode } from "../../engine/node/define-node.ts";
import type { Metrics } from "../shared/contracts/data.ts";
import { bootstrapMean } from "../shared/metrics/bootstrap-mean.ts";
import declaration from "./compare-metrics.node.ts";

/** What EvaluateEdits tells of every picture: the row of numbers, and the example it belongs to. */
const Measured = z.object({ examples: z.array(z.string()), rows: z.array(z.record(z.string(), z.number().or(z.nan()))) });

export default implementNode(declaration, {
  run({ before, after, title }, ctx) {
    const names = [...new Set([...Object.keys(before.values), ...Object.keys(after.values)])];
    const pairs = pairedRows(before, after);
    const rows = names.map((metric) => {
      const [a, b] = [before.values[metric], after.values[metric]];
      const change = a === undefined || b === undefined ? null : b - a;
      const differences = pairs.flatMap(([x, y]) => (x[metric] === undefined || y[metric] === undefined ? [] : [y[metric] - x[metric]]));
      const finite = differences.filter(Number.isFinite);
      const bad = differences.length - finite.length;
      if (bad > 0)
        ctx.log("warn", `${title}: ${metric} of ${bad} of ${differences.length} examples is not finite: its interval leaves them out`);
      const interval = change !== null && finite.length > 1 ? bootstrapMean([finite]) : undefined;
      return { metric, before: a ?? null, after: b ?? null, change, low: interval?.low ?? null, high: interval?.high ?? null };
    });
    const cell = (x: number | null) => (x === null ? "-" : x.toFixed(4)).padStart(12);
    const head = `${title.padEnd(20)}${["before", "after", "change", "95 % from", "to"].map((w) => w.padStart(12)).join("")}`;
    const lines = rows.map((r) => `${r.metric.padEnd(20)}${[r.before, r.after, r.change, r.low, r.high].map(cell).join("")}`);
    ctx.show({ text: [[head, ...lines].join("\n")] });
    const column = (of: "change" | "low" | "high") => Object.fromEntries(rows.flatMap((r) => (r[of] === null ? [] : [[r.metric, r[of]]])));
    ctx.score(`${title}, change`, column("change"));
    if (pairs.length > 0) {
      ctx.score(`${title}, change at least`, column("low"));
      ctx.score(`${title}, change at most`, column("high"));
    }
    return {};
  },
});

type Row = Readonly<Record<string, number>>;

/** The rows of examples that both sides measured. */
function pairedRows(before: Metrics, after: Metrics): (readonly [Row, Row])[] {
  const [a, b] = [Measured.safeParse(before.details), Measured.safeParse(after.details)];
  if (!a.success || !b.success) return [];
  const known = new Map(a.data.examples.map((id, k) => [id, a.data.rows[k]]));
  return b.data.examples.flatMap((id, k) => {
    const [x, y] = [known.get(id), b.data.rows[k]];
    return x && y ? [[x, y] as const] : [];
  });
}
