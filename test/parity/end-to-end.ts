// From noise to picture: all steps of the sampler and the VAE, in diffusers' and in ComfyUI's arithmetic.
import { z } from "zod";
import type { Compute } from "../../engine/ir/compute.ts";
import type { WeightFile } from "../../engine/node/context.ts";
import { newBuilder } from "../../engine/ops/table.ts";
import { expectDType, f32, type Tensor } from "../../engine/tensor/tensor.ts";
import { sampleComfyui } from "../../nodes/diffusion/sampling/sample-comfyui.ts";
import { SAMPLERS } from "../../nodes/diffusion/sampling/sampler-names.ts";
import { SCHEDULERS, schedule } from "../../nodes/diffusion/sampling/schedulers.ts";
import { loadTransformer } from "../../nodes/qwen/transformer/load-transformer.ts";
import { loadVae } from "../../nodes/qwen/vae/load-vae.ts";
import type { DiffusionModel } from "../../nodes/shared/contracts/modules.ts";
import { cfgNorm } from "../../nodes/shared/diffusion/guidance.ts";
import { denormaliseLatent, normaliseLatent } from "../../nodes/shared/diffusion/latent-space.ts";
import { modelSampling } from "../../nodes/shared/diffusion/model-sampling.ts";
import { sampleFlow } from "../../nodes/shared/diffusion/sample-flow.ts";
import { relativeError } from "../relative-error.ts";
import { END_TO_END, type Family, type Golden, withConfig } from "./golden.ts";
import { describeCases } from "./transformer-cases.ts";

const Info = z.object({
  diffusers: z.object({ steps: z.int(), true_cfg_scale: z.number() }),
  comfy: z.object({
    steps: z.int(),
    cfg: z.number(),
    shift: z.number(),
    cfgnorm: z.number(),
    scheduler: z.enum(SCHEDULERS),
    sampler: z.enum(SAMPLERS),
  }),
});

export const endToEnd: Family = async function* (golden) {
  const e2e = await golden.open("e2e_tiny.safetensors");
  const io = await golden.open("transformer_tiny_io.safetensors");
  const vaeFile = (await golden.open("vae_tiny_diffusers.safetensors")) ?? (await golden.open("vae_tiny_comfy.safetensors"));
  if (!e2e || !io || !vaeFile) return;
  const info = Info.parse(JSON.parse(e2e.metadata.info ?? "{}"));
  const vae = await loadVae(vaeFile);
  const models = [
    ["", await transformerOf(golden, io, "transformer_tiny.safetensors")],
    ["_2511", await transformerOf(golden, io, "transformer_tiny_2511.safetensors")],
  ] as const;
  const decode = async (latent: Tensor<"float32">) => {
    const b = newBuilder();
    const image = vae.decode.build(b, b.input("latent", "float32", latent.shape));
    return (await golden.compute.run(b.graph({ image }), { latent })).image;
  };
  for (const [suffix, model] of models)
    for (const mode of ["diffusers", "comfy"] as const) {
      if (!model || !e2e.tensors.has(`${mode}${suffix}.image`)) continue;
      const raw = await run(golden.compute, mode, model, e2e, info);
      const parts = [
        ["latent", normaliseLatent(model.latentSpace, raw), await e2e.read(`${mode}${suffix}.latent_norm`)],
        ["image", await decode(raw.samples), await e2e.read(`${mode}${suffix}.image`)],
      ] as const;
      for (const [what, actual, expected] of parts)
        yield { name: `end to end ${mode}${suffix} ${what}`, error: relativeError(actual, expected), limit: END_TO_END };
    }
};

async function transformerOf(golden: Golden, io: WeightFile, name: string): Promise<DiffusionModel | undefined> {
  const file = await golden.open(name);
  return file && (await loadTransformer(withConfig(file, describeCases(io).config))).model;
}

async function run(compute: Compute, mode: "diffusers" | "comfy", model: DiffusionModel, e2e: WeightFile, info: z.infer<typeof Info>) {
  const read = async (name: string) => {
    const t = await e2e.read(name);
    return f32(t.shape, expectDType(t, "float32", name));
  };
  const referenceLatents = [denormaliseLatent(model.latentSpace, await read("ref_latent_norm"))];
  const positive = { embeds: await read("pos_embeds"), referenceLatents };
  const negative = { embeds: await read("neg_embeds"), referenceLatents };
  const noise = await read("noise");
  const ctx = { compute, signal: new AbortController().signal, progress: () => undefined, log: () => undefined };
  if (mode === "diffusers") {
    const { steps, true_cfg_scale } = info.diffusers;
    const [, , h = 0, w = 0] = noise.shape;
    const sigmas = model.schedule.sigmas(steps, { h: h / model.latentSpace.patch, w: w / model.latentSpace.patch });
    return sampleFlow(ctx, { model, positive, negative, noise, scale: true_cfg_scale, sigmas });
  }
  const { shift, cfgnorm, cfg, sampler, scheduler, steps } = info.comfy;
  const patched = model.withSampling({ sampling: modelSampling(shift), postCfg: cfgNorm(cfgnorm) });
  const { output } = await sampleComfyui(ctx, {
    guider: { model: patched, positive, negative, cfg },
    noise: { seed: null, values: noise.data },
    latent: { samples: f32(noise.shape, new Float32Array(noise.data.length)) },
    sampler,
    sigmas: schedule(scheduler, patched.sampling, steps, 1),
  });
  return output;
}
