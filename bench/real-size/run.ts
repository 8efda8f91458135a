// Does a model of the released size run on this machine, and how fast? Random weights in the released files' shapes, in scaled float8.
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { byteCount } from "../../engine/base/byte-count.ts";
import { memoryLimit } from "../../engine/base/memory-limit.ts";
import { computeEnvironment } from "../../engine/host/compute-environment.ts";
import { planRealSize, writeRealSize } from "../../tools/real-size.ts";
import { textTable } from "../text-table.ts";
import { measured, PARTS } from "./measure.ts";

const NAMES: Readonly<Record<(typeof PARTS)[number], string>> = {
  matrix: "square matrix products, float32",
  "forward-256": "transformer, 256² and one reference",
  "forward-512": "transformer, 512² and one reference",
  "lora-step-256": "LoRA r16 on all attention, 256²: forward and backward",
  text: "text encoder, one picture and a prompt",
  "encode-1024": "VAE encode 1024²",
  "decode-1024": "VAE decode 1024²",
  "decode-1024-tiled": "VAE decode 1024², tiles of 256²",
};

/**
 * Prints the section. The checkpoint is written where WHOSWHO_REAL_SIZE says, if it is not there yet: 29 GB.
 * WHOSWHO_REAL_SIZE_PARTS (comma separated) measures only some parts. A part that fails makes the exit status 1.
 */
export async function realSize(): Promise<void> {
  const directory = process.env.WHOSWHO_REAL_SIZE;
  if (directory === undefined)
    throw new Error("set WHOSWHO_REAL_SIZE to a folder with 31 GB of room, or one that this was written to before");
  const wanted = process.env.WHOSWHO_REAL_SIZE_PARTS?.split(",");
  const unknown = wanted?.filter((name) => !PARTS.some((part) => part === name)) ?? [];
  if (unknown.length > 0) throw new Error(`WHOSWHO_REAL_SIZE_PARTS: no part ${unknown.join(", ")}; there are: ${PARTS.join(", ")}`);
  await writeRealSize(directory, planRealSize("fp8"), 0, console.log);
  const rows: string[][] = [];
  let peak = Number.NaN;
  for (const part of PARTS) {
    if (wanted && part !== "matrix" && !wanted.includes(part)) continue;
    const { status, stdout } = spawnSync(process.execPath, [join(import.meta.dirname, "measure.ts"), part, directory], {
      encoding: "utf8",
      env: computeEnvironment(),
      stdio: ["ignore", "pipe", "inherit"],
    });
    if (status !== 0) {
      rows.push([NAMES[part], `failed with status ${status}`]);
      process.exitCode = 1;
      continue;
    }
    const { seconds, flops, memory, predicted, readBytes, strategies } = measured.parse(JSON.parse(stdout));
    if (part === "matrix") {
      peak = flops;
      rows.push([NAMES[part], "", "", (flops / 1e12).toFixed(2), "1.00"]);
      continue;
    }
    const rate = flops / seconds;
    rows.push([
      NAMES[part],
      seconds.toFixed(1),
      (flops / 1e12).toFixed(1),
      (rate / 1e12).toFixed(2),
      (rate / peak).toFixed(2),
      byteCount(memory),
      byteCount(predicted),
      byteCount(readBytes),
      strategies.join(", "),
    ]);
  }
  console.log(
    `\nReleased size, random weights, scaled float8; at most ${byteCount(memoryLimit())} of memory. Goal: ≥ 0.60 of the matrix peak at 512².\n`,
  );
  console.log(textTable(["", "s", "TFLOP", "TFLOP/s", "of peak", "memory", "predicted", "read", "run"], rows));
}
