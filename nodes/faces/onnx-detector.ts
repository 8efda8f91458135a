import { AppError, toAppError } from "../../engine/base/errors.ts";
import type { Graph } from "../../engine/ir/value.ts";
import type { Models } from "../../engine/node/context.ts";
import { holding } from "../../engine/node/holding.ts";
import { newBuilder } from "../../engine/ops/table.ts";
import type { Shape } from "../../engine/tensor/shape.ts";
import { expectDType, f32 } from "../../engine/tensor/tensor.ts";
import type { Face, Point } from "../shared/contracts/data.ts";
import type { FaceDetector } from "../shared/contracts/modules.ts";
import { planes } from "../shared/faces/crop-face.ts";
import { type Affine, applyAffine } from "../shared/pictures/affine.ts";
import { pictureOf } from "../shared/pictures/picture.ts";
import { ImagePyramid } from "../shared/pictures/warp-image.ts";
import { type Box, suppress } from "./box.ts";
import { type DetectorFamily, detectorFamily } from "./detector-family.ts";
import type { DetectorAnswer } from "./detector-levels.ts";
import { type FaceOnnx, openFaceOnnx } from "./face-onnx.ts";
import { squareAround } from "./face-square.ts";
import { fiveOf68, loadLandmarks68 } from "./landmarks68.ts";
import { selectFaces, sortFaces } from "./select-faces.ts";

/**
 * A user's SCRFD, YuNet or RetinaFace: the picture is shrunk into the top left of a black square. A model without keypoints gets them from
 * the embedded landmark network.
 * @param inputSize side of the square, where the file does not fix it
 * @throws AppError FACE_DETECTOR_FORMAT when the file is no such detector, with what was found; FACE_ONNX, ONNX_*, MODEL_NOT_FOUND
 */
export async function loadOnnxDetector(models: Models, file: string, inputSize: number): Promise<FaceDetector> {
  const module = await openFaceOnnx(models, file);
  const size = module.fixedSize ?? inputSize;
  const family = familyOf(module, file, size);
  const landmarks = await loadLandmarks68(models);
  let graph: Graph | undefined;
  const detector: FaceDetector = {
    id: `${family.name}-1:${size}:${module.fingerprint}:${landmarks.fingerprint}`,
    async detect(compute, image, options) {
      const picture = new ImagePyramid(pictureOf(image, 0));
      const { width, height } = picture.levels[0];
      if (!graph) {
        const b = newBuilder();
        graph = b.graph(module.build(b, family.normalise(b, b.input("picture", "float32", [1, 3, size, size]))));
      }
      const s = Math.max(width, height) / size;
      // What lies outside the picture is black: padding comes before normalising.
      const view = picture.warp([s, 0, 0, 0, s, 0], size, size);
      const outputs = await compute.run(graph, { picture: f32([1, 3, size, size], planes(view)) });
      const tensors = Object.entries(outputs).map(([name, t]) => f32(t.shape, expectDType(t, "float32", `${file}: output ${name}`)));
      const minScore = options.minScore ?? 0.5;
      const answers = suppress(family.decode(tensors, size, minScore), family.nms).map((a) => ({ ...a, box: scaled(a.box, s) }));
      const find = await landmarks.open(compute);
      const faces: Face[] = [];
      for (const a of selectFaces(sortFaces(answers), { ...options, minScore })) {
        const points5 = pointsOf(a, s);
        if (points5) faces.push({ box: a.box, score: a.score, points5 });
        else {
          const points68 = await find(picture, squareAround(a.box, 1));
          faces.push({ box: a.box, score: a.score, points5: fiveOf68(points68), points68 });
        }
      }
      return faces;
    },
  };
  return holding(detector, module);
}

function familyOf(module: FaceOnnx, file: string, size: number): DetectorFamily {
  const refuse = (found: string): AppError =>
    new AppError("FACE_DETECTOR_FORMAT", `${file} is no face detector that is known: ${found}`, {
      hint:
        "expected SCRFD (scores […, 1], boxes […, 4] and perhaps points […, 10] for each of strides 8, 16 and 32), " +
        "YuNet of 2023 (two scores for each) or RetinaFace ([n, 4], [n, 2] and [n, 10] for all anchors); a face encoder belongs into FaceEncoderLoader",
    });
  let shapes: readonly Shape[];
  try {
    shapes = module.outputShapes(1, size);
  } catch (error) {
    const { code, message } = toAppError(error);
    if (!code.startsWith("ONNX_")) throw error;
    throw refuse(`${module.summary}; it cannot take ${size} × ${size} pixels (${message})`);
  }
  const family = detectorFamily(shapes, size);
  if (family) return family;
  throw refuse(`for ${size} × ${size} pixels it gives ${shapes.map((shape) => `[${shape.join(", ")}]`).join(", ")}`);
}

function scaled(box: Box, s: number): Box {
  return [box[0] * s, box[1] * s, box[2] * s, box[3] * s];
}

/** The five points in the picture. insightface counts pixel centres from 0, we from .5. */
function pointsOf({ points }: DetectorAnswer, s: number): Face["points5"] | undefined {
  const [a, b, c, d, e] = points ?? [];
  const toPicture: Affine = [s, 0, 0.5, 0, s, 0.5];
  const place = (p: Point): Point => applyAffine(toPicture, p);
  return a && b && c && d && e ? [place(a), place(b), place(c), place(d), place(e)] : undefined;
}
