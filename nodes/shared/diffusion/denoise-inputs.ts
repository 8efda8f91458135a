import type { Builder } from "../../../engine/ir/builder.ts";
import type { DenoiseInputs, DenoiseShape } from "../contracts/diffusion.ts";
import type { DiffusionModel } from "../contracts/modules.ts";
import { tokensOf, tokenWidth } from "./latent-space.ts";

/** Name in the graph of a prompt's input. */
export function promptInput(name: string): string {
  return `prompt.${name}`;
}

/** Graph inputs of one evaluation: `x`, `references` where there are any, `sigma`, and `prompt.<name>`. */
export function denoiseInputs(b: Builder, { latentSpace }: Pick<DiffusionModel, "latentSpace">, shape: DenoiseShape): DenoiseInputs {
  const width = tokenWidth(latentSpace);
  const r = shape.references.reduce((sum, g) => sum + tokensOf(g), 0);
  return {
    shape,
    x: b.input("x", "float32", [shape.batch, tokensOf(shape.target), width]),
    references: r > 0 ? b.input("references", "float32", [shape.batch, r, width]) : null,
    sigma: b.input("sigma", "float32", [shape.batch]),
    prompt: Object.fromEntries(Object.entries(shape.prompt).map(([name, s]) => [name, b.input(promptInput(name), "float32", s)])),
  };
}
