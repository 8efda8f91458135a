import { implementNode } from "../../engine/node/define-node.ts";
import declaration from "./compare-metrics.node.ts";

export default implementNode(declaration, {
  run({ before, after, title }, ctx) {
    const names = [...new Set([...Object.keys(before.values), ...Object.keys(after.values)])];
    const rows = names.map((metric) => {
      const [a, b] = [before.values[metric], after.values[metric]];
      return { metric, before: a ?? null, after: b ?? null, change: a === undefined || b === undefined ? null : b - a };
    });
    const cell = (x: number | null) => (x === null ? "-" : x.toFixed(4)).padStart(12);
    const head = `${title.padEnd(20)}${["before", "after", "change"].map((w) => w.padStart(12)).join("")}`;
    const lines = rows.map((r) => `${r.metric.padEnd(20)}${cell(r.before)}${cell(r.after)}${cell(r.change)}`);
    ctx.show({ text: [[head, ...lines].join("\n")] });
    ctx.score(`${title}, change`, Object.fromEntries(rows.flatMap((r) => (r.change === null ? [] : [[r.metric, r.change]]))));
    return {};
  },
});
