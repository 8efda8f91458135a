// Convolution, pooling, normalisation, resampling.
import type { Attrs, Value } from "../ir/value.ts";
import { sizeOf } from "../tensor/shape.ts";
import type { Converter, ImportNode } from "./import-node.ts";

/** strides, dilations and pads with `auto_pad` resolved; `kernel` holds the spatial sizes. */
function windowAttrs(n: ImportNode, x: Value, kernel: readonly number[]): { strides: number[]; dilations: number[]; pads: number[] } {
  const ones = kernel.map(() => 1);
  const strides = [...(n.ints("strides") ?? ones)];
  const dilations = [...(n.ints("dilations") ?? ones)];
  const auto = n.string("auto_pad", "NOTSET");
  const given = n.ints("pads");
  if (auto === "NOTSET" || auto === "") return { strides, dilations, pads: [...(given ?? [...ones, ...ones].fill(0))] };
  if (auto === "VALID") return { strides, dilations, pads: [...ones, ...ones].fill(0) };
  if (auto !== "SAME_UPPER" && auto !== "SAME_LOWER") throw n.error("ONNX_ATTRIBUTE", `auto_pad ${auto} is not supported`);
  const total = kernel.map((k, i) => {
    const [d, stride] = [x.shape[i + 2] ?? 1, strides[i] ?? 1];
    return Math.max(0, (Math.ceil(d / stride) - 1) * stride + (k - 1) * (dilations[i] ?? 1) + 1 - d);
  });
  const less = total.map((t) => Math.floor(t / 2));
  const more = total.map((t, i) => t - (less[i] ?? 0));
  return { strides, dilations, pads: auto === "SAME_UPPER" ? [...less, ...more] : [...more, ...less] };
}

const conv: Converter = (n) => {
  const [x, w] = [n.value(0), n.value(1)];
  n.ignore("kernel_shape");
  const attrs = { ...windowAttrs(n, x, w.shape.slice(2)), group: n.int("group", 1) };
  const bias = n.optional(2);
  return [n.b.one("Conv", bias ? [x, w, bias] : [x, w], attrs)];
};

const convTranspose: Converter = (n) => {
  const [x, w] = [n.value(0), n.value(1)];
  n.ignore("kernel_shape");
  const kernel = w.shape.slice(2);
  const shape = n.ints("output_shape");
  const auto = n.string("auto_pad", "NOTSET");
  const zeros = kernel.map(() => 0);
  const extra = [...(n.ints("output_padding") ?? zeros)];
  let { strides, dilations, pads } = auto.startsWith("SAME")
    ? { ...windowAttrsOf(n, kernel), pads: [...zeros, ...zeros] }
    : windowAttrs(n, x, kernel);
  if (shape || auto.startsWith("SAME")) {
    // The pads are what is over: out = (d − 1)·stride + extra + extent − pads.
    const total = kernel.map((k, i) => {
      const [d, stride] = [x.shape[i + 2] ?? 1, strides[i] ?? 1];
      const out = shape?.at(i - kernel.length) ?? d * stride;
      return (d - 1) * stride + (extra[i] ?? 0) + (k - 1) * (dilations[i] ?? 1) + 1 - out;
    });
    if (total.some((t) => t < 0)) throw n.error("ONNX_ATTRIBUTE", `output_shape [${shape ?? ""}] is larger than the convolution gives`);
    const less = total.map((t) => Math.floor(t / 2));
    const more = total.map((t, i) => t - (less[i] ?? 0));
    pads = auto === "SAME_UPPER" ? [...less, ...more] : [...more, ...less];
  }
  const attrs: Attrs = {
    strides,
    dilations,
    pads,
    group: n.int("group", 1),
    ...(extra.some((e) => e > 0) ? { output_padding: extra } : {}),
  };
  const bias = n.optional(2);
  return [n.b.one("ConvTranspose", bias ? [x, w, bias] : [x, w], attrs)];
};

function windowAttrsOf(n: ImportNode, kernel: readonly number[]): { strides: number[]; dilations: number[] } {
  const ones = kernel.map(() => 1);
  n.ignore("pads");
  return { strides: [...(n.ints("strides") ?? ones)], dilations: [...(n.ints("dilations") ?? ones)] };
}

const maxPool: Converter = (n) => {
  const x = n.value(0);
  const kernel = n.ints("kernel_shape") ?? [];
  if (n.int("storage_order", 0) !== 0) throw n.error("ONNX_ATTRIBUTE", "column-major indices are not supported");
  return n.b.op("MaxPool", [x], { kernel_shape: kernel, ...windowAttrs(n, x, kernel), ceil_mode: n.int("ceil_mode", 0) });
};

const averagePool: Converter = (n) => {
  const x = n.value(0);
  const kernel = n.ints("kernel_shape") ?? [];
  const attrs = {
    kernel_shape: kernel,
    ...windowAttrs(n, x, kernel),
    ceil_mode: n.int("ceil_mode", 0),
    count_include_pad: n.int("count_include_pad", 0),
  };
  return [n.b.one("AveragePool", [x], attrs)];
};

const batchNormalization: Converter = (n) => {
  n.ignore("momentum", "consumed_inputs", "is_test");
  if (n.int("training_mode", 0) !== 0 || n.int("spatial", 1) !== 1)
    throw n.error("ONNX_ATTRIBUTE", "only inference with one statistic per channel is supported");
  return [
    n.b.one(
      "BatchNormalization",
      [0, 1, 2, 3, 4].map((i) => n.value(i)),
      { epsilon: n.float("epsilon", 1e-5) },
    ),
  ];
};

const layerNormalization: Converter = (n) => {
  n.ignore("stash_type");
  const inputs = n.has(2) ? [n.value(0), n.value(1), n.value(2)] : [n.value(0), n.value(1)];
  return n.b.op("LayerNormalization", inputs, { axis: n.int("axis", -1), epsilon: n.float("epsilon", 1e-5) });
};

const rmsNormalization: Converter = (n) => {
  n.ignore("stash_type");
  return n.b.op("SimplifiedLayerNormalization", [n.value(0), n.value(1)], { axis: n.int("axis", -1), epsilon: n.float("epsilon", 1e-5) });
};

/** com.microsoft: LN(x + skip + bias). */
const skipLayerNormalization: Converter = (n) => {
  const [bias, beta] = [n.optional(4), n.optional(3)];
  const sum = n.b.add(n.value(0), n.value(1));
  const x = bias ? n.b.add(sum, bias) : sum;
  const inputs = beta ? [x, n.value(2), beta] : [x, n.value(2)];
  const [y] = n.b.op("LayerNormalization", inputs, { axis: -1, epsilon: n.float("epsilon", 1e-12) });
  return y ? [y] : [];
};

/** Before opset 21 scale and bias were per group. */
const groupNormalization: Converter = (n) => {
  n.ignore("stash_type");
  const groups = n.int("num_groups", 1);
  const [x, channels] = [n.value(0), n.value(0).shape[1] ?? 1];
  const perChannel = (v: Value) =>
    sizeOf(v.shape) === channels ? v : n.b.reshape(n.b.expand(n.b.reshape(v, [groups, 1]), [groups, channels / groups]), [channels]);
  return [
    n.b.one("GroupNormalization", [x, perChannel(n.value(1)), perChannel(n.value(2))], {
      num_groups: groups,
      epsilon: n.float("epsilon", 1e-5),
    }),
  ];
};

const resize: Converter = (n) => {
  const x = n.value(0);
  const old = n.node.op === "Upsample" || n.opset < 11;
  n.ignore("cubic_coeff_a", "extrapolation_value");
  const mode = n.string("mode", "nearest");
  const coordinates = n.string("coordinate_transformation_mode", old ? "asymmetric" : "half_pixel");
  const nearest = n.string("nearest_mode", old ? "floor" : "round_prefer_floor");
  if (n.int("antialias", 0) || n.int("exclude_outside", 0))
    throw n.error("ONNX_ATTRIBUTE", "antialias and exclude_outside are not supported");
  if (n.string("keep_aspect_ratio_policy", "stretch") !== "stretch")
    throw n.error("ONNX_ATTRIBUTE", "keep_aspect_ratio_policy is not supported");
  const axes = n.ints("axes");
  const spread = (given: readonly number[], rest: readonly number[]) =>
    axes ? rest.map((v, i) => given[axes.indexOf(i)] ?? v) : [...given];
  const scales = old ? n.list("scales", 1) : Array.from(n.constant(2)?.data ?? []);
  const sizes = old ? [] : Array.from(n.constant(3)?.data ?? []);
  const target = sizes.length
    ? { sizes: spread(sizes, x.shape) }
    : {
        scales: spread(
          scales ?? [],
          x.shape.map(() => 1),
        ),
      };
  const attrs = { mode: mode === "bilinear" ? "linear" : mode, coordinate_transformation_mode: coordinates, nearest_mode: nearest };
  return [n.b.one("Resize", [x], { ...attrs, ...target })];
};

const gridSample: Converter = (n) => {
  const mode = n.string("mode", "linear");
  const attrs = {
    mode: mode === "bilinear" ? "linear" : mode,
    padding_mode: n.string("padding_mode", "zeros"),
    align_corners: n.int("align_corners", 0),
  };
  return [n.b.one("GridSample", [n.value(0), n.value(1)], attrs)];
};

/** Converters by operator name. */
export const VISION_CONVERTERS: ReadonlyMap<string, Converter> = new Map<string, Converter>([
  ["Conv", conv],
  ["ConvTranspose", convTranspose],
  ["MaxPool", maxPool],
  ["AveragePool", averagePool],
  ["BatchNormalization", batchNormalization],
  ["LayerNormalization", layerNormalization],
  ["RMSNormalization", rmsNormalization],
  ["SimplifiedLayerNormalization", rmsNormalization],
  ["SkipLayerNormalization", skipLayerNormalization],
  ["GroupNormalization", groupNormalization],
  ["Resize", resize],
  ["Upsample", resize],
  ["GridSample", gridSample],
]);
