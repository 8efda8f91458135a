// What a file was made with: a picture, a LoRA, a run's record. Each carries the graph that made it.
import { open, readFile, stat } from "node:fs/promises";
import { AppError, toAppError } from "../base/errors.ts";
import { parseJson, stringifyJson } from "../base/json.ts";
import { readPngText } from "../formats/png-metadata.ts";
import { readSafetensorsHeader } from "../formats/safetensors.ts";

/** Pictures that hold a workflow are larger than workflows. */
const MAX_BYTES = 256 * 2 ** 20;
const LIMITS = { maxCharacters: MAX_BYTES, maxDepth: 100 };
const PNG = [0x89, 0x50, 0x4e, 0x47];

export interface MadeWith {
  readonly kind: "picture" | "weights" | "run" | "workflow";
  /** Everything it says, by name. */
  readonly about: Readonly<Record<string, unknown>>;
  /** The graph, as text: of the editor or in API form. Absent when the file says none. */
  readonly graph?: string;
  /** For a run: the workflow file it was started from. Its input files are in the same folder. */
  readonly origin?: string;
}

/** @throws AppError USAGE_FILE when the file cannot be read; what its parser throws */
export async function madeWith(path: string): Promise<MadeWith> {
  const unreadable = (error: unknown) =>
    new AppError("USAGE_FILE", `cannot read ${path}: ${toAppError(error).message}`, {
      hint: "name a picture, a LoRA, a run.json or a workflow file",
    });
  if (/\.safetensors$/i.test(path)) return ofWeights(path, unreadable);
  let bytes: Uint8Array;
  try {
    if ((await stat(path)).size > MAX_BYTES) throw new Error("it is too large for a workflow");
    bytes = await readFile(path);
  } catch (error) {
    throw unreadable(error);
  }
  if (PNG.every((byte, i) => bytes[i] === byte)) {
    const text = readPngText(bytes);
    const graph = text.get("workflow") ?? text.get("prompt");
    return {
      kind: "picture",
      about: Object.fromEntries([...text].map(([name, value]) => [name, jsonOr(value)])),
      ...(graph !== undefined && { graph }),
    };
  }
  const text = new TextDecoder().decode(bytes);
  if (/"format"\s*:\s*"whos-who\.run"/.test(text.slice(0, 200))) {
    const record = jsonOr(text);
    if (isRecord(record))
      return {
        kind: "run",
        about: record,
        ...(record.graph !== undefined && { graph: stringifyJson(record.graph) }),
        ...originOf(record.workflow),
      };
  }
  return { kind: "workflow", about: {}, graph: text };
}

async function ofWeights(path: string, unreadable: (error: unknown) => AppError): Promise<MadeWith> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(path, "r");
  } catch (error) {
    throw unreadable(error);
  }
  try {
    const { size } = await file.stat();
    const { metadata } = await readSafetensorsHeader(async (offset, length) => {
      const buffer = new Uint8Array(length);
      const { bytesRead } = await file.read(buffer, 0, length, offset);
      return buffer.subarray(0, bytesRead);
    }, size);
    const about = Object.fromEntries(Object.entries(metadata).map(([name, value]) => [name, jsonOr(value)]));
    return { kind: "weights", about, ...(metadata.prompt !== undefined && { graph: metadata.prompt }) };
  } finally {
    await file.close();
  }
}

function originOf(workflow: unknown): { origin?: string } {
  return isRecord(workflow) && typeof workflow.file === "string" ? { origin: workflow.file } : {};
}

function jsonOr(text: string): unknown {
  try {
    return parseJson(text, LIMITS);
  } catch {
    return text;
  }
}

function isRecord(x: unknown): x is Readonly<Record<string, unknown>> {
  return typeof x === "object" && x !== null && !Array.isArray(x);
}
