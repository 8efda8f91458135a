// vectors.json: noise, noise levels, picture sizes, rotary positions.
import { z } from "zod";
import { f32 } from "../../engine/tensor/tensor.ts";
import { torchRandn } from "../../engine/tensor/torch-random.ts";
import { schedule } from "../../nodes/diffusion/sampling/schedulers.ts";
import { kontextSize } from "../../nodes/image/flux-kontext-image-scale.ts";
import { LIGHTNING_SCHEDULER, QWEN_SCHEDULER } from "../../nodes/qwen/sampling/scheduler-config.ts";
import { scaleToArea } from "../../nodes/qwen/text/scale-to-area.ts";
import { smartResize } from "../../nodes/qwen/text/vision/smart-resize.ts";
import { msropePositions } from "../../nodes/qwen/transformer/positions.ts";
import { flowMatchSigmas, shiftMu } from "../../nodes/shared/diffusion/flow-match-sigmas.ts";
import { modelSampling } from "../../nodes/shared/diffusion/model-sampling.ts";
import { calculateDimensions } from "../../nodes/shared/pictures/resize/size.ts";
import { relativeError } from "../relative-error.ts";
import type { Family, ParityCase } from "./golden.ts";

const numbers = z.array(z.number());
const pair = z.tuple([z.number(), z.number()]);
const Vectors = z
  .object({
    torch_cpu_randn: z.array(
      z.union([
        z.object({ seed: z.string(), n: z.int(), values: numbers }),
        z.object({ seed: z.string(), shape: numbers, first8: numbers, last8: numbers, sum: z.number(), sumsq: z.number() }),
      ]),
    ),
    sigmas_diffusers: z.array(z.object({ L: z.int(), steps: z.int(), mu: z.number(), sigmas: numbers })),
    sigmas_diffusers_lightning: z.array(z.object({ steps: z.int(), sigmas: numbers })),
    sigmas_comfy_auraflow_simple: z.array(z.object({ shift: z.number(), steps: z.int(), sigmas: numbers })),
    sigmas_comfy_default_flux115: z.array(z.object({ steps: z.int(), sigmas: numbers })),
    smart_resize: z.array(z.object({ h: z.int(), w: z.int(), out: pair })),
    calculate_dimensions: z.array(z.object({ area: z.number(), w: z.int(), h: z.int(), out: pair })),
    kontext_pick: z.array(z.object({ w: z.int(), h: z.int(), out: pair })),
    comfy_plus: z.array(z.object({ w: z.int(), h: z.int(), vl: pair, vae: pair })),
    msrope_positions: z.array(
      z.object({
        shapes: z.array(z.tuple([z.literal(1), z.int(), z.int()])),
        mode: z.enum(["diffusers", "comfy"]),
        img: z.array(z.tuple([z.int(), z.int(), z.int()])),
        txt_start: z.int(),
      }),
    ),
  })
  .partial();

/** Rounding of one float32 operation or two. */
const ROUNDING = 1e-6;

/** Sums over a quarter of a million numbers gather more. */
const SUM = 1e-5;

export const vectors: Family = async function* (golden) {
  const json = golden.json("vectors.json");
  if (json === undefined) return;
  const v = Vectors.parse(json);
  for (const c of v.torch_cpu_randn ?? []) {
    if ("values" in c) {
      yield floats(`randn seed ${c.seed}, ${c.n} numbers`, torchRandn(BigInt(c.seed), c.n), c.values);
      continue;
    }
    const x = torchRandn(
      BigInt(c.seed),
      c.shape.reduce((a, d) => a * d, 1),
    );
    yield floats(`randn seed ${c.seed} of a latent, ends`, [...x.subarray(0, 8), ...x.subarray(-8)], [...c.first8, ...c.last8]);
    let [sum, sumsq] = [0, 0];
    for (const value of x) {
      sum += value;
      sumsq += value * value;
    }
    yield floats(`randn seed ${c.seed} of a latent, sums`, [sum, sumsq], [c.sum, c.sumsq], SUM);
  }
  for (const c of v.sigmas_diffusers ?? [])
    yield floats(
      `sigmas diffusers ${c.L} tokens ${c.steps} steps`,
      [shiftMu(c.L, QWEN_SCHEDULER), ...flowMatchSigmas(c.steps, c.L, QWEN_SCHEDULER)],
      [c.mu, ...c.sigmas],
    );
  for (const c of v.sigmas_diffusers_lightning ?? [])
    yield floats(`sigmas Lightning ${c.steps} steps`, flowMatchSigmas(c.steps, 4096, LIGHTNING_SCHEDULER), c.sigmas);
  for (const c of v.sigmas_comfy_auraflow_simple ?? [])
    yield floats(`sigmas AuraFlow ${c.shift} ${c.steps} steps`, schedule("simple", modelSampling(c.shift), c.steps, 1), c.sigmas);
  for (const c of v.sigmas_comfy_default_flux115 ?? [])
    yield floats(`sigmas Flux default ${c.steps} steps`, schedule("simple", modelSampling(), c.steps, 1), c.sigmas);

  for (const { h, w, out } of v.smart_resize ?? []) {
    const { height, width } = smartResize(h, w);
    yield exact(`smart_resize ${h}×${w}`, [height, width], out);
  }
  for (const { area, w, h, out } of v.calculate_dimensions ?? []) {
    const { width, height } = calculateDimensions(area, { width: w, height: h });
    yield exact(`calculate_dimensions ${w}×${h} to ${area}`, [width, height], out);
  }
  for (const { w, h, out } of v.kontext_pick ?? []) {
    const { width, height } = kontextSize(w, h);
    yield exact(`Kontext size ${w}×${h}`, [width, height], out);
  }
  for (const { w, h, vl, vae } of v.comfy_plus ?? []) {
    const [small, large] = [scaleToArea(384 ** 2, { width: w, height: h }), scaleToArea(1024 ** 2, { width: w, height: h }, 8)];
    yield exact(`Plus sizes ${w}×${h}`, [small.width, small.height, large.width, large.height], [...vl, ...vae]);
  }
  for (const { shapes, mode, img, txt_start } of v.msrope_positions ?? []) {
    const [target = { h: 0, w: 0 }, ...references] = shapes.map(([, h, w]) => ({ h, w }));
    const { image, textStart } = msropePositions(target, references, mode === "comfy" ? "comfyui" : mode);
    yield exact(
      `positions ${mode} ${shapes.map(([, h, w]) => `${h}×${w}`).join(" ")}`,
      [...image.flat(), textStart],
      [...img.flat(), txt_start],
    );
  }
};

function floats(name: string, actual: ArrayLike<number>, expected: readonly number[], limit = ROUNDING): ParityCase {
  return { name, error: relativeError(f32([actual.length], actual), f32([expected.length], expected)), limit };
}

/** Whole numbers: right or wrong. */
function exact(name: string, actual: readonly number[], expected: readonly number[]): ParityCase {
  return { name, error: JSON.stringify(actual) === JSON.stringify(expected) ? 0 : Infinity, limit: 0 };
}
