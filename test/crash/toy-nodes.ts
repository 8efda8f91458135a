// Nodes that misbehave on request, for tests of host and CLI.
import { existsSync } from "node:fs";
import { z } from "zod";
import { AppError } from "../../engine/base/errors.ts";
import { type AnyNode, defineNode, input, optional, widget } from "../../engine/node/define-node.ts";
import { socket } from "../../engine/node/socket.ts";

const NUMBER = socket<number>("NUMBER");

const never = () => new Promise<never>(() => undefined);
/** Lets messages in. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

export const toyNodes: readonly AnyNode[] = [
  defineNode({
    type: "ToyNumber",
    version: "1.0.0",
    category: "toy",
    summary: "A number that takes some milliseconds to make.",
    inputs: { value: widget(z.number().min(0).max(100).default(1), { tooltip: "The number." }), seed: widget(z.int().default(0)) },
    outputs: { NUMBER },
    cache: "seeded",
    async run({ value }, ctx) {
      const started = ctx.now();
      while (ctx.now() - started < 25) await turn();
      ctx.score("value", value);
      return { NUMBER: value };
    },
  }),
  defineNode({
    type: "ToyTrouble",
    version: "1.0.0",
    category: "toy",
    summary: "Ends the process, hangs or throws, unless a file of that name exists; hold waits until it does.",
    inputs: {
      a: input(NUMBER),
      trouble: widget(
        z.enum([
          "none",
          "SIGKILL",
          "SIGSEGV",
          "SIGABRT",
          "SIGSTOP",
          "exit",
          "memory",
          "reject",
          "throw",
          "loop",
          "wait",
          "kernel",
          "progress",
          "hold",
          "finish",
        ]),
      ),
      unless: widget(z.string().default("")),
    },
    outputs: { NUMBER },
    cache: "pure",
    async run({ a, trouble, unless }, ctx) {
      if (unless !== "" && existsSync(unless)) return { NUMBER: a };
      ctx.progress(0, 1, "trouble");
      if (trouble.startsWith("SIG")) {
        process.kill(process.pid, trouble);
        await never();
      }
      if (trouble === "exit") process.exit(0);
      if (trouble === "throw") throw new AppError("TOY", "the toy failed", { hint: "choose another trouble" });
      if (trouble === "reject") void Promise.reject(new Error("nobody caught this"));
      if (trouble === "reject" || trouble === "wait") await never();
      while (trouble === "loop");
      while (trouble === "hold" && !existsSync(unless)) await turn();
      if (trouble === "kernel") await ctx.compute.run({ outputs: {} }, {});
      for (let i = 0; trouble === "progress"; i++) {
        ctx.progress(i % 10, 10);
        await turn();
      }
      return { NUMBER: a };
    },
  }),
  defineNode({
    type: "ToyTrain",
    version: "1.0.0",
    category: "toy",
    summary: "Makes steps until it is told to stop, then saves and says so.",
    inputs: { slow: widget(z.boolean().default(true)) },
    outputs: { NUMBER },
    cache: "pure",
    stop: "finish",
    dryRun: () => ({ estimate: { steps: 1000, seconds: 60, notes: ["forever"] } }),
    async run(_inputs, ctx) {
      const dir = await ctx.runDirectory("train");
      ctx.show({ training: [{ directory: "train", updates: 1000 }] });
      ctx.log("warn", "nothing is learned", { code: "TRAIN_NOTHING_LEARNED", update: 1, hint: "train something" });
      for (let step = 0; !ctx.signal.aborted; step++) {
        ctx.progress(step, 1e9);
        await turn();
      }
      const stopped = ctx.now();
      // Longer than the grace period of the test.
      while (ctx.now() - stopped < 300) await turn();
      await dir.write("checkpoint.safetensors", new Uint8Array(1));
      throw new AppError("CANCELLED", "stopped after a checkpoint", { hint: "run it again" });
    },
  }),
  defineNode({
    type: "ToyPreview",
    version: "1.0.0",
    category: "toy",
    summary: "Waits until a file exists, shows how it stands while someone watches, and tells how often it was asked to.",
    inputs: { until: widget(z.string()) },
    outputs: { NUMBER },
    cache: "never",
    async run({ until }, ctx) {
      let shown = 0;
      for (let i = 0; !existsSync(until); i++) {
        const wanted = ctx.wantsPreview?.() ?? false;
        if (wanted) shown++;
        ctx.progress(i, 1e9, undefined, wanted ? { mime: "image/jpeg", bytes: Uint8Array.of(0xff, 0xd8, shown) } : undefined);
        await turn();
      }
      return { NUMBER: shown };
    },
  }),
  defineNode({
    type: "ToySave",
    version: "1.0.0",
    category: "toy",
    summary: "Saves a number as text, and an input file beside it.",
    inputs: { a: input(NUMBER), also: optional(NUMBER), file: widget(z.string().default(""), { file: { kind: "input" } }) },
    outputs: {},
    cache: "never",
    isOutput: true,
    async run({ a, file }, ctx) {
      await ctx.save("number", "txt", new TextEncoder().encode(`${a}`));
      if (file !== "") await ctx.saveAs("copy.txt", await ctx.readInput(file));
      ctx.score("saved", a);
      ctx.show({ text: [a] });
      return {};
    },
  }),
];
