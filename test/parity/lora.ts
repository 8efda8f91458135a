// One LoRA in five namings: all must give the same output.
import { loadLora } from "../../nodes/lora/load-lora.ts";
import { loadTransformer } from "../../nodes/qwen/transformer/load-transformer.ts";
import { relativeError } from "../relative-error.ts";
import { EXACT, type Family, withConfig } from "./golden.ts";
import { describeCases, firstTokens, runCase, targetTokens } from "./transformer-cases.ts";

const STYLES = ["kohya", "lightning", "diffusers", "aitoolkit", "diffsynth_default"];

export const lora: Family = async function* (golden) {
  const io = await golden.open("transformer_tiny_io.safetensors");
  const base = await golden.open("transformer_tiny.safetensors");
  const expected = await golden.open("lora_expected.safetensors");
  if (!io || !base || !expected) return;
  const { config, cases } = describeCases(io);
  const { model } = await loadTransformer(withConfig(base, config));
  for (const style of STYLES) {
    const file = await golden.open(`lora_${style}.safetensors`);
    if (!file) continue;
    for (const key of expected.tensors.keys()) {
      const [, name, strength] = /^(.+)_strength_(.+)$/.exec(key) ?? [];
      const c = cases.find((one) => one.name === name);
      if (!c) continue;
      const { adapters, unmatched } = await loadLora(file, model.linears, Number(strength));
      const actual = await runCase(golden.compute, model.withAdapters(adapters), io, c);
      const error = unmatched.length ? Infinity : relativeError(actual, firstTokens(await expected.read(key), targetTokens(c)));
      yield { name: `lora ${style} ${key}`, error, limit: EXACT };
    }
  }
};
