// The transformer from fp8 files: plain, ComfyUI's old scaled and new scaled layout.
import { loadTransformer } from "../../nodes/qwen/transformer/load-transformer.ts";
import { relativeError } from "../relative-error.ts";
import { EXACT, type Family, withConfig } from "./golden.ts";
import { describeCases, firstTokens, runCase, targetTokens } from "./transformer-cases.ts";

const LAYOUTS = ["plain", "scaled_old", "scaled_new"];

export const fp8: Family = async function* (golden) {
  const io = await golden.open("transformer_tiny_io.safetensors");
  const expected = await golden.open("transformer_tiny_fp8_expected.safetensors");
  if (!io || !expected) return;
  const { config, cases } = describeCases(io);
  for (const layout of LAYOUTS) {
    const file = await golden.open(`transformer_tiny_fp8_${layout}.safetensors`);
    const output = await expected.read(layout === "plain" ? "plain" : "scaled");
    // The expected file does not name its case: it is the first one of that size.
    const c = cases.find(
      (one) => one.batch === output.shape[0] && one.img_shapes.reduce((n, [, h, w]) => n + h * w, 0) === output.shape[1],
    );
    if (!file || !c) continue;
    const { model } = await loadTransformer(withConfig(file, config));
    const error = relativeError(await runCase(golden.compute, model, io, c), firstTokens(output, targetTokens(c)));
    yield { name: `fp8 ${layout} ${c.name}`, error, limit: EXACT };
  }
};
