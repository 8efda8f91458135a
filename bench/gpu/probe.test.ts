// The probe at small sizes: every table is there and full.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { emitOnnx } from "../../engine/onnx/emit.ts";
import { opRow } from "../../engine/ops/table.ts";
import { blockFlops, blockGraph } from "./block.ts";
import { NumberFile } from "./number-file.ts";
import { probeOptions } from "./options.ts";
import { probe } from "./probe.ts";

const SMALL = ["--dim", "64", "--heads", "2", "--tokens", "32,48", "--peak", "64", "--copy", "1", "--runs", "1"];

it("measures block, errors, copies and launches", async () => {
  const lines: string[] = [];
  await probe(probeOptions(["--device", "cpu", "--dtype", "float16", ...SMALL]), (line) => lines.push(line), undefined);
  const text = lines.join("\n");
  for (const row of ["64³ products", "32 tokens, forward", "48 tokens, forward+backward", "1 MiB fed", "tiny nodes", "streams copied"])
    expect(text, row).toMatch(new RegExp(`^.*${row.replaceAll("+", "\\+")}.*\\d\\.\\d`, "m"));
  expect(text).toContain("not installed");
  expect(text).not.toContain("failed");
  const errors = [...text.matchAll(/^(?:streams after|gradient).* (\d\.\de[-+]\d+)$/gm)].map((m) => Number(m[1]));
  expect(errors.length).toBe(4);
  for (const error of errors) {
    expect(error).toBeGreaterThan(0);
    expect(error).toBeLessThan(0.03);
  }
});

it("builds the bfloat16 graphs that CUDA gets", () => {
  const options = probeOptions(["--device", "cuda", ...SMALL]);
  const folder = mkdtempSync(join(tmpdir(), "probe-"));
  const file = new NumberFile(join(folder, "numbers.bin"), 1);
  try {
    const graph = blockGraph(options, file, 48, { tokens: 48, pass: "forward+backward", streams: "copied", compute: options.dtype });
    expect(emitOnnx(graph, opRow).model.length).toBeGreaterThan(1000);
    expect([...new Set(Object.values(graph.outputs).map((v) => v.dtype))]).toEqual(["float32"]);
  } finally {
    file.close();
    rmSync(folder, { recursive: true });
  }
});

it("counts the multiply-adds of the published size", () => {
  const options = probeOptions([]);
  // 24·D²·T + 4·D·T².
  expect(blockFlops(options, { tokens: 1024, pass: "forward" })).toBe(24 * 3072 ** 2 * 1024 + 4 * 3072 * 1024 ** 2);
  expect(() => probeOptions(["--dim", "100", "--heads", "3"])).toThrow(/divide/);
});
