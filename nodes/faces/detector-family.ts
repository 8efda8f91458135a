// Which detector an .onnx file holds, told by the shapes of its outputs.
import type { Builder } from "../../engine/ir/builder.ts";
import type { Value } from "../../engine/ir/value.ts";
import type { Shape } from "../../engine/tensor/shape.ts";
import { f32, type Tensor } from "../../engine/tensor/tensor.ts";
import { bgr } from "./bgr.ts";
import { type DetectorAnswer, detectorLevels } from "./detector-levels.ts";
import { decodeRetinaFace, retinaFaceAnchors } from "./retinaface-decode.ts";
import { decodeScrfd } from "./scrfd-decode.ts";
import { decodeYuNet } from "./yunet-decode.ts";

export interface DetectorFamily {
  readonly name: "scrfd" | "yunet" | "retinaface";
  /** Colours [1, 3, S, S] RGB in 0..1 as the network wants them. */
  normalise(b: Builder, x: Value): Value;
  /** Answers before suppression, in pixels of the input. */
  decode(outputs: readonly Tensor<"float32">[], size: number, minScore: number): DetectorAnswer[];
  /** Boxes that share more of their union are one face. */
  readonly nms: number;
}

const SCRFD: DetectorFamily = {
  name: "scrfd",
  normalise: (b, x) => b.mul(b.sub(x, 0.5), 255 / 128),
  decode: (outputs, size, minScore) => decodeScrfd(detectorLevels(outputs, size) ?? [], size, minScore),
  nms: 0.4,
};

const YUNET: DetectorFamily = {
  name: "yunet",
  normalise: (b, x) => b.mul(bgr(b, x), 255),
  decode: (outputs, size, minScore) => decodeYuNet(detectorLevels(outputs, size) ?? [], size, minScore),
  nms: 0.3,
};

const RETINAFACE: DetectorFamily = {
  name: "retinaface",
  normalise: (b, x) => b.sub(b.mul(bgr(b, x), 255), b.constant(f32([1, 3, 1, 1], [104, 117, 123]))),
  decode(outputs, size, minScore) {
    const [boxes, scores, points] = [4, 2, 10].map((width) => outputs.find((t) => t.shape.at(-1) === width));
    return boxes && scores && points ? decodeRetinaFace(boxes, scores, points, size, minScore) : [];
  },
  nms: 0.4,
};

/**
 * The family whose outputs these could be. SCRFD has a score, four distances and perhaps ten points for each anchor of strides 8, 16 and
 * 32, each in an output of its own; YuNet two scores for each, one anchor a cell; RetinaFace all anchors in one output each of 4, 2 and 10.
 * @param size side of the square input
 */
export function detectorFamily(shapes: readonly Shape[], size: number): DetectorFamily | undefined {
  const widths = shapes.map((shape) => shape.at(-1));
  const anchors = retinaFaceAnchors(size);
  if (shapes.length === 3 && [4, 2, 10].every((w) => widths.includes(w)) && shapes.every((s) => s.at(-2) === anchors)) return RETINAFACE;
  // An empty answer has the shapes of every other.
  const empty = shapes.map((shape) => f32(shape, new Float32Array(shape.reduce((n, d) => n * d, 1))));
  const levels = detectorLevels(empty, size);
  if (!levels || levels.length < 3) return undefined;
  if (levels.every((level) => level.second === undefined)) return SCRFD;
  return levels.every((level) => level.anchors === 1 && level.points) ? YUNET : undefined;
}
