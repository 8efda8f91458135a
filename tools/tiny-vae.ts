import { randomSource } from "../engine/base/random.ts";
import type { Tensor } from "../engine/tensor/tensor.ts";
import { filledWeights, normSpec, type WeightSpec } from "./weight-spec.ts";

export interface TinyVaeSizes {
  readonly baseDim: number;
  readonly zDim: number;
  readonly dimMult: readonly number[];
  readonly resBlocks: number;
}

/** The real VAE's layout at a tenth of its width: 16 latent channels, ratio 8. */
export const TINY_VAE: TinyVaeSizes = { baseDim: 8, zDim: 16, dimMult: [1, 2, 4, 4], resBlocks: 2 };

/**
 * A VAE of the Qwen-Image architecture with random weights, under the names of ComfyUI's single file (Wan 2.1). Kernels have
 * three temporal slices as in the real file; only the last one, the one a still picture meets, is not zero.
 */
export function tinyVae(seed: number, sizes: TinyVaeSizes = TINY_VAE): Map<string, Tensor<"float32">> {
  return filledWeights(vaeSpecs(sizes), randomSource(seed));
}

/** The weights of such a VAE. */
export function vaeSpecs(sizes: TinyVaeSizes): WeightSpec[] {
  const specs: WeightSpec[] = [];
  const zeros = (name: string, shape: readonly number[]): void => {
    specs.push({ name, shape, fill: { value: 0 } });
  };
  /** [O,I,T,k,k] (T = 0: the 2-D [O,I,k,k]), variance 1/fan-in. */
  const conv = (name: string, o: number, i: number, k: number, t: number): void => {
    const fill = { std: 1 / Math.sqrt(i * k * k) };
    specs.push({ name: `${name}.weight`, shape: t === 0 ? [o, i, k, k] : [o, i, t, k, k], fill, slices: Math.max(1, t) });
    zeros(`${name}.bias`, [o]);
  };
  const gamma = (name: string, c: number, rank: number): void => {
    specs.push(normSpec(`${name}.gamma`, [c, ...new Array<number>(rank - 1).fill(1)]));
  };
  const residual = (name: string, from: number, to: number): void => {
    gamma(`${name}.residual.0`, from, 4);
    conv(`${name}.residual.2`, to, from, 3, 3);
    gamma(`${name}.residual.3`, to, 4);
    conv(`${name}.residual.6`, to, to, 3, 3);
    if (from !== to) conv(`${name}.shortcut`, to, from, 1, 1);
  };
  const resample = (name: string, from: number, to: number, temporal: readonly [out: number, kernel: number] | undefined): void => {
    conv(`${name}.resample.1`, to, from, 3, 0);
    if (!temporal) return;
    zeros(`${name}.time_conv.weight`, [temporal[0], from, 3, 1, 1]);
    zeros(`${name}.time_conv.bias`, [temporal[0]]);
  };
  const middle = (side: string, c: number): void => {
    residual(`${side}.middle.0`, c, c);
    gamma(`${side}.middle.1.norm`, c, 3);
    conv(`${side}.middle.1.to_qkv`, 3 * c, c, 1, 0);
    conv(`${side}.middle.1.proj`, c, c, 1, 0);
    residual(`${side}.middle.2`, c, c);
  };
  const head = (side: string, from: number, to: number): void => {
    gamma(`${side}.head.0`, from, 4);
    conv(`${side}.head.2`, to, from, 3, 3);
  };

  const { baseDim, zDim, dimMult, resBlocks } = sizes;
  const dims = dimMult.map((m) => m * baseDim);
  const deepest = dims.at(-1) ?? baseDim;
  let index = 0;
  let channels = baseDim;
  conv("encoder.conv1", baseDim, 3, 3, 3);
  dims.forEach((dim, level) => {
    for (let j = 0; j < resBlocks; j++, channels = dim) residual(`encoder.downsamples.${index++}`, channels, dim);
    // The first downsampler halves space only, the others time as well.
    if (level < dims.length - 1) resample(`encoder.downsamples.${index++}`, dim, dim, level > 0 ? [dim, 3] : undefined);
  });
  middle("encoder", deepest);
  head("encoder", deepest, 2 * zDim);
  conv("conv1", 2 * zDim, 2 * zDim, 1, 1);

  conv("conv2", zDim, zDim, 1, 1);
  conv("decoder.conv1", deepest, zDim, 3, 3);
  middle("decoder", deepest);
  index = 0;
  channels = deepest;
  [...dims].reverse().forEach((dim, level) => {
    for (let j = 0; j <= resBlocks; j++, channels = dim) residual(`decoder.upsamples.${index++}`, channels, dim);
    if (level === dims.length - 1) return;
    resample(`decoder.upsamples.${index++}`, dim, dim / 2, level < dims.length - 2 ? [2 * dim, 3] : undefined);
    channels = dim / 2;
  });
  head("decoder", baseDim, 3);
  return specs;
}
