import { z } from "zod";
import { defineNode, input, widget } from "../../engine/node/define-node.ts";
import { METRICS } from "../shared/sockets.ts";

export default defineNode({
  type: "CompareMetrics",
  version: "1.0.0",
  category: "evaluate",
  summary: "Two sets of numbers side by side, as a table in the log and in run.json.",
  inputs: {
    before: input(METRICS),
    after: input(METRICS),
    title: widget(z.string().default("held out")),
  },
  outputs: {},
  cache: "never",
  isOutput: true,
  run({ before, after, title }, ctx) {
    const names = [...new Set([...Object.keys(before.values), ...Object.keys(after.values)])];
    const cell = (x: number | undefined) => (x === undefined ? "-" : x.toFixed(4)).padStart(12);
    const line = (name: string, a: string, b: string, c: string) => `${name.padEnd(20)}${a}${b}${c}`;
    const rows = names.map((name) => {
      const [a, b] = [before.values[name], after.values[name]];
      return line(name, cell(a), cell(b), cell(a === undefined || b === undefined ? undefined : b - a));
    });
    const head = line(title, "before".padStart(12), "after".padStart(12), "change".padStart(12));
    ctx.log("info", [head, ...rows].join("\n"));
    ctx.show({ text: [[head, ...rows].join("\n")] });
    ctx.score(title, { before: before.values, after: after.values });
    return {};
  },
});
