// node bench/gpu/probe.ts --device cpu|webgpu|cuda …: one transformer block of the real width, measured. Prints tables.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { AppError } from "../../engine/base/errors.ts";
import type { Feeds } from "../../engine/ir/compute.ts";
import type { Graph } from "../../engine/ir/value.ts";
import { createRuntime, type Runtime } from "../../engine/ort/runtime.ts";
import { f32 } from "../../engine/tensor/tensor.ts";
import { relativeError } from "../../test/relative-error.ts";
import { findPeer } from "../side.ts";
import { textTable } from "../text-table.ts";
import { type BlockCase, blockFlops, blockGraph, textTokens } from "./block.ts";
import { copyGraph, LAUNCHES, launchGraph, peakGraph } from "./machine-graphs.ts";
import { NumberFile } from "./number-file.ts";
import { type ProbeOptions, probeOptions } from "./options.ts";

const PASSES = ["forward", "forward+backward"] as const;
const ONE: Feeds = { s: f32([], [1]) };

/** What went wrong instead of a number: a row that fails must not take the others with it. */
type Measured = number | string;

/**
 * Measures and prints the tables.
 * @param found the Python that has PyTorch; undefined = none
 */
export async function probe(options: ProbeOptions, print: (text: string) => void, found: ReturnType<typeof findPeer>): Promise<void> {
  const { device, dtype, dim, heads, tokens, rank } = options;
  print(`device ${device}, products in ${dtype}, D ${dim} = ${heads} × ${dim / heads}, LoRA rank ${rank}; minima of ${options.runs}`);
  const folder = mkdtempSync(join(tmpdir(), "probe-"));
  const file = new NumberFile(join(folder, "numbers.bin"), 1);
  const maxTokens = Math.max(...tokens);
  const peer = peerRows(options, found);
  const ours = createRuntime({ device, maxSessions: 1 });
  try {
    const peak = peakGraph(options, file);
    const peakMs = await fastest(ours, peak.graph, ONE, options);
    const rows: string[][] = [
      [`${options.peak}³ products`, ...speed(peakMs, peak.flops, peakMs, peak.flops), ...beside(peakMs, peer("peak"))],
    ];
    for (const count of tokens)
      for (const pass of PASSES) {
        const c: BlockCase = { tokens: count, pass, streams: "inside", compute: dtype };
        const ms = await fastest(ours, blockGraph(options, file, maxTokens, c), ONE, options);
        rows.push([
          `${count} tokens, ${pass}`,
          ...speed(ms, blockFlops(options, c), peakMs, peak.flops),
          ...beside(ms, peer(`${count} ${pass}`)),
        ]);
      }
    print(`\nSpeed\n\n${textTable(["", "ms", "TFLOP/s", "of peak", "PyTorch ms", "ours / PyTorch"], rows)}`);
    print(`\nErrors against float32 on the CPU\n\n${await errors(options, file, maxTokens, ours)}`);
    print(`\nCopies and launches\n\n${await copies(options, file, maxTokens, ours)}`);
  } finally {
    await ours.dispose();
    file.close();
    rmSync(folder, { recursive: true });
  }
}

async function fastest(runtime: Runtime, graph: Graph, feeds: Feeds, { runs }: ProbeOptions): Promise<Measured> {
  try {
    const executable = await runtime.compile(graph, { strategy: "whole" });
    let best = Infinity;
    for (let i = 0; i < runs + 2; i++) {
      const started = performance.now();
      await executable.run(feeds);
      if (i >= 2) best = Math.min(best, performance.now() - started);
    }
    return best;
  } catch (error) {
    return failure(error);
  }
}

function failure(error: unknown): string {
  return `failed: ${error instanceof Error ? error.message.replace(/\s+/g, " ").slice(0, 160) : String(error)}`;
}

function speed(ms: Measured, flops: number, peakMs: Measured, peakFlops: number): string[] {
  if (typeof ms === "string") return [ms, "", ""];
  const rate = flops / ms / 1e9;
  return [
    ms.toFixed(2),
    rate.toPrecision(3),
    typeof peakMs === "string" ? "" : `${((100 * rate) / (peakFlops / peakMs / 1e9)).toFixed(0)} %`,
  ];
}

function beside(ours: Measured, theirs: Measured): string[] {
  if (typeof theirs === "string") return [theirs, ""];
  return [theirs.toFixed(2), typeof ours === "string" ? "" : (ours / theirs).toFixed(2)];
}

/** PyTorch's times on this machine by row name, all taken before ours so that the device is never shared. */
function peerRows(options: ProbeOptions, found: ReturnType<typeof findPeer>): (name: string) => Measured {
  if (!found) return () => "not installed";
  const script = join(import.meta.dirname, "peer.py");
  const device = options.device === "cpu" ? "cpu" : "cuda";
  const asked = JSON.stringify({ ...options, device, text: options.tokens.map(textTokens) });
  const { status, stdout, stderr } = spawnSync(found.python, ["-W", "ignore", script, asked], { encoding: "utf8" });
  if (status !== 0) return () => `failed: ${stderr.trim().split("\n").at(-1) ?? ""}`;
  const rows = z.record(z.string(), z.union([z.number(), z.string()])).parse(JSON.parse(stdout));
  return (name) => rows[name] ?? "not measured";
}

/** The smallest size, from equal weights: the device's dtype against float32 on the CPU. */
async function errors(options: ProbeOptions, file: NumberFile, maxTokens: number, ours: Runtime): Promise<string> {
  const tokens = Math.min(...options.tokens);
  const graph = (compute: BlockCase["compute"]) =>
    blockGraph(options, file, maxTokens, { tokens, pass: "forward+backward", streams: "copied", compute });
  const cpu = createRuntime({ device: "cpu", maxSessions: 1 });
  try {
    const feeds = streamFeeds(options, tokens);
    const truth = await cpu.run(graph("float32"), feeds, { strategy: "whole" });
    const result = await ours.run(graph(options.dtype), feeds, { strategy: "whole" });
    const worst = (matches: (name: string) => boolean) =>
      Math.max(...Object.entries(truth).flatMap(([name, t]) => (matches(name) ? [relativeError(result[name], t)] : [])));
    const kinds: [string, (name: string) => boolean][] = [
      ["streams after the block", (name) => !name.startsWith("d_")],
      ["gradient of the streams", (name) => name === "d_image" || name === "d_text"],
      ["gradients of LoRA A", (name) => /^d_.*\.a$/.test(name)],
      ["gradients of LoRA B", (name) => /^d_.*\.b$/.test(name)],
    ];
    return textTable(
      [`${tokens} tokens`, "largest error / largest value"],
      kinds.map(([name, matches]) => [name, worst(matches).toExponential(1)]),
    );
  } catch (error) {
    return failure(error);
  } finally {
    await cpu.dispose();
  }
}

function streamFeeds({ dim }: ProbeOptions, tokens: number): Feeds {
  const m = textTokens(tokens);
  const wave = (length: number, step: number) =>
    f32(
      [1, length, dim],
      Float32Array.from({ length: length * dim }, (_, i) => Math.sin(step * i)),
    );
  return { image: wave(tokens - m, 0.7), text: wave(m, 1.3) };
}

async function copies(options: ProbeOptions, file: NumberFile, maxTokens: number, ours: Runtime): Promise<string> {
  const { copy: mib } = options;
  const rows: string[][] = [];
  const add = (name: string, ms: Measured, note: (ms: number) => string) =>
    rows.push([name, typeof ms === "string" ? ms : ms.toFixed(3), typeof ms === "string" ? "" : note(ms)]);
  const perSecond = (ms: number) => `${((mib * 2 ** 20) / ms / 1e6).toFixed(2)} GB/s`;
  const x = f32([mib, 2 ** 18], new Float32Array(mib * 2 ** 18).fill(1));
  add("a run of one tiny node", await fastest(ours, launchGraph(1), ONE, options), () => "");
  add(
    `a run of ${LAUNCHES} tiny nodes`,
    await fastest(ours, launchGraph(LAUNCHES), ONE, options),
    (ms) => `${((1000 * ms) / LAUNCHES).toFixed(2)} µs each`,
  );
  add(`${mib} MiB fed, summed there`, await fastest(ours, copyGraph("feed", mib), { x }, options), perSecond);
  add(`${mib} MiB made there, fetched`, await fastest(ours, copyGraph("fetch", mib), ONE, options), perSecond);
  const tokens = Math.min(...options.tokens);
  for (const streams of ["inside", "copied"] as const) {
    const graph = blockGraph(options, file, maxTokens, { tokens, pass: "forward", streams, compute: options.dtype });
    const feeds = streams === "inside" ? ONE : streamFeeds(options, tokens);
    add(`block, ${tokens} tokens, streams ${streams}`, await fastest(ours, graph, feeds, options), () => "");
  }
  return textTable(["", "ms", ""], rows);
}

if (import.meta.main)
  try {
    await probe(probeOptions(process.argv.slice(2)), console.log, findPeer());
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    console.error(`${error.message}${error.hint ? `\n${error.hint}` : ""}`);
    process.exit(1);
  }
