import { z } from "zod";
import { AppError } from "../../engine/base/errors.ts";
import { implementNode } from "../../engine/node/define-node.ts";
import type { Metrics } from "../shared/contracts/data.ts";
import declaration from "./save-metrics.node.ts";

const METRICS_VALUE = z.object({ values: z.record(z.string(), z.number()), details: z.unknown().optional() });

/** Joins several tables. A name that occurs twice gets a number: `id_sim`, `id_sim_2`. */
export function mergeMetrics(all: readonly Metrics[]): { readonly values: Record<string, number>; readonly details: unknown[] } {
  const values = new Map<string, number>();
  for (const metrics of all)
    for (const [name, value] of Object.entries(metrics.values)) {
      let free = name;
      for (let i = 2; values.has(free); i++) free = `${name}_${i}`;
      values.set(free, value);
    }
  return { values: Object.fromEntries(values), details: all.flatMap((m) => (m.details === undefined ? [] : [m.details])) };
}

/** Names and numbers in two aligned columns. */
function textTable(values: Readonly<Record<string, number>>): string {
  const width = Math.max(0, ...Object.keys(values).map((name) => name.length));
  return Object.entries(values)
    .map(([name, value]) => `${name.padEnd(width)}  ${value.toPrecision(5)}`)
    .join("\n");
}

export default implementNode(declaration, {
  async run({ metrics_1, filename }, ctx, extra) {
    const more = Object.entries(extra)
      .sort(([a], [c]) => Number(a.slice(8)) - Number(c.slice(8)))
      .flatMap(([name, value]) => {
        if (value === undefined) return [];
        const parsed = METRICS_VALUE.safeParse(value);
        if (!parsed.success) throw new AppError("METRIC_INPUT", `input ${name} carries no metrics`);
        return [parsed.data];
      });
    const merged = mergeMetrics([metrics_1, ...more]);
    await ctx.saveAs(`${filename}.json`, new TextEncoder().encode(`${JSON.stringify(merged, null, 2)}\n`));
    ctx.show({ text: [textTable(merged.values)] });
    return { METRICS: merged };
  },
});
