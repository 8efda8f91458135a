import { readPngText } from "../formats/png-metadata.ts";
import { parseWorkflow } from "../graph/parse-workflow.ts";

const PNG = [0x89, 0x50, 0x4e, 0x47];

/** The workflow that a PNG carries, or that a JSON file is; null when there is none. @throws AppError for a damaged file */
export function findWorkflow(bytes: Uint8Array): { readonly format: "ui" | "api"; readonly text: string } | null {
  if (!PNG.every((byte, i) => bytes[i] === byte)) {
    const text = new TextDecoder().decode(bytes);
    const read = parseWorkflow(text);
    return read.ok ? { format: read.workflow.format, text } : null;
  }
  const found = readPngText(bytes);
  for (const text of [found.get("workflow"), found.get("prompt")]) {
    const read = text === undefined ? undefined : parseWorkflow(text);
    if (text !== undefined && read?.ok) return { format: read.workflow.format, text };
  }
  return null;
}
