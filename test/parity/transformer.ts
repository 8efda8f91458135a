// QwenImageTransformer2DModel: every case, with and without zero_cond_t, from diffusers' and from ComfyUI's file.
import { loadTransformer } from "../../nodes/qwen/transformer/load-transformer.ts";
import { relativeError } from "../relative-error.ts";
import { EXACT, type Family, withConfig } from "./golden.ts";
import { describeCases, firstTokens, runCase, targetTokens } from "./transformer-cases.ts";

export const transformer: Family = async function* (golden) {
  const io = await golden.open("transformer_tiny_io.safetensors");
  if (!io) return;
  const { config, cases } = describeCases(io);
  const diffusers = await golden.open("transformer_tiny.safetensors");
  const comfyui = await golden.open("transformer_tiny_2511.safetensors");
  for (const zero of [0, 1]) {
    const from = [
      diffusers && { name: "diffusers", file: withConfig(diffusers, { ...config, zero_cond_t: zero === 1 }), options: {} },
      // The marker in the file turns zero_cond_t on; the reference method turns it off again.
      comfyui && { name: "comfyui", file: withConfig(comfyui, config), options: zero ? {} : { referenceMethod: "index" as const } },
    ];
    for (const source of from) {
      if (!source) continue;
      const { model } = await loadTransformer(source.file);
      for (const c of cases) {
        const expected = firstTokens(await io.read(`${c.name}.out_zero_cond_t_${zero}`), targetTokens(c));
        const actual = await runCase(golden.compute, model, io, c, source.options);
        yield { name: `transformer ${source.name} zero_cond_t=${zero} ${c.name}`, error: relativeError(actual, expected), limit: EXACT };
      }
    }
  }
};
